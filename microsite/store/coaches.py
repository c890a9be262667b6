"""Coaches, their settings, and the public keys that records are sealed to."""

import secrets
from collections.abc import Sequence
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from microsite.core.portraits import Portrait
from microsite.core.portraits import Size
from microsite.core.settings import CoachSettings
from microsite.core.settings import decode_retention
from microsite.core.settings import decode_settings
from microsite.core.settings import encode_settings
from microsite.errors import NotFound

from .prepared import Prepared
from .tables import calendar
from .tables import coach
from .tables import key
from .tables import portrait

# Asked at every booking, so built once: building a statement costs more than asking it.
_GET = select(coach).where(coach.c.slug == bindparam("which"))
_LOCK = Prepared(update(coach).where(coach.c.slug == bindparam("which")).values(revision=coach.c.revision + 1))

_SETTINGS = Prepared(select(coach.c.settings).where(coach.c.slug == bindparam("which")))
_WRITTEN = select(coach.c.settings)


class CoachRow(NamedTuple):
    """A coach as stored."""

    slug: str
    settings: CoachSettings
    revision: int
    demo: bool
    open: bool
    told_unreachable_at: int
    told_brake_at: int
    brake_released: bool
    restored_from: int
    unsettled: bool
    portrait: str


class Coaches:
    """Answers questions about coaches inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def all(self) -> list[CoachRow]:
        """Every coach, by slug."""
        rows = self._conn.execute(select(coach).order_by(coach.c.slug))
        return [_row(row) for row in rows.mappings()]

    def get(self, slug: str) -> CoachRow | None:
        """One coach."""
        found = self._conn.execute(_GET, {"which": slug}).mappings().first()
        return _row(found) if found else None

    def retentions(self) -> list[int]:
        """For how many days each coach's records are kept; of her settings nothing else is read."""
        return [decode_retention(written) for written in self._conn.scalars(_WRITTEN)]

    def slugs(self) -> Sequence[str]:
        """The name of every coach, in order; no settings are read for it."""
        return self._conn.scalars(select(coach.c.slug).order_by(coach.c.slug)).all()

    def untold(self) -> list[CoachRow]:
        """The coaches with a calendar that fails now who were not told of it."""
        failing = select(calendar.c.id).where(calendar.c.coach == coach.c.slug, calendar.c.first_failed_at != 0)
        rows = select(coach).where(coach.c.told_unreachable_at == 0, failing.exists()).order_by(coach.c.slug)
        return [_row(row) for row in self._conn.execute(rows).mappings()]

    def settings(self, slug: str) -> CoachSettings:
        """The settings of a coach who is known to be there; raises NotFound if she is not."""
        found = _SETTINGS.rows(self._conn, which=slug)
        if not found:
            raise NotFound("no such coach")
        return decode_settings(found[0][0])

    def add(self, slug: str, settings: CoachSettings, demo: bool, open_: bool) -> None:
        """A new coach. Her revision begins anywhere: no page that was made for one before her is taken for hers."""
        values = {"slug": slug, "settings": encode_settings(settings), "demo": demo, "open": open_}
        values["revision"] = secrets.randbits(48)
        self._conn.execute(insert(coach).values(values))

    def remove(self, slug: str) -> bool:
        """Delete a coach and every row that hangs on her; False: no such coach."""
        return self._conn.execute(delete(coach).where(coach.c.slug == slug)).rowcount == 1

    def save_settings(self, slug: str, settings: CoachSettings) -> None:
        """Replace a coach's settings; they are part of what her revision stands for."""
        values = {"settings": encode_settings(settings), "revision": coach.c.revision + 1}
        self._conn.execute(update(coach).where(coach.c.slug == slug).values(values))

    def set_open(self, slug: str, open_: bool) -> None:
        """Open or close the booking page."""
        self._conn.execute(update(coach).where(coach.c.slug == slug).values(open=open_))

    def set_told_unreachable(self, slug: str, at: int) -> None:
        """Note when the coach was told that a calendar does not answer; 0 once it answers again."""
        self._conn.execute(update(coach).where(coach.c.slug == slug).values(told_unreachable_at=at))

    def set_brake(self, slug: str, told_at: int, released: bool) -> None:
        """Note that the mass-change brake was told, or that the coach let it go."""
        values = {"told_brake_at": told_at, "brake_released": released}
        self._conn.execute(update(coach).where(coach.c.slug == slug).values(values))

    def mark_restored(self, slug: str, made_at: int) -> None:
        """Note that everything here is as a backup of that moment had it, and that nobody compared it with today."""
        values = {"restored_from": made_at, "unsettled": True, "told_brake_at": 0, "brake_released": False}
        self._conn.execute(update(coach).where(coach.c.slug == slug).values(values))

    def unsettled(self) -> Sequence[str]:
        """The slugs of the coaches that came out of a backup and were not compared with their calendars yet."""
        return self._conn.scalars(select(coach.c.slug).where(coach.c.unsettled.is_(True))).all()

    def set_settled(self, slug: str) -> None:
        """The coach's bookings were compared with her calendar of today."""
        self._conn.execute(update(coach).where(coach.c.slug == slug).values(unsettled=False))

    def raise_revision(self, slug: str) -> bool:
        """Take the coach's lock (a row lock on PostgreSQL) and move the cache key; False: no such coach."""
        return _LOCK.run(self._conn, which=slug) == 1

    def set_portrait(self, slug: str, made: Portrait | None) -> None:
        """Put a portrait in the place of the one there was, or take it away."""
        self._conn.execute(delete(portrait).where(portrait.c.coach == slug))
        if made is not None:
            values = {"coach": slug, "digest": made.digest, "small": made.small, "large": made.large}
            self._conn.execute(insert(portrait).values(values))
        digest = made.digest if made else ""
        self._conn.execute(update(coach).where(coach.c.slug == slug).values(portrait=digest))

    def portrait(self, digest: str, size: Size) -> bytes | None:
        """The picture of that name in that size."""
        found = self._conn.scalars(select(portrait.c[size]).where(portrait.c.digest == digest))
        return found.first()

    def recipients(self, slug: str) -> Sequence[str]:
        """The age recipients that new records are sealed to."""
        rows = select(key.c.recipient).where(key.c.coach == slug, key.c.retired_at.is_(None)).order_by(key.c.created_at)
        return self._conn.scalars(rows).all()

    def add_key(self, key_id: str, slug: str, recipient: str, kind: str, now: int) -> None:
        """A new recipient; the identity is never stored in the clear."""
        values = {"id": key_id, "coach": slug, "recipient": recipient, "kind": kind, "created_at": now}
        self._conn.execute(insert(key).values(values))


def _row(row: object) -> CoachRow:
    values = dict(row)  # type: ignore[call-overload]
    return CoachRow(**{**values, "settings": decode_settings(values["settings"])})
