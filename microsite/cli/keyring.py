"""`keyring move`: bring the day keys from this machine's folder into the key database that all machines share."""

import click


@click.group()
def keyring() -> None:
    """The keys of each day."""


@keyring.command()
def move() -> None:
    """Move the day keys from the instance folder into the key database (keyring.url)."""
    from microsite.work import machines

    from . import services

    built = services()
    try:
        moved = machines.move_day_keys(built)
    finally:
        built.close()
    click.echo(f"Moved: {moved} day key(s). Give every machine the same keyring.url, and start them again.")


COMMANDS = (keyring,)
