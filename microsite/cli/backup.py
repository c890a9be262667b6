"""`backup`, `backup-key` and `restore`: a sealed copy of the whole site, and the way back from it."""

from pathlib import Path
from typing import TextIO

import click

from microsite.errors import SettingsError

KEPT_ELSEWHERE = (
    "\nThe backup key. It is shown this once and kept nowhere here: without it no backup opens. Write it down, or put\n"
    "it into a password manager on another machine than this one.\n\n    {identity}\n"
)


@click.command()
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="The folder to write into.")
@click.option("--keep", "keep_days", type=click.IntRange(1, 365), help="Delete backups older than so many days.")
def backup(folder: Path | None, keep_days: int | None) -> None:
    """Write a sealed backup while the site runs, read it back, then delete old ones."""
    from microsite.work.backup import make

    from . import services

    built = services()
    try:
        named = folder or (Path(built.config.file.backup.folder) if built.config.file.backup.folder else None)
        if named is None:
            raise SettingsError("backup", "--to", "nothing", "a folder, best on another disk (or backup.folder)")
        made = make(built, named, keep_days or 0)
    finally:
        built.close()
    click.echo(
        f"{made.path}: {made.size:,} bytes, {made.members} files, sealed to {made.keys} key(s), read back whole."
    )
    if made.deleted:
        click.echo(f"{made.deleted} older backup(s) were deleted.")


@click.command(name="backup-key")
@click.argument("recipient", default="")
def backup_key(recipient: str) -> None:
    """Make the key that backups are sealed to, and show its secret half once; or seal to the age key RECIPIENT."""
    from microsite.work.backup import new_key

    from . import services

    built = services()
    try:
        show_key(new_key(built, recipient))
    finally:
        built.close()


def show_key(identity: object) -> None:
    """Show the secret half of a backup key, where it was made here."""
    from microsite.core.people import Secret

    if isinstance(identity, Secret):
        click.echo(KEPT_ELSEWHERE.format(identity=identity.reveal()))
    else:
        click.echo("Backups are sealed to that key from now on.")


@click.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--identity", "identity_file", required=True, type=click.File("r"), help="A file with the backup key; - reads it."
)
@click.option("--check", is_flag=True, help="Only open it and look whether it is whole; nothing is written anywhere.")
def restore(file: Path, identity_file: TextIO, check: bool) -> None:
    """Restore the backup FILE into the instance folder, which must be empty or absent."""
    import os

    from microsite import restoring
    from microsite.core.people import Secret

    os.umask(0o077)
    identity = Secret(identity_file.read())
    for line in restoring.check(file, identity) if check else restoring.restore(os.environ, file, identity):
        click.echo(line)


COMMANDS = (backup, backup_key, restore)
