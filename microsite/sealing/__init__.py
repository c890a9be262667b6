"""Sealing: who can open what, and until when. Reviewed line by line. Where the sealed bytes are kept is `store`'s.

| part     | opens for                | until                                   | module      |
|----------|--------------------------|-----------------------------------------|-------------|
| record   | the coach                | the row is purged or erased             | `records`   |
| copy     | the first manage link    | the row is purged or erased             | `copies`    |
| delivery | the running server       | its day's key is destroyed              | `envelopes` |
| password | the running server       | the server key is taken out of its file | `server`    |

`services` builds one `Sealer`; the rest of the house uses nothing else of this room. What needs none of the server's
keys (making and checking a coach's own) stands beside it as functions.
"""

from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import BinaryIO

from ..core.people import Delivery
from ..core.people import Record
from ..core.people import Secret
from ..core.people import SecretBytes
from ..errors import CannotOpen
from . import challenges
from . import copies
from . import envelopes
from . import records
from . import streams
from . import tokens
from .ciphers import new_key
from .keyring import FolderKeyring
from .keyring import Keyring
from .keyring import day_of
from .records import check_recipient
from .records import identities_in
from .records import new_identity
from .records import recipient_of
from .server import ServerKey
from .server import ServerKeyFile

__all__ = [
    "FolderKeyring",
    "Keyring",
    "Sealer",
    "ServerKey",
    "ServerKeyFile",
    "check_recipient",
    "identities_in",
    "new_identity",
    "new_key",
    "recipient_of",
]


@dataclass(frozen=True, slots=True)
class Sealer:
    """Every sealing and opening the site does, with the server's own keys at hand; what each is worth is told there."""

    server_key: ServerKey
    keyring: Keyring

    def seal_record(self, record: Record, recipients: Sequence[str]) -> bytes:
        """See `records.seal_record`."""
        return records.seal_record(record, recipients)

    def open_record(self, sealed: bytes, identities: Sequence[Secret]) -> Record:
        """See `records.open_record`: with identities that the caller was handed, for the server has none."""
        return records.open_record(sealed, identities)

    def sealed_into(self, file: BinaryIO, recipients: Sequence[str]) -> AbstractContextManager[BinaryIO]:
        """See `streams.sealed_into`."""
        return streams.sealed_into(file, recipients)

    def sealed_size(self, header: bytes, plain: int) -> tuple[int, int]:
        """See `streams.sealed_size`."""
        return streams.sealed_size(header, plain)

    def seal_challenge(self, origin: str, nonce: Secret, recipients: Sequence[str]) -> bytes:
        """See `challenges.seal_challenge`."""
        return challenges.seal_challenge(origin, nonce, recipients)

    def looks_sealed(self, sealed: bytes, recipients: int) -> bool:
        """See `records.looks_sealed`."""
        return records.looks_sealed(sealed, recipients)

    def check_recipient(self, text: str) -> str:
        """See `records.check_recipient`."""
        return records.check_recipient(text)

    def new_identity(self) -> tuple[Secret, str]:
        """See `records.new_identity`."""
        return records.new_identity()

    def identities_in(self, file: Secret) -> list[Secret]:
        """See `records.identities_in`."""
        return records.identities_in(file)

    def seal_copy(self, token: Secret, booking_id: str, record: Record) -> bytes:
        """See `copies.seal_copy`."""
        return copies.seal_copy(token, booking_id, record)

    def open_copy(self, token: Secret, booking_id: str, sealed: bytes) -> Record:
        """See `copies.open_copy`."""
        return copies.open_copy(token, booking_id, sealed)

    def seal_delivery(self, day: str, booking_id: str, delivery: Delivery) -> bytes:
        """See `envelopes.seal_delivery`."""
        return envelopes.seal_delivery(self.keyring, day, booking_id, delivery)

    def open_delivery(self, day: str, booking_id: str, sealed: bytes) -> Delivery:
        """See `envelopes.open_delivery`."""
        return envelopes.open_delivery(self.keyring, day, booking_id, sealed)

    def delivery_day(self, end: int) -> str:
        """The day whose key seals the delivery envelope of a session that ends at `end` (UTC seconds)."""
        return day_of(end)

    def key_days(self) -> list[str]:
        """The days whose envelopes can be opened, oldest first."""
        return self.keyring.days()

    def key_doubts(self) -> tuple[str, ...]:
        """See `keyring.Keyring.doubts`."""
        return self.keyring.doubts()

    def marks(self) -> list[str]:
        """A name of each server key, the one in use first: tells whether two machines have the same, nothing else."""
        return [key.reveal().hex()[:16] for key in self.server_key.derive_all("mark")]

    def damaged_days(self) -> list[str]:
        """The days whose key is there but opens nothing: a file that was cut short."""
        return [day for day in self.keyring.days() if not self._usable(day)]

    def _usable(self, day: str) -> bool:
        try:
            self.keyring.get(day)
        except CannotOpen:
            return False
        return True

    def destroy_day(self, day: str) -> None:
        """See `keyring.Keyring.destroy`."""
        self.keyring.destroy(day)

    def new_token(self) -> Secret:
        """See `tokens.new_token`."""
        return tokens.new_token()

    def lookup(self, token: Secret) -> bytes:
        """See `tokens.lookup`."""
        return tokens.lookup(token)

    def seal_secret(self, plain: Secret, purpose: str) -> bytes:
        """See `server.ServerKey.seal_secret`."""
        return self.server_key.seal_secret(plain, purpose)

    def open_secret(self, sealed: bytes, purpose: str) -> Secret:
        """See `server.ServerKey.open_secret`."""
        return self.server_key.open_secret(sealed, purpose)

    def sign(self, purpose: str, message: bytes) -> bytes:
        """See `server.ServerKey.sign`."""
        return self.server_key.sign(purpose, message)

    def verifies(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """See `server.ServerKey.verifies`."""
        return self.server_key.verifies(purpose, message, signature)

    def form_keys(self) -> tuple[SecretBytes, ...]:
        """The keys for the tokens of forms, the one in use first."""
        return self.server_key.derive_all("form")

    def session_keys(self) -> tuple[SecretBytes, ...]:
        """The keys for signed cookies, the one in use first."""
        return self.server_key.derive_all("session")
