"""Links and desk sessions, by the hash of their token; the token itself is never stored."""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from .prepared import Prepared
from .tables import link

_ADD = Prepared(insert(link), "lookup", "coach", "booking", "kind", "expires_at")
_GET = Prepared(
    select(link).where(
        link.c.lookup == bindparam("key"),
        link.c.kind == bindparam("of"),
        link.c.expires_at > bindparam("now"),
        link.c.used_at.is_(None),
    )
)
MANAGE = "manage"
VERIFY = "verify"
DESK_LINK = "desk-link"
DESK_SESSION = "desk-session"


class LinkRow(NamedTuple):
    """What a token opens. `booking` is empty for links to the desk; `expires_at` is UTC seconds."""

    lookup: bytes
    coach: str
    booking: str | None
    kind: str
    expires_at: int
    used_at: int | None


class Links:
    """Answers questions about links inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def add(self, lookup: bytes, coach: str, booking: str | None, kind: str, expires_at: int) -> None:
        """A new link."""
        self.add_all({lookup: kind}, coach, booking, expires_at)

    def add_all(self, kinds: Mapping[bytes, str], coach: str, booking: str | None, expires_at: int) -> None:
        """New links that live equally long: each one's kind by its lookup."""
        for lookup, kind in kinds.items():
            _ADD.run(self._conn, lookup=lookup, coach=coach, booking=booking, kind=kind, expires_at=expires_at)

    def get(self, lookup: bytes, kind: str, now: int) -> LinkRow | None:
        """A living, unused link of that kind."""
        found = _GET.rows(self._conn, key=lookup, of=kind, now=now)
        return LinkRow(*found[0]) if found else None

    def use(self, lookup: bytes, kind: str, now: int) -> LinkRow | None:
        """Spend a one-time link; None where it was spent, expired or unknown."""
        found = self.get(lookup, kind, now)
        if found is None:
            return None
        spent = update(link).where(link.c.lookup == lookup, link.c.used_at.is_(None)).values(used_at=now)
        return found if self._conn.execute(spent).rowcount == 1 else None

    def extend(self, booking: str, expires_at: int) -> None:
        """Let all links of a booking live until then."""
        self._conn.execute(update(link).where(link.c.booking == booking).values(expires_at=expires_at))

    def keep_only(self, booking: str, lookup: bytes) -> None:
        """Delete the other links that open a booking's page; this one proves nothing about an address any more."""
        opening = (link.c.booking == booking) & link.c.kind.in_([MANAGE, VERIFY])
        self._conn.execute(delete(link).where(opening, link.c.lookup != lookup))
        self._conn.execute(update(link).where(link.c.lookup == lookup).values(kind=MANAGE))

    def longest(self, booking: str) -> int:
        """When the last link of a booking expires."""
        return self._conn.scalar(select(func.max(link.c.expires_at)).where(link.c.booking == booking)) or 0

    def revoke(self, coach: str, *kinds: str) -> int:
        """Delete all of a coach's links of these kinds; answers how many there were."""
        return self._conn.execute(delete(link).where(link.c.coach == coach, link.c.kind.in_(kinds))).rowcount

    def close_desks(self) -> None:
        """Let no session and no link of earlier open any coach's desk."""
        self._conn.execute(delete(link).where(link.c.kind.in_([DESK_LINK, DESK_SESSION])))

    def remove_expired(self, now: int) -> int:
        """Delete what no longer opens anything."""
        return self._conn.execute(delete(link).where(link.c.expires_at <= now)).rowcount
