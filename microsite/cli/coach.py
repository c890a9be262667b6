"""Commands about one coach: she is added, her settings travel as TOML, a record is opened, her desk is linked to."""

import sys
import tomllib
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import click

from microsite.core.people import Secret
from microsite.core.signs import cleaned
from microsite.errors import SettingsError

from . import acting

if TYPE_CHECKING:
    from microsite.services import Services

HEAD = "# The settings of «{slug}». After a change: microsite coach import {slug} THIS-FILE\n\n"


@click.group()
def coach() -> None:
    """The coaches of this site: add one, and let her settings travel as TOML."""


@coach.command(name="list")
def list_() -> None:
    """Say who is here, and whose page takes bookings."""
    from microsite.work.leave import everybody

    with acting() as services:
        for each in everybody(services):
            state = "takes bookings" if each.open else "takes none yet: she has not made her keys"
            click.echo(f"{each.slug}  {each.settings.name}  ({len(each.settings.offers)} offers; {state})")


@coach.command()
def add() -> None:
    """Add a coach: her name, her zone, her calendars. She makes her keys herself, at the desk that this links to."""
    from .init import ask_embedded
    from .init import ask_name
    from .init import ask_settings
    from .init import set_up

    with acting() as services:
        name, slug = ask_name()
        settings = ask_settings(name)
        embedded = services.config.file.calendars.embedded and ask_embedded()
        set_up(services, slug, settings, embedded)


@coach.command()
@click.argument("slug")
def remove(slug: str) -> None:
    """Erase a coach: settings, keys, past bookings, and her calendars on the built-in server. There is no way back."""
    from microsite.work.leave import remove as leave

    with acting() as services:
        if click.prompt(f"Everything of «{slug}» is erased. Type the name again") != slug:
            raise click.Abort
        leave(services, slug)
    click.echo(f"«{slug}» is gone. Events in calendars elsewhere stay as they are.")


@coach.command()
@click.argument("slug")
def export(slug: str) -> None:
    """Print the settings of a coach as TOML, those that were never changed included."""
    with acting() as services:
        click.echo(_toml(services, slug), nl=False)


@coach.command(name="import")
@click.argument("slug")
@click.argument("file", type=click.File("rb"))
def import_(slug: str, file: Any) -> None:
    """Put the settings in FILE (- for standard input) in the place of the coach's own, if every one of them is good."""
    with acting() as services:
        _save(services, slug, file.read().decode("utf-8", "replace"), file.name)
    click.echo(f"The settings of «{slug}» were replaced.")


@coach.command()
@click.argument("slug")
def edit(slug: str) -> None:
    """Open the settings of a coach in $EDITOR, and store what comes back once all of it is good."""
    with acting() as services:
        before = text = _toml(services, slug)
        while True:
            text = click.edit(text, extension=".toml") or text
            if text == before:
                click.echo("Nothing was changed.")
                return
            try:
                _save(services, slug, text, "the text you edited")
            except SettingsError as error:
                click.echo(f"Not stored: {error}", err=True)
                if not click.confirm("Go on editing? (No: your text is printed, and nothing is changed)", default=True):
                    click.echo(text)
                    sys.exit(1)
            else:
                click.echo(f"The settings of «{slug}» were replaced.")
                return


@coach.command()
@click.argument("slug")
@click.argument("picture", required=False, type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--save", type=click.Path(dir_okay=False, path_type=Path), help="Write the portrait there is to a file.")
@click.option("--remove", "taken_away", is_flag=True, help="Take the portrait away.")
def portrait(slug: str, picture: Path | None, save: Path | None, taken_away: bool) -> None:
    """Put PICTURE (JPEG, PNG or WebP) up as the coach's portrait. It travels by this command, not with the settings."""
    from microsite.work import portrait as work

    if sum(map(bool, (picture, save, taken_away))) != 1:
        raise click.UsageError("Name a picture, or --save FILE, or --remove.")
    with acting() as services:
        if picture:
            work.keep(services, slug, picture.read_bytes())
        elif save:
            save.write_bytes(work.of_coach(services, slug))
        else:
            work.take_away(services, slug)


def _toml(services: "Services", slug: str) -> str:
    import tomli_w

    from microsite.work.adjust import document
    from microsite.work.look import house

    whole = _without_nothing(document(house(services, slug).settings))
    return HEAD.format(slug=slug) + tomli_w.dumps(whole, multiline_strings=True)


def _without_nothing(value: Any) -> Any:
    """TOML has no word for nothing: what has no value is left out, which means the same."""
    if isinstance(value, dict):
        return {name: _without_nothing(each) for name, each in value.items() if each is not None}
    return [_without_nothing(each) for each in value] if isinstance(value, list) else value


def _save(services: "Services", slug: str, text: str, where: str) -> None:
    from microsite.work.adjust import save
    from microsite.work.look import house

    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise SettingsError(where, "the whole file", "something that is not TOML", str(error)) from error
    save(services, house(services, slug), document, where)


@click.command(name="open")
@click.argument("ref")
@click.option(
    "--identity", "identity_file", required=True, type=click.Path(exists=True, dir_okay=False, path_type=Path)
)
@click.option("--coach", "slug", default="", help="The coach's slug, where there is more than one coach.")
def open_(ref: str, identity_file: Path, slug: str) -> None:
    """Show who booked under the reference REF, with the coach's own identity file."""
    from microsite.work.records import open_booking

    with acting() as services:
        opened = open_booking(services, slug, ref, Secret(identity_file.read_text(encoding="utf-8")))
    plain = opened.record.details.reveal()
    start = datetime.fromtimestamp(opened.booking.start, UTC).astimezone(opened.zone)
    # What was sealed in a browser was checked by nobody: a terminal obeys control characters.
    lines = (
        f"{ref}  {start:%Y-%m-%d %H:%M %Z}  {opened.booking.state}",
        f"name:  {cleaned(plain.name)}",
        f"email: {cleaned(plain.email)}",
        f"note:  {cleaned(plain.note, lines=True)}",
    )
    click.echo("\n".join(lines))


@click.command(name="desk-link")
@click.argument("slug")
@click.option("--revoke", is_flag=True, help="First let no session, passkey or earlier link open the desk any more.")
def desk_link(slug: str, revoke: bool) -> None:
    """Print a link that opens the coach's desk once, within 15 minutes. Records still open only with her key."""
    from microsite.work import signin
    from microsite.work.desk import new_link

    with acting() as services:
        if revoke:
            signin.revoke(services, slug)
        token = new_link(services, slug)
        click.echo(f"{services.config.address}/desk/{token.reveal()}")


@coach.command()
@click.argument("slug")
@click.option("--language", type=click.Choice(["id", "en"]), help="The coach's own, if left out.")
def record(slug: str, language: str | None) -> None:
    """Print the record of processing activities of the coach SLUG; it names no client."""
    from microsite.work.record import record as write

    with acting() as services:
        click.echo(write(services, slug, language or ""), nl=False)


COMMANDS = (coach, open_, desk_link)
