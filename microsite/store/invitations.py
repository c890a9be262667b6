"""Invitations to offers that are not open to everybody, by the hash of their token."""

from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from .tables import invitation


class InvitationRow(NamedTuple):
    """What an invitation still allows; `label` is the coach's own word for it, never a client's name."""

    lookup: bytes
    coach: str
    offer: str
    uses_left: int
    expires_at: int
    label: str


class Invitations:
    """Answers questions about invitations inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def add(self, row: InvitationRow) -> None:
        """A new invitation."""
        self._conn.execute(insert(invitation).values(row._asdict()))

    def get(self, lookup: bytes, coach: str, offer: str, now: int) -> InvitationRow | None:
        """A living invitation to that offer."""
        mine = (invitation.c.lookup == lookup) & (invitation.c.coach == coach) & (invitation.c.offer == offer)
        found = select(invitation).where(mine, invitation.c.uses_left > 0, invitation.c.expires_at > now)
        row = self._conn.execute(found).first()
        return InvitationRow(*row) if row else None

    def use(self, lookup: bytes, coach: str, offer: str, now: int) -> bool:
        """Spend one use; False where there is none left."""
        mine = (invitation.c.lookup == lookup) & (invitation.c.coach == coach) & (invitation.c.offer == offer)
        living = update(invitation).where(mine, invitation.c.uses_left > 0, invitation.c.expires_at > now)
        return self._conn.execute(living.values(uses_left=invitation.c.uses_left - 1)).rowcount == 1

    def of(self, coach: str, now: int) -> list[InvitationRow]:
        """The coach's living invitations, soonest to expire first."""
        living = select(invitation).where(invitation.c.coach == coach, invitation.c.expires_at > now)
        rows = self._conn.execute(living.order_by(invitation.c.expires_at))
        return [InvitationRow(*row) for row in rows if row.uses_left > 0]

    def remove_expired(self, now: int) -> int:
        """Delete what no longer invites."""
        spent = (invitation.c.expires_at <= now) | (invitation.c.uses_left <= 0)
        return self._conn.execute(delete(invitation).where(spent)).rowcount
