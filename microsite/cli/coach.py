"""Commands about one coach: opening a record in a terminal, a link to her desk, why a time is free or not."""

from datetime import UTC
from datetime import datetime
from pathlib import Path

import click

from microsite.core.people import Secret


@click.command(name="open")
@click.argument("ref")
@click.option(
    "--identity", "identity_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--coach", "slug", default="", help="The coach's slug, where there is more than one coach.")
def open_(ref: str, identity_file: Path, slug: str) -> None:
    """Show who booked under the reference REF, with the coach's own identity file."""
    from microsite.work.records import open_booking

    from . import services

    built = services()
    try:
        opened = open_booking(built, slug, ref, Secret(identity_file.read_text(encoding="utf-8")))
    finally:
        built.close()
    plain = opened.record.details.reveal()
    start = datetime.fromtimestamp(opened.booking.start, UTC).astimezone(opened.zone)
    lines = (
        f"{ref}  {start:%Y-%m-%d %H:%M %Z}  {opened.booking.state}",
        f"name:  {plain.name}",
        f"email: {plain.email}",
    )
    click.echo("\n".join((*lines, f"note:  {plain.note}")))


@click.command(name="desk-link")
@click.argument("slug")
@click.option("--revoke", is_flag=True, help="First let no session, passkey or earlier link open the desk any more.")
def desk_link(slug: str, revoke: bool) -> None:
    """Print a link that opens the coach's desk once, within 15 minutes. Records still open only with her key."""
    from microsite.work import signin
    from microsite.work.desk import new_link

    from . import services

    built = services()
    try:
        if revoke:
            signin.revoke(built, slug)
        token = new_link(built, slug)
        click.echo(f"{built.config.address}/desk/{token.reveal()}")
    finally:
        built.close()


COMMANDS = (open_, desk_link)
