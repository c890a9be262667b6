"""The public keys that a coach's records are sealed to, and the identities wrapped in the browser that go with them.

A wrapped identity is an age file: without the passphrase, or the passkey it was made for, it opens nothing.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from .tables import key

EVERYDAY, RECOVERY, SUCCESSOR = "everyday", "recovery", "successor"


class KeyRow(NamedTuple):
    """One recipient of a coach. Times are UTC seconds; `wrapped_identity` belongs to an everyday key only."""

    id: str
    coach: str
    recipient: str
    wrapped_identity: bytes | None
    kind: str
    created_at: int
    retired_at: int | None


class Keys:
    """Answers questions about keys inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def living(self, coach: str) -> list[KeyRow]:
        """The keys that new records are sealed to, oldest first."""
        mine = select(key).where(key.c.coach == coach, key.c.retired_at.is_(None))
        return [KeyRow(*row) for row in self._conn.execute(mine.order_by(key.c.created_at, key.c.id))]

    def add(self, row: KeyRow) -> None:
        """A new key."""
        self._conn.execute(insert(key).values(row._asdict()))

    def retire(self, coach: str, ids: Iterable[str], now: int) -> int:
        """Seal nothing to these keys any more and forget their wrapped identities; answers how many there were."""
        mine = update(key).where(key.c.coach == coach, key.c.id.in_(list(ids)), key.c.retired_at.is_(None))
        return self._conn.execute(mine.values(retired_at=now, wrapped_identity=None)).rowcount
