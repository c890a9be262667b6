"""The client record: sealed to the coach's age recipients (age-encryption.org/v1), which the server cannot open.

Its text is `plaintext`'s; what the server itself must read lies in `envelopes`. Any age tool opens a record without us.
"""

from collections.abc import Sequence

import pyrage
from pyrage import x25519

from ..core.people import Record
from ..core.people import Secret
from ..core.people import SecretBytes
from ..errors import CannotOpen
from ..errors import WrongKey
from . import plaintext

LARGEST = 8 * 1024
"""What a browser sends is at most so large: 500 characters of four bytes each, escaped and padded, need less."""
AROUND = 44 + 16 + 16
"""Bytes around the text of one chunk in an age file: the header's mark and line end, a nonce, the chunk's tag."""


def seal_record(record: Record, recipients: Sequence[str]) -> bytes:
    """The record for everybody in `recipients` (`age1…`) and nobody else; raises WrongKey for a bad or missing one.

    With database, disk and running server nobody opens it later; they see how many recipients it has, and its size in
    steps. Recipients are public: whoever can write to the database can put a record of their own in its place.
    """
    keys = recipients_of(recipients)
    # One expression: no plain text is ever a variable of a frame that could fail.
    return bytes(pyrage.encrypt(plaintext.write(record).reveal(), keys))


def open_record(sealed: bytes, identities: Sequence[Secret]) -> Record:
    """The record, with any one fitting identity; raises CannotOpen, or WrongKey for a malformed identity.

    For the coach's own terminal and for tests: the server holds no identity (the demo coach's excepted).
    """
    keys = [_identity(secret) for secret in identities]
    try:
        text = SecretBytes(pyrage.decrypt(sealed, keys))
    except pyrage.DecryptError:
        raise CannotOpen("no identity at hand opens this record, or it is damaged") from None
    return plaintext.read(text)


def new_identity() -> tuple[Secret, str]:
    """A new identity (`AGE-SECRET-KEY-1…`, shown to the coach once, never stored here) and its recipient (`age1…`)."""
    identity = x25519.Identity.generate()
    return Secret(str(identity)), str(identity.to_public())


def recipient_of(identity: Secret) -> str:
    """The recipient that belongs to an identity; raises WrongKey. It seals and cannot open: it may be public."""
    return str(_identity(identity).to_public())


def check_recipient(text: str) -> str:
    """The recipient without surrounding white space; raises WrongKey, which never repeats the text.

    People paste the identity by mistake: it must not end in a log or on an error page.
    """
    return str(_recipient(text.strip()))


def identities_in(file: Secret) -> list[Secret]:
    """The identities in the text of an identity file as `age-keygen` writes it: one a line, `#` for comments."""
    lines = (line.strip() for line in file.reveal().splitlines())
    return [Secret(line) for line in lines if line and not line.startswith("#")]


def recipients_of(texts: Sequence[str]) -> list[x25519.Recipient]:
    """The keys behind these recipients; raises WrongKey for a bad or missing one."""
    if not texts:
        raise WrongKey("nothing is sealed without at least one recipient")
    return [_recipient(text) for text in texts]


def identities_of(secrets: Sequence[Secret]) -> list[x25519.Identity]:
    """The identities in these texts; raises WrongKey for a bad or missing one."""
    if not secrets:
        raise WrongKey("nothing opens without at least one identity")
    return [_identity(secret) for secret in secrets]


def looks_sealed(sealed: bytes, recipients: int) -> bool:
    """Whether this is an age file for so many X25519 keys at least, of the size of a padded record.

    Nobody but the coach can tell what is in it, nor for whom it is. One of another size is refused: it would tell for
    as long as it is kept how much was written.
    """
    header, mark, rest = sealed.partition(b"\n--- ")
    return (
        bool(mark)
        and len(sealed) <= LARGEST
        and header.startswith(b"age-encryption.org/v1\n")
        and header.count(b"\n-> X25519 ") >= recipients
        and b"\n-> scrypt " not in header
        and len(rest) > AROUND
        and (len(rest) - AROUND) % plaintext.STEP == 0
    )


def _recipient(text: str) -> x25519.Recipient:
    try:
        return x25519.Recipient.from_str(text)
    except (pyrage.RecipientError, UnicodeEncodeError):
        raise WrongKey("this is no age recipient (age1…)") from None


def _identity(secret: Secret) -> x25519.Identity:
    try:
        return x25519.Identity.from_str(secret.reveal())
    except (pyrage.IdentityError, UnicodeEncodeError):
        raise WrongKey("this is no age identity (AGE-SECRET-KEY-1…)") from None
