"""Whole files sealed as they are written and opened as they are read (age): backups. What is in them is `archive`'s.

Nothing passes the disk on the way: the plain bytes run through a pipe, whose other end seals or opens in a thread.
"""

import os
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from contextlib import suppress
from typing import BinaryIO

import pyrage

from ..core.people import Secret
from ..errors import CannotOpen
from .records import identities_of
from .records import recipients_of

CHUNK = 64 * 1024
"""Bytes of plain text that age seals as one piece, with a tag of 16 bytes."""
TAG = NONCE = 16
MOST_HEADER = 64 * 1024
UNOPENED = "no identity at hand opens this file, or it is damaged or cut off"


@contextmanager
def sealed_into(file: BinaryIO, recipients: Sequence[str]) -> Iterator[BinaryIO]:
    """What is written to the stream is sealed into `file` for the holders of these keys; raises WrongKey, OSError."""
    keys, noting = recipients_of(recipients), _Noting(file)
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1, "seal") as pool, os.fdopen(writing, "wb") as stream:
        source = os.fdopen(reading, "rb")
        done = pool.submit(_then_close, source, lambda plain: pyrage.encrypt_io(plain, noting, keys))
        with _ended(done, stream, noting):
            yield stream
            stream.close()


@contextmanager
def opened_from(file: BinaryIO, identities: Sequence[Secret]) -> Iterator[BinaryIO]:
    """The plain bytes of a sealed file; raises WrongKey, or CannotOpen, at the latest when the stream is closed.

    Each piece is genuine when it is read; that the file is whole is certain only after the last one, so what the
    caller left is read to its end.
    """
    keys = identities_of(identities)
    reading, writing = os.pipe()
    with ThreadPoolExecutor(1, "open") as pool, os.fdopen(reading, "rb") as stream:
        target = os.fdopen(writing, "wb")
        noting = _Noting(target)
        done = pool.submit(_then_close, target, lambda _: pyrage.decrypt_io(file, noting, keys))
        with _ended(done, stream, noting):
            yield stream
            while stream.read(CHUNK):
                pass


def sealed_size(header: bytes, plain: int) -> tuple[int, int]:
    """(how large a sealed file of so many plain bytes is, for how many keys), from the bytes it begins with.

    Raises CannotOpen for a beginning that is not age's: so a backup can be checked without its key.
    """
    before, mark, rest = header[:MOST_HEADER].partition(b"\n--- ")
    end = rest.find(b"\n")
    if not (before.startswith(b"age-encryption.org/v1\n") and mark and end > 0):
        raise CannotOpen("this is no file that age sealed")
    pieces = max(1, -(-plain // CHUNK))
    return len(before) + len(mark) + end + 1 + NONCE + plain + TAG * pieces, before.count(b"\n-> X25519 ")


class _Noting:
    """A file that remembers why it could not be written: on its way through age the reason would be lost."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self.error: OSError | None = None

    def write(self, data: bytes) -> int:
        """Write, and note what went wrong."""
        try:
            return self._file.write(data)
        except OSError as error:
            self.error = error
            raise

    def flush(self) -> None:
        """Flush."""
        self._file.flush()


def _then_close(stream: BinaryIO, call: Callable[[BinaryIO], object]) -> None:
    with stream:
        call(stream)


@contextmanager
def _ended(done: "Future[None]", stream: BinaryIO, noting: _Noting) -> Iterator[None]:
    """Wait for the other side of the pipe. Where it failed, its reason is told, and not what that broke here."""
    try:
        yield
    except Exception:
        with suppress(BrokenPipeError):
            stream.close()
        _settle(done, noting, also=BrokenPipeError)
        raise
    _settle(done, noting)


def _settle(done: "Future[None]", noting: _Noting, also: type[OSError] | None = None) -> None:
    """Raise what the other side failed with, unless it was no more than that this side had left (`also`)."""
    error = done.exception()
    if error is None or (also and isinstance(noting.error or error, also)):
        return
    if noting.error is not None:
        raise noting.error
    if isinstance(error, pyrage.DecryptError | pyrage.EncryptError | OSError):
        raise CannotOpen(UNOPENED) from None
    raise error
