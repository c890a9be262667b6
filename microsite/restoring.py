"""A backup opened into an empty instance folder: before there are settings, services or a database.

What a backup holds is `archive`'s; what must be done with a house that is a day old, `work.restored`'s. Two files tell
how far it came: `restoring` while files are being written (nothing starts then), `restored.json` until all is settled.
"""

import os
import shutil
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

import msgspec
from sqlalchemy import make_url

from . import archive
from .archive import Manifest
from .archive import Member
from .config import Config
from .config import load_config
from .core.people import Secret
from .errors import BackupError
from .sealing import files
from .sealing import identities_in
from .sealing.streams import opened_from
from .services import RESTORING
from .services import Services
from .services import build
from .services import clock
from .store import snapshot
from .work import restored

RESTORED = "restored.json"
EXAMPLE = "config.example.toml"
SECRETS = "secrets"
OURS = ("config.toml", "server.key", "dav.htpasswd", "backup-recipients.txt", "dav/", f"{SECRETS}/")
"""What may lie below `files/`: any backup can be made by whoever knows the public key."""


def restore(environ: Mapping[str, str], file: Path, identity: Secret, now: Callable[[], int] = clock) -> Iterator[str]:
    """Restore into the empty instance folder and settle; says what was done, line by line.

    Raises BackupError, CannotOpen, WrongKey: then the folder is as empty as it was.
    """
    instance = Path(environ.get("MICROSITE_INSTANCE") or "instance").absolute()
    _must_be_empty(instance)
    files.make_folder(instance)
    marker = instance / RESTORING
    files.create_secret(marker, Secret("A restore is under way, or was ended before it was done."))
    try:
        manifest, config, notes = _unpack(environ, instance, file, identity)
        files.replace_secret(instance / RESTORED, Secret(msgspec.json.encode({"made_at": manifest.made_at}).decode()))
    except BaseException:
        _clear(instance)
        raise
    marker.unlink()
    files.sync_folder(instance)
    yield f"Restored into {instance}: the backup of {_moment(manifest.made_at)} of {manifest.address}."
    yield from notes
    services = build(config, now)
    try:
        yield from settle(services)
    finally:
        services.close()


def settle(services: Services) -> Iterator[str]:
    """Finish a restore that is not settled yet; says what was done. Nothing where there is none."""
    path = services.config.instance / RESTORED
    if not path.exists():
        return
    made_at = int(msgspec.json.decode(path.read_bytes())["made_at"])
    services.store.upgrade()
    done = restored.settle(services, made_at)
    path.unlink()
    files.sync_folder(path.parent)
    yield f"{done.purged} booking(s) whose time was over were purged; {restored.living(services)} hold their time."
    yield f"{done.letters} letter(s) that were waiting then were dropped, for they may have been sent since."
    yield f"{done.envelopes} address(es) for letters cannot be opened: day keys are in no backup. Those clients get no"
    yield "letters or reminders until they give their address again; the desk asks the coach to write to them."
    yield "Sessions at the desk have ended; passkeys that were removed since the backup work again: remove them again."
    yield "Bookings made after the backup are not known here. Their events stay in the calendar and block their time,"
    yield "unless the calendar is the built-in one, which came out of the same backup."
    yield "Once the calendars can be read, they decide about each coming booking; nobody is written to for that."


def check(file: Path, identity: Secret) -> Iterator[str]:
    """Open a backup and look whether all of it is whole, without writing anything. Raises as `restore` does."""
    counted, database = 0, b""
    with file.open("rb") as sealed, opened_from(sealed, identities_in(identity)) as stream:
        members = archive.read(stream)
        manifest = archive.manifest_of(next(members))
        for member in members:
            counted += 1
            if member.name == f"{archive.DATABASE}site.db":
                database = b"".join(member.pieces())
    if manifest.database == "sqlite" and (trouble := snapshot.check_in_memory(database)):
        raise BackupError(f"the backup opens, but the database in it is damaged: {trouble}")
    yield f"{file.name}: made {_moment(manifest.made_at)} of {manifest.address}, by version {manifest.version}."
    yield f"It opens with this key and is whole: {counted} files; {manifest.database}, shape {manifest.shape}."


def _unpack(
    environ: Mapping[str, str], instance: Path, file: Path, identity: Secret
) -> tuple[Manifest, Config, list[str]]:
    with file.open("rb") as sealed, opened_from(sealed, identities_in(identity)) as stream:
        members = archive.read(stream)
        manifest = archive.manifest_of(next(members))
        first = _write_files(instance, members)
        notes = _find_secrets(environ, instance)
        config = load_config(environ, instance)
        _write_database(config, manifest, first, members)
    return manifest, config, notes


def _write_files(instance: Path, members: Iterator[Member]) -> Member:
    """Settings, keys and calendars; answers the first part of the database, which comes after them."""
    for member in members:
        kind, _, name = member.name.partition("/")
        if f"{kind}/" == archive.DATABASE:
            return member
        if f"{kind}/" != archive.FILES or not any(name == each or name.startswith(each) for each in OURS):
            raise BackupError("this backup holds something that no backup of this site has; it was not restored")
        path = instance / name
        for folder in [*reversed(path.relative_to(instance).parents)][1:]:
            (instance / folder).mkdir(mode=0o700, exist_ok=True)
        with _new(path) as target:
            for piece in member.pieces():
                target.write(piece)
    raise BackupError("this backup holds no database")


def _write_database(config: Config, manifest: Manifest, first: Member, rest: Iterator[Member]) -> None:
    url = make_url(config.database_url)
    if url.get_backend_name() != manifest.database:
        raise BackupError(
            f"the backup holds a {manifest.database} database and the settings name {url.get_backend_name()}:"
            " set database.url (or MICROSITE_DATABASE_URL) to one of the same kind"
        )
    if manifest.database == "sqlite":
        path = Path(url.database or "")
        with _new(path) as target:
            for piece in _pieces(first, rest):
                target.write(piece)
        if trouble := snapshot.check_sqlite(path):
            raise BackupError(f"the database in the backup is damaged: {trouble}")
        return
    snapshot.must_be_empty(config.database_url)
    snapshot.load_postgres(config.database_url, _pieces(first, rest))


def _pieces(first: Member, rest: Iterable[Member]) -> Iterator[bytes]:
    """The database to its last byte, and the sums of everything compared, before the last piece is let go."""
    yield from first.pieces()
    for member in rest:
        if not member.name.startswith(archive.DATABASE):
            raise BackupError("this backup holds something that no backup of this site has; it was not restored")
        yield from member.pieces()


def _find_secrets(environ: Mapping[str, str], instance: Path) -> list[str]:
    """Let the settings find a secret that came from a file of the old machine; say so for one that came otherwise."""
    notes, config = [], instance / "config.toml"
    for path in sorted((instance / SECRETS).glob("*")):
        text = config.read_text(encoding="utf-8") if config.exists() else ""
        named = _named_file(text, path.name)
        if named and Path(named).is_file():
            continue
        if named and f'"{named}"' in text:
            files.replace_secret(config, Secret(text.replace(f'"{named}"', f'"{path}"')))
            notes.append(f"{named} is not on this machine: the secret is in {path} now, and the settings name that.")
        elif not environ.get("CREDENTIALS_DIRECTORY"):
            notes.append(
                f"The «{path.name}» secret came from outside the settings: it lies in {path}; set it up again."
            )
    return notes


def _named_file(text: str, name: str) -> str:
    import tomllib

    document = tomllib.loads(text)
    fields = {"mail-password": "mail.password_file", "google-secret": "google.client_secret_file"}
    field = (fields | {"server-key": "site.server_key_file"}).get(name, ".").split(".")
    return str(document.get(field[0], {}).get(field[1], ""))


def _must_be_empty(instance: Path) -> None:
    if not instance.exists():
        return
    there = {path.name for path in instance.iterdir()} - {EXAMPLE}
    if RESTORING in there:
        raise BackupError(f"an earlier restore into {instance} was ended: empty that folder, then restore again")
    if there:
        raise BackupError(f"{instance} is not empty and nothing was changed: move it away, then restore again")
    instance.chmod(0o700)


def _clear(instance: Path) -> None:
    """Take away what this restore has made: the folder was empty before."""
    for path in instance.iterdir():
        if path.name == EXAMPLE:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()


def _new(path: Path) -> BinaryIO:
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600), "wb")
    except FileExistsError:
        raise BackupError(f"{path} is there already, and restore puts nothing in the place of anything") from None


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
