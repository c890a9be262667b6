"""The inside of a backup: an ordinary tar archive, so that `age` and `tar` open it without us.

    manifest.json     format, moment, version, kind and shape of the database
    files/…           settings, server key, calendar collections
    database/…        site.db, or the parts of a pg_dump in its custom format
    SHA256SUMS        of all that came before, as `sha256sum -c` reads it

What goes in is `work.backup`'s decision, where it goes to `restoring`'s; sealing is `sealing.streams`'.
"""

import hashlib
import re
import tarfile
from collections.abc import Iterator
from io import BytesIO
from typing import BinaryIO

import msgspec

from microsite.errors import BackupError

FORMAT = 1
MANIFEST, SUMS = "manifest.json", "SHA256SUMS"
FILES, DATABASE = "files/", "database/"
NAME = re.compile(r"[^/\0]+(/[^/\0]+)*")
PIECE = 1024 * 1024
MOST_TEXT = 64 * 1024 * 1024
"""More than the manifest and the sums of any calendar need."""


class Manifest(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup says about itself; nothing about anybody. `made_at` is UTC seconds."""

    format: int
    made_at: int
    version: str
    address: str
    database: str
    shape: str


class Writer:
    """Adds members to an archive and keeps their sums. `written` is the size of the plain archive so far."""

    def __init__(self, stream: BinaryIO) -> None:
        self._counted = _Counted(stream)
        self._tar = tarfile.open(fileobj=self._counted, mode="w|", format=tarfile.PAX_FORMAT)  # type: ignore[call-overload]
        self._sums: list[str] = []
        self.names: list[str] = []

    @property
    def written(self) -> int:
        """Bytes of the archive before sealing."""
        return self._counted.bytes

    def add(self, name: str, content: bytes) -> None:
        """One member."""
        self._sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}\n")
        self.names.append(name)
        self._add(name, content)

    def close(self) -> None:
        """The sums, and the end of the archive."""
        self._add(SUMS, "".join(self._sums).encode())
        self._tar.close()

    def _add(self, name: str, content: bytes) -> None:
        info = tarfile.TarInfo(name)
        info.size, info.mode = len(content), 0o600
        self._tar.addfile(info, BytesIO(content))


class Member:
    """One member of an archive that is being read: its name, and its bytes, once."""

    def __init__(self, name: str, file: BinaryIO) -> None:
        self.name, self._file, self._digest = name, file, hashlib.sha256()

    def pieces(self) -> Iterator[bytes]:
        """The content in pieces."""
        while piece := self._file.read(PIECE):
            self._digest.update(piece)
            yield piece

    def text(self) -> bytes:
        """A small content at once; raises BackupError for a large one."""
        content = b""
        for piece in self.pieces():
            content += piece
            if len(content) > MOST_TEXT:
                raise BackupError(f"this backup is damaged: {self.name} is too large")
        return content

    def digest(self) -> str:
        """The SHA-256 of the whole content, whether it was asked for or not."""
        for _ in self.pieces():
            pass
        return self._digest.hexdigest()


def read(stream: BinaryIO) -> Iterator[Member]:
    """The members between the manifest and the sums, each while it is at hand.

    The first is the manifest. Whoever knows the public key can make a backup, so nothing in it is trusted: only plain
    files with plain relative names are passed on. Raises BackupError for anything else, and for content that changed.
    """
    sums: dict[str, str] = {}
    try:
        with tarfile.open(fileobj=stream, mode="r|") as tar:
            for info in tar:
                member = Member(info.name, _plain(tar, info))
                if info.name == SUMS:
                    _compare(member.text().decode(), sums)
                    return
                yield member
                sums[info.name] = member.digest()
    except (tarfile.TarError, UnicodeDecodeError, EOFError) as error:
        raise BackupError("this was opened, but it is no backup of this site, or it is damaged") from error
    raise BackupError("this backup ends too early: its list of sums is missing")


def manifest_of(member: Member) -> Manifest:
    """The manifest, which must come first; raises BackupError, also for the format of a later version."""
    try:
        if member.name != MANIFEST:
            raise msgspec.ValidationError("no manifest")
        manifest = msgspec.json.decode(member.text(), type=Manifest)
    except msgspec.DecodeError as error:
        raise BackupError("this was opened, but it is no backup of this site") from error
    if manifest.format > FORMAT:
        raise BackupError(f"this backup is of a later version ({manifest.version}): install that one, then restore")
    return manifest


def _plain(tar: tarfile.TarFile, info: tarfile.TarInfo) -> BinaryIO:
    parts = info.name.split("/")
    file = tar.extractfile(info) if info.isreg() else None
    if file is None or not NAME.fullmatch(info.name) or {".", ".."} & set(parts):
        raise BackupError("this backup holds something that no backup of this site has; it was not restored")
    return file  # type: ignore[return-value]


def _compare(text: str, sums: dict[str, str]) -> None:
    listed = {name: digest for digest, _, name in (line.partition("  ") for line in text.splitlines())}
    if listed != sums:
        raise BackupError("this backup is damaged: what is in it is not what was put into it")


class _Counted:
    def __init__(self, stream: BinaryIO) -> None:
        self._stream, self.bytes = stream, 0

    def write(self, data: bytes) -> int:
        self.bytes += len(data)
        return self._stream.write(data)
