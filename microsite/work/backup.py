"""A backup: database, settings, server key and embedded calendars in one sealed file, taken while the site runs.

It holds the state of one moment, as a loss of power would leave it, and that is a state the site goes on from. Never in
it: day keys (a copy of them would undo their destruction), the demo's letters, its welcome and its key.
"""

import hashlib
import os
import re
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import suppress
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version
from pathlib import Path
from typing import BinaryIO
from typing import NamedTuple

import msgspec

from microsite import archive
from microsite.core.people import Secret
from microsite.errors import BackupError
from microsite.errors import SettingsError
from microsite.services import Services
from microsite.services import files

from .terms import promised_days

RECIPIENTS = "backup-recipients.txt"
"""Beside the settings: the public keys that backups are sealed to, one a line; `age -R` reads it."""
NAME = "microsite-{:%Y%m%dT%H%M%SZ}.tar.age"
NAMED = re.compile(r"microsite-(\d{8}T\d{6}Z)\.tar\.age")
PART = ".part"
KEPT = ("config.toml", "server.key", "dav.htpasswd", RECIPIENTS)
"""Of the instance folder, besides the calendars; what is not named here is in no backup."""
HEADER = "# Backups of this site are sealed to these keys. The secret keys are nowhere on this machine.\n"
NO_KEY = "there is no backup key yet: microsite backup-key makes one and shows its secret half once"


class Made(NamedTuple):
    """A backup that was written and read back, and how many old ones were deleted."""

    path: Path
    size: int
    members: int
    keys: int
    deleted: int


def make(services: Services, folder: Path, keep_days: int = 0) -> Made:
    """Write a backup into the folder, read it back, then delete those older than `keep_days` (0: as promised).

    Raises BackupError, StoreUnreadable, WrongKey, OSError: then nothing is left behind and older ones are kept.
    """
    keep = _kept_for(services, keep_days)
    recipients = read_recipients(services)
    if not recipients:
        raise BackupError(f"nothing was written: {NO_KEY}")
    now = datetime.fromtimestamp(services.clock(), UTC)
    path = folder / NAME.format(now)
    part = path.with_name(path.name + PART)
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        with _new(part) as file:
            hashing = _Hashing(file)
            with services.sealer.sealed_into(hashing, recipients) as stream:  # type: ignore[arg-type]
                writer = _write(services, stream, int(now.timestamp()))
            file.flush()
            os.fsync(file.fileno())
        _check(services, part, hashing, writer, len(recipients))
        # No link, which a memory stick may not know; a backup of the same second would be the same backup.
        part.rename(path)
    except OSError as error:
        raise BackupError(f"no backup was written into {folder}, older ones were kept: {error.strerror}") from error
    finally:
        with suppress(FileNotFoundError):
            part.unlink()
    files.sync_folder(folder)
    deleted = delete_old(folder, now - timedelta(days=keep))
    return Made(path, path.stat().st_size, len(writer.names), len(recipients), deleted)


def delete_old(folder: Path, before: datetime) -> int:
    """Delete the backups in the folder that are older, and unfinished ones; nothing that is not named as ours."""
    deleted = 0
    for path in sorted(folder.iterdir()):
        named = NAMED.fullmatch(path.name.removesuffix(PART))
        if named and datetime.strptime(named[1] + "+0000", "%Y%m%dT%H%M%SZ%z") < before:
            path.unlink()
            deleted += not path.name.endswith(PART)
    return deleted


def read_recipients(services: Services) -> list[str]:
    """The public keys that backups are sealed to; raises WrongKey for a line that is none."""
    path = services.config.instance / RECIPIENTS
    if not path.exists():
        return []
    return [services.sealer.check_recipient(line) for line in _lines(path.read_text(encoding="utf-8"))]


def new_key(services: Services, given: str = "", replace: bool = False) -> Secret | None:
    """Seal backups to a key from now on: a new one, whose secret half is answered and kept nowhere, or a given one.

    Raises BackupError where there is a key already and it is not to be replaced, WrongKey for what is no public key.
    """
    path = services.config.instance / RECIPIENTS
    if path.exists() and not replace:
        raise BackupError("there is a backup key already; microsite rotate-keys --backup-key puts another in its place")
    identity, recipient = (None, services.sealer.check_recipient(given)) if given else services.sealer.new_identity()
    files.replace_secret(path, Secret(f"{HEADER}{recipient}"))
    return identity


def _kept_for(services: Services, asked: int) -> int:
    promised = promised_days(services)
    if asked > promised:
        allowed = f"at most {promised}: the privacy page says so (backup.keep_days in config.toml)"
        raise SettingsError("backup", "--keep", f"{asked} days", allowed)
    return asked or promised


def _write(services: Services, stream: BinaryIO, now: int) -> archive.Writer:
    """The archive. Calendars stand still until they and the view of the database are taken: both tell of one moment."""
    config = services.config
    writer = archive.Writer(stream)
    with ExitStack() as taken:
        with services.calendars.held_still(config.dav_folder):
            parts = taken.enter_context(services.store.snapshot())
            writer.add(archive.MANIFEST, msgspec.json.format(msgspec.json.encode(_manifest(services, now)), indent=2))
            for name, content in _files(services):
                writer.add(f"{archive.FILES}{name}", content)
        for part in parts:
            writer.add(f"{archive.DATABASE}{part.name}", part.content)
    writer.close()
    return writer


def _manifest(services: Services, now: int) -> archive.Manifest:
    try:
        ours = version("microsite")
    except PackageNotFoundError:  # run from its folder, as `make run` does
        ours = "unreleased"
    return archive.Manifest(
        format=archive.FORMAT,
        made_at=now,
        version=ours,
        address=services.config.address,
        database="sqlite" if services.store.sqlite else "postgresql",
        shape=services.store.shape(),
    )


def _files(services: Services) -> Iterator[tuple[str, bytes]]:
    config = services.config
    for name in KEPT:
        with suppress(FileNotFoundError):
            yield name, (config.instance / name).read_bytes()
    # What no file of the backup holds yet.
    for name, secret in config.secrets_elsewhere.items():
        yield f"secrets/{name}", secret.reveal().encode()
    for path in _collections(config.dav_folder):
        yield f"dav/{path.relative_to(config.dav_folder).as_posix()}", path.read_bytes()


def _collections(folder: Path) -> Iterator[Path]:
    """The files of the embedded calendars, without what Radicale makes anew by itself."""
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder).parts
        if path.is_file() and not path.is_symlink() and not {".Radicale.cache", ".Radicale.lock"} & set(inside):
            yield path


def _check(services: Services, path: Path, hashing: "_Hashing", writer: archive.Writer, keys: int) -> None:
    """Read back from the disk what was written: the same bytes, of just the size of what was put in, for our keys."""
    read = hashlib.sha256()
    with path.open("rb") as file:
        if hasattr(os, "posix_fadvise"):  # from the disk, not from memory
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        header = file.read(64 * 1024)
        read.update(header)
        while piece := file.read(archive.PIECE):
            read.update(piece)
        size = file.tell()
    expected = services.sealer.sealed_size(header, writer.written)
    if read.digest() != hashing.digest() or expected != (size, keys):
        raise BackupError("the backup came back from the disk damaged and was deleted; older ones were kept")


def _new(path: Path) -> BinaryIO:
    with suppress(FileNotFoundError):
        path.unlink()
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _lines(text: str) -> list[str]:
    stripped = (line.strip() for line in text.splitlines())
    return [line for line in stripped if line and not line.startswith("#")]


class _Hashing:
    """A file that knows the sum of what was written to it."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def write(self, data: bytes) -> int:
        self._digest.update(data)
        return self._file.write(data)

    def flush(self) -> None:
        self._file.flush()

    def digest(self) -> bytes:
        return self._digest.digest()
