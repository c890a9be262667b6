"""Passkeys, and the questions a sign-in has to answer. Sessions and one-time links are `links`."""

from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from .tables import challenge
from .tables import credential


class CredentialRow(NamedTuple):
    """A passkey: its public key, and a coach's identity wrapped to what only this passkey can say."""

    id: bytes
    coach: str
    public_key: bytes
    sign_count: int
    created_on: str
    key: str | None
    wrapped_identity: bytes | None


class Challenge(NamedTuple):
    """A question that was asked; `coach` is empty where the answer will tell who it is."""

    kind: str
    coach: str


class SignIns:
    """Answers questions about signing in, inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def ask(self, lookup: bytes, kind: str, coach: str, now: int, expires_at: int) -> None:
        """Note a question; those whose time is over are forgotten."""
        self._conn.execute(delete(challenge).where(challenge.c.expires_at <= now))
        values = {"lookup": lookup, "kind": kind, "coach": coach or None, "expires_at": expires_at}
        self._conn.execute(insert(challenge).values(values))

    def answer(self, lookup: bytes, kind: str, now: int) -> Challenge | None:
        """Use a question up; None where it was never asked, is answered already, or its time is over."""
        asked = select(challenge.c.kind, challenge.c.coach, challenge.c.expires_at)
        row = self._conn.execute(asked.where(challenge.c.lookup == lookup, challenge.c.kind == kind)).first()
        gone = self._conn.execute(delete(challenge).where(challenge.c.lookup == lookup, challenge.c.kind == kind))
        if row is None or gone.rowcount != 1 or row.expires_at <= now:
            return None
        return Challenge(row.kind, row.coach or "")

    def credential(self, credential_id: bytes) -> CredentialRow | None:
        """The passkey of that id."""
        row = self._conn.execute(select(credential).where(credential.c.id == credential_id)).first()
        return CredentialRow(*row) if row else None

    def credentials(self, coach: str) -> list[CredentialRow]:
        """A coach's passkeys, oldest first."""
        mine = select(credential).where(credential.c.coach == coach).order_by(credential.c.created_on, credential.c.id)
        return [CredentialRow(*row) for row in self._conn.execute(mine)]

    def add_credential(self, row: CredentialRow) -> None:
        """A new passkey."""
        self._conn.execute(insert(credential).values(row._asdict()))

    def count_on(self, credential_id: bytes, known: int, sign_count: int) -> bool:
        """Note a passkey's counter; False where another sign-in was quicker with it."""
        same = update(credential).where(credential.c.id == credential_id, credential.c.sign_count == known)
        return self._conn.execute(same.values(sign_count=sign_count)).rowcount == 1

    def wrap(self, coach: str, credential_id: bytes, key: str, wrapped: bytes) -> bool:
        """Keep a wrapped identity with its passkey; False where the passkey is not this coach's."""
        mine = update(credential).where(credential.c.id == credential_id, credential.c.coach == coach)
        return self._conn.execute(mine.values(key=key, wrapped_identity=wrapped)).rowcount == 1

    def unwrap_all(self, coach: str) -> None:
        """Forget what passkeys wrapped: the key it belonged to is retired."""
        self._conn.execute(
            update(credential).where(credential.c.coach == coach).values(key=None, wrapped_identity=None)
        )

    def remove_credential(self, coach: str, credential_id: bytes) -> bool:
        """Let a passkey open nothing any more."""
        mine = delete(credential).where(credential.c.id == credential_id, credential.c.coach == coach)
        return self._conn.execute(mine).rowcount == 1

    def forget_challenges(self) -> None:
        """Forget every question that was asked at a door."""
        self._conn.execute(delete(challenge))

    def revoke(self, coach: str) -> int:
        """Let none of the coach's passkeys open anything any more; answers how many there were."""
        self._conn.execute(delete(challenge).where(challenge.c.coach == coach))
        return self._conn.execute(delete(credential).where(credential.c.coach == coach)).rowcount
