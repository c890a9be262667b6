"""Files that hold secrets: made whole or not at all, for their owner only, and refused when others can read them.

Which files there are, and where a secret is looked for first, is `config`'s. Refusals name the command that mends them.
"""

import fcntl
import os
import secrets
import shlex
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path

from ..core.people import Secret
from ..core.people import SecretBytes
from ..errors import StartRefused

EXAMPLES = frozenset({"", "changeme", "change-me", "change me", "dev", "example", "password", "secret", "xxx"})
"""Values that stand in guides and example files; none of them is a secret."""
MAKE_ONE = "openssl rand -hex 32"


def make_folder(folder: Path) -> None:
    """A folder of mode 0700, made or found; raises StartRefused if others can look into the one that is there."""
    try:
        folder.mkdir(mode=0o700)
    except FileNotFoundError:
        raise StartRefused(f"{folder.parent} is not there: mkdir -p {_quoted(folder.parent)}") from None
    except FileExistsError:
        if not folder.is_dir():
            old = folder.with_name(folder.name + ".old")
            raise StartRefused(f"{folder} must be a folder: mv {_quoted(folder)} {_quoted(old)}") from None
        _refuse_if_open(folder, folder.stat(), others_may=0, mend="chmod 700")


def create_secret(path: Path, secret: Secret) -> None:
    """A new file of mode 0600 with the secret on one line; raises FileExistsError rather than replace one."""
    create(path, SecretBytes(secret.reveal().encode() + b"\n"))


def replace_secret(path: Path, secret: Secret) -> None:
    """The same for a file that may be there: after a crash it holds the old secret or the new one, whole."""
    new = _written_beside(path, SecretBytes(secret.reveal().encode() + b"\n"))
    new.replace(path)
    sync_folder(path.parent)


def read_secret(path: Path, *, group_may_read: bool = False) -> Secret:
    """The secret without its line end; raises StartRefused if it is missing, an example, or others can read the file.

    `group_may_read` is for systemd credentials, whose access list shows in the mode as a right of the group.
    """
    try:
        with path.open("rb") as file:
            _refuse_if_open(path, os.fstat(file.fileno()), others_may=0o040 if group_may_read else 0, mend="chmod 600")
            secret = Secret(file.read().decode().rstrip("\r\n"))
    except FileNotFoundError:
        raise StartRefused(
            f"the secret file {path} is missing; restore it from the backup of the server's key"
        ) from None
    except PermissionError:
        raise StartRefused(f"{path} cannot be read; take it over: chown {os.geteuid()} {_quoted(path)}") from None
    except UnicodeDecodeError:
        raise StartRefused(f"the secret file {path} is not text; restore it from the backup") from None
    if secret.reveal().strip().lower() in EXAMPLES:
        raise StartRefused(f"{path} holds an example, no secret; write a real one: {MAKE_ONE} > {_quoted(path)}")
    return secret


def create(path: Path, content: SecretBytes) -> None:
    """A new file of mode 0600, on the disk when this returns; raises FileExistsError if there is one.

    Of any number of threads and processes one wins, and nobody ever sees a file that is half written.
    """
    new = _written_beside(path, content)
    try:
        os.link(new, path)
    finally:
        new.unlink()
    sync_folder(path.parent)


def destroy(path: Path) -> None:
    """The file overwritten, then removed. Copies made by a snapshot, or by the disk itself, are out of reach."""
    with suppress(FileNotFoundError):  # it is gone already, or somebody else was faster
        with path.open("r+b") as file:
            file.write(os.urandom(os.fstat(file.fileno()).st_size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()
    sync_folder(path.parent)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """While this lasts no other process that asks for the same folder goes on."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
    finally:
        os.close(handle)


def sync_folder(folder: Path) -> None:
    """The folder's list of names on the disk, so that a crash brings no removed file back and loses no new one."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _written_beside(path: Path, content: SecretBytes) -> Path:
    new = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with open(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(content.reveal())
            file.flush()
            os.fsync(file.fileno())
    except OSError:
        new.unlink(missing_ok=True)  # a full disk leaves no half of a secret behind
        raise
    return new


def _refuse_if_open(path: Path, found: os.stat_result, *, others_may: int, mend: str) -> None:
    if found.st_mode & 0o077 & ~others_may:
        mode = stat.S_IMODE(found.st_mode)
        raise StartRefused(f"others can read {path} (mode {mode:04o}); close it: {mend} {_quoted(path)}")
    if found.st_uid not in (os.geteuid(), 0):
        raise StartRefused(f"{path} belongs to another user; take it over: chown {os.geteuid()} {_quoted(path)}")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))
