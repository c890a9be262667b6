"""The server's own key: passwords it must use itself at rest, and keys for what the web signs. `files` holds the file.

Encrypting a password with a key that lies beside it protects a copied database, not a copied disk.
"""

from contextlib import suppress
from hmac import compare_digest
from hmac import digest
from pathlib import Path
from typing import Self

from ..core.people import Hidden
from ..core.people import Secret
from ..core.people import SecretBytes
from ..errors import CannotOpen
from ..errors import StartRefused
from . import files
from .ciphers import KEY_BYTES
from .ciphers import derive
from .ciphers import lock
from .ciphers import new_key
from .ciphers import unlock
from .padding import read_json
from .padding import write_json

PURPOSE = "secret/1"
STEP = 64
"""Sealed passwords tell their length only in steps of 64 bytes."""


class ServerKey(Hidden[tuple[SecretBytes, ...]]):
    """The key in use and, after it, those it replaced: the first seals and signs, every one opens and verifies."""

    __slots__ = ()

    @classmethod
    def from_text(cls, text: Secret) -> Self:
        """Reads one key a line, 64 hexadecimal digits each; raises StartRefused for anything else, or an example."""
        try:
            keys = [SecretBytes(bytes.fromhex(line)) for line in text.reveal().split()]
        except ValueError:
            keys = []
        if not keys or not all(_is_random(key.reveal()) for key in keys):
            raise StartRefused("the server key must be 64 random hexadecimal digits; make one: openssl rand -hex 32")
        return cls(tuple(keys))

    @classmethod
    def new(cls) -> Self:
        """A random key, for the first start."""
        return cls((new_key(),))

    def rotated(self) -> "ServerKey":
        """A random key in front of those there are; what they sealed still opens."""
        return ServerKey((new_key(), *self.reveal()))

    def newest(self, count: int) -> "ServerKey":
        """The key in use and at most so many minus one before it."""
        return ServerKey(self.reveal()[:count])

    def to_text(self) -> Secret:
        """The lines that `from_text` reads."""
        return Secret("\n".join(key.reveal().hex() for key in self.reveal()))

    def derive(self, purpose: str) -> SecretBytes:
        """The key for one purpose: whoever learns it learns neither the server key nor that of another purpose."""
        return self.derive_all(purpose)[0]

    def derive_all(self, purpose: str) -> tuple[SecretBytes, ...]:
        """The same from every key, the one in use first: for what must still be accepted after a rotation."""
        return tuple(derive(key, f"server/{purpose}") for key in self.reveal())

    def sign(self, purpose: str, message: bytes) -> bytes:
        """HMAC-SHA256 (32 bytes): without the server key nobody makes one, nor guesses a message from it."""
        return digest(self.derive(f"sign/{purpose}").reveal(), message, "sha256")

    def verifies(self, purpose: str, message: bytes, signature: bytes) -> bool:
        """Whether this or an earlier key signed the message; takes equally long for every wrong signature."""
        keys = self.derive_all(f"sign/{purpose}")
        return any(compare_digest(digest(key.reveal(), message, "sha256"), signature) for key in keys)

    def seal_secret(self, plain: Secret, purpose: str) -> bytes:
        """A password for the database: unreadable without the server key, and of no use in another row."""
        return lock(self.derive("secrets"), write_json(plain, STEP), PURPOSE, purpose)

    def open_secret(self, sealed: bytes, purpose: str) -> Secret:
        """The password; raises CannotOpen with another server key or for another purpose."""
        for key in self.derive_all("secrets"):
            try:
                return Secret(read_json(unlock(key, sealed, PURPOSE, purpose), str))
            except CannotOpen:
                continue
        raise CannotOpen("this password was sealed with another server key, or for another place")


class ServerKeyFile(ServerKey):
    """The same, read anew whenever its file changes: a rotation reaches the running site without a restart."""

    __slots__ = ("_keys", "_path", "_seen")

    def __init__(self, path: Path) -> None:
        super().__init__(())
        self._path, self._keys = path, ServerKey.from_text(files.read_secret(path))
        self._seen = _signs(path)

    def reveal(self) -> tuple[SecretBytes, ...]:
        """The keys as the file has them now; where it cannot be read, as it had them last."""
        with suppress(StartRefused, OSError):
            seen = _signs(self._path)
            if seen != self._seen:
                self._keys, self._seen = ServerKey.from_text(files.read_secret(self._path)), seen
        return self._keys.reveal()


def _signs(path: Path) -> tuple[int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns


def _is_random(key: bytes) -> bool:
    # No example in a guide has sixteen different bytes; a random key always does (fewer: one in 10^17).
    return len(key) == KEY_BYTES and len(set(key)) >= KEY_BYTES // 2
