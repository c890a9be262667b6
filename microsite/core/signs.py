"""Characters that nobody types and everybody can be misled or broken by; what visitors and coaches write has none."""

import re
import unicodedata

BIDI = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""Marks that reorder what follows: they can make an address or a name read as another."""
BREAKS = frozenset("\u2028\u2029\ufffd\ufeff")
ADDRESS = re.compile(r"""[^\s@()<>\[\]:;,\\"]+@[^\s@()<>\[\]:;,\\"]+""")


def unsafe(text: str, lines: bool = False) -> bool:
    """Whether a text holds control characters, direction marks or (unless `lines`) line breaks."""
    return any(_refused(sign, lines) for sign in text)


def cleaned(text: str, lines: bool = False) -> str:
    """The text without what `unsafe` refuses; a line break that may not be there becomes a space."""
    kept = (sign for sign in text if not _refused(sign, lines) or sign in "\r\n\t")
    return "".join(sign if lines and sign in "\n\t" else " " if sign in "\r\n\t" else sign for sign in kept)


def like_an_address(text: str) -> bool:
    """Whether a text has the form of one plain mail address, without a name beside it."""
    return ADDRESS.fullmatch(text) is not None


def _refused(sign: str, lines: bool) -> bool:
    if lines and sign in "\n\t":
        return False
    return sign in BIDI or sign in BREAKS or unicodedata.category(sign) in {"Cc", "Cs"}
