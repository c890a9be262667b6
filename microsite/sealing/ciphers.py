"""The only lines that call AES-256-GCM and HKDF-SHA256. The age format belongs to `records`, padding to `padding`.

Plain texts and keys travel as `SecretBytes`, so that no stack frame of this room ever holds one openly.
"""

import os

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ..core.people import SecretBytes
from ..errors import CannotOpen

KEY_BYTES = 32
NONCE_BYTES = 12


def new_key() -> SecretBytes:
    """A random 256-bit key."""
    return SecretBytes(os.urandom(KEY_BYTES))


def derive(secret: SecretBytes, purpose: str) -> SecretBytes:
    """A key for one purpose (HKDF, RFC 5869): whoever holds it learns neither the secret nor the key of another."""
    hkdf = HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=f"microsite/{purpose}".encode())
    return SecretBytes(hkdf.derive(secret.reveal()))


def lock(key: SecretBytes, text: SecretBytes, purpose: str, subject: str) -> bytes:
    """Nonce, ciphertext and tag; without the key nobody can read or change it, or use it for another subject."""
    nonce = os.urandom(NONCE_BYTES)
    return nonce + AESGCM(key.reveal()).encrypt(nonce, text.reveal(), _bound_to(purpose, subject))


def unlock(key: SecretBytes, box: bytes, purpose: str, subject: str) -> SecretBytes:
    """The padded text; raises CannotOpen for a wrong key, purpose or subject, and for a changed box."""
    nonce, sealed = box[:NONCE_BYTES], box[NONCE_BYTES:]
    try:
        return SecretBytes(AESGCM(key.reveal()).decrypt(nonce, sealed, _bound_to(purpose, subject)))
    except (InvalidTag, ValueError):  # ValueError: too short to hold a nonce
        raise CannotOpen("this box was made with another key or for another place, or it is damaged") from None


def _bound_to(purpose: str, subject: str) -> bytes:
    # Purposes are constants of this room without a zero byte, so two different pairs never give the same bytes.
    return f"microsite/{purpose}\0{subject}".encode()
