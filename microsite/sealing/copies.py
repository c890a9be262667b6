"""The client's copy of the record, which only the first manage link opens. The coach's record is `records`."""

from ..core.people import Record
from ..core.people import Secret
from . import plaintext
from .ciphers import lock
from .ciphers import unlock
from .tokens import copy_key

PURPOSE = "copy/1"


def seal_copy(token: Secret, booking_id: str, record: Record) -> bytes:
    """The record for the holder of `token`; database and disk cannot open it, nor show it for another booking.

    The delivery envelope holds the first token until its letter is sent: so long the running server could.
    """
    return lock(copy_key(token), plaintext.write(record), PURPOSE, booking_id)


def open_copy(token: Secret, booking_id: str, sealed: bytes) -> Record:
    """The record; raises CannotOpen with any other token (those of later letters too) or booking."""
    return plaintext.read(unlock(copy_key(token), sealed, PURPOSE, booking_id))
