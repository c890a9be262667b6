"""What a check of the doctor comes to."""

from typing import Literal
from typing import NamedTuple


class Finding(NamedTuple):
    """One check: `ok`, `look` (works, but see to it) or `wrong` (something will fail)."""

    verdict: Literal["ok", "look", "wrong"]
    what: str
    advice: str = ""
