"""The delivery envelope: what the server must read to send letters. Its keys, one a session day, are `keyring`'s."""

import msgspec

from ..core.people import Address
from ..core.people import Delivery
from ..core.people import Hidden
from ..core.people import Secret
from ..core.people import SecretBytes
from .ciphers import lock
from .ciphers import unlock
from .keyring import Keyring
from .padding import read_json
from .padding import write_json

PURPOSE = "delivery/1"
STEP = 192
"""One step holds a token, the longest zone name and an address of 90 characters; only a longer one shows itself."""


class _Written(msgspec.Struct, frozen=True, array_like=True):
    address: str
    language: str
    zone: str
    token: str
    reminders: tuple[int, ...] | None

    def __repr__(self) -> str:
        return "_Written(***)"


def seal_delivery(keyring: Keyring, day: str, booking_id: str, delivery: Delivery) -> bytes:
    """The envelope under the key of `day` (UTC date of the session's end, YYYY-MM-DD).

    The database alone cannot open it; database and key folder can, until the day's key is destroyed; afterwards
    nothing can, an old backup of the database included. It opens for this booking only.
    """
    return lock(keyring.get_or_create(day), _write(delivery), PURPOSE, booking_id)


def open_delivery(keyring: Keyring, day: str, booking_id: str, sealed: bytes) -> Delivery:
    """What was sealed; raises CannotOpen if the day's key is destroyed or the envelope is another booking's."""
    return _read(unlock(keyring.get(day), sealed, PURPOSE, booking_id))


def _write(delivery: Delivery) -> SecretBytes:
    token = delivery.first_token or Secret("")
    written = _Written(delivery.address.reveal(), delivery.language, delivery.zone, token.reveal(), delivery.reminders)
    return write_json(Hidden(written), STEP)


def _read(text: SecretBytes) -> Delivery:
    written = read_json(text, _Written)
    token = Secret(written.token) if written.token else None
    return Delivery(Address(written.address), written.language, written.zone, token, written.reminders)
