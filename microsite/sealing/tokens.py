"""Tokens of manage links, and the two keys each gives. Which booking a token belongs to is kept by `store`.

A token is 256 random bits, so its image needs no slow hash, and comparing images needs no constant time: what a clock
could tell about the order of images says nothing about a token. A malformed token takes the same way as an unknown one.
"""

import secrets

from ..core.people import Secret
from ..core.people import SecretBytes
from .ciphers import KEY_BYTES
from .ciphers import derive


def new_token() -> Secret:
    """32 random bytes in URL-safe base64 (43 characters); kept nowhere but in the letter that carries it."""
    return Secret(secrets.token_urlsafe(KEY_BYTES))


def lookup(token: Secret) -> bytes:
    """The image under which the store keeps a token: the database gives nobody a link, nor the key of a copy."""
    return derive(_bytes(token), "link/lookup").reveal()


def copy_key(token: Secret) -> SecretBytes:
    """The key of the client's copy: independent of the look-up image, so the server at rest cannot make it."""
    return derive(_bytes(token), "link/copy")


def _bytes(token: Secret) -> SecretBytes:
    # A token comes from an address line: whatever it holds, lone surrogates too, must become an unknown image.
    return SecretBytes(token.reveal().encode("utf-8", "surrogatepass"))
