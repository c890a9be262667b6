"""The sealed challenge: who can open it holds the coach's key. What the answer opens is `work.signin`'s.

The text says what it is for and for which site, so that a browser (or a person with the `age` tool) can refuse to
answer for a text from elsewhere: nobody can use the desk to have something else opened.
"""

from collections.abc import Sequence

import pyrage

from ..core.people import Secret
from .records import recipients_of

PURPOSE = "microsite desk sign-in/1"


def seal_challenge(origin: str, nonce: Secret, recipients: Sequence[str]) -> bytes:
    """Three lines (purpose, origin, nonce) for the holder of any one of these keys; raises WrongKey for none."""
    return bytes(pyrage.encrypt(f"{PURPOSE}\n{origin}\n{nonce.reveal()}\n".encode(), recipients_of(recipients)))
