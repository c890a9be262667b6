"""JSON padded with white space: the form of everything before it is sealed. Sealing is `ciphers` and `records`.

White space after a value belongs to JSON (RFC 8259, section 2), so every reader of JSON undoes the padding.
"""

from typing import Any
from typing import TypeVar

import msgspec

from ..core.people import Hidden
from ..core.people import SecretBytes
from ..errors import CannotOpen

T = TypeVar("T")


def write_json(value: Hidden[Any], step: int) -> SecretBytes:
    """Canonical JSON with spaces and one line end up to a multiple of `step` bytes, which hides the length of the text.

    Raises ValueError, without the text, for half of a surrogate pair: forms take those out.
    """
    try:
        json = msgspec.json.encode(value.reveal(), order="sorted")
    except UnicodeEncodeError:  # it carries the whole text
        raise ValueError("half of a character cannot be sealed") from None
    size = -(-(len(json) + 1) // step) * step
    return SecretBytes(json.ljust(size - 1) + b"\n")


def read_json(text: SecretBytes, kind: type[T]) -> T:
    """The value in an opened text; raises CannotOpen, without the text, if it is no `kind` of a version known here."""
    try:
        return msgspec.json.decode(text.reveal(), type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise CannotOpen("this was opened, but it was written by something else or by a later version") from None
