"""`rotate-keys`: another server key, or another key for backups. Day keys turn over by themselves, every day."""

from typing import TYPE_CHECKING

import click

from .backup import show_key

if TYPE_CHECKING:
    from microsite.work.rotate import Rotated


@click.command(name="rotate-keys")
@click.option("--backup-key", "for_backups", is_flag=True, help="Seal backups to another key, shown once.")
@click.option("--to", "recipient", default="", help="With --backup-key: seal to this age key instead of a new one.")
@click.option("--drop-earlier", is_flag=True, help="Take the server keys of before out of their file.")
def rotate_keys(for_backups: bool, recipient: str, drop_earlier: bool) -> None:
    """Make another server key, seal stored passwords anew, and say what changed. The site may run."""
    from microsite.work import backup
    from microsite.work import rotate
    from microsite.work import terms

    from . import services

    built = services()
    try:
        if for_backups:
            show_key(backup.new_key(built, recipient, replace=True))
            days = terms.promised_days(built)
            click.echo(
                f"Backups of before open with the key of before: keep it for the {days} days until they are gone."
            )
        elif drop_earlier:
            click.echo(
                f"{rotate.drop_earlier(built)} earlier server key(s) were dropped. What they signed holds no more."
            )
        else:
            _say(rotate.rotate(built))
    finally:
        built.close()


def _say(done: "Rotated") -> None:
    click.echo("The server has another key. A running site uses it already; other machines need a copy of server.key.")
    click.echo(
        f"{done.passwords} stored calendar password(s) were sealed anew; {done.pages} status page(s) have a second"
    )
    click.echo(
        f"address beside the one in files of before. {done.earlier} earlier key is kept for forms that are open now;"
    )
    click.echo("tomorrow: microsite rotate-keys --drop-earlier. Day keys and the coaches' keys were not touched.")
    for calendar in done.unreadable:
        click.echo(
            f"The password of «{calendar}» could not be opened by any key: enter it again (microsite calendar add)."
        )


COMMANDS = (rotate_keys,)
