"""`calendar add`: an account is searched for its calendars, and the coach says what each is for.

`init` asks the same questions. Nothing is stored before a calendar could really be read.
"""

from typing import TYPE_CHECKING

import click

from microsite.core.mirror import Found
from microsite.core.people import Secret
from microsite.errors import CalendarError

if TYPE_CHECKING:
    from microsite.services import Services

ROLES = {
    "hours": {"open"},
    "bookings": {"bookings", "busy"},
    "busy": {"busy"},
    "none": set[str](),
}
MEANINGS = "hours (my open hours), bookings (new sessions go here), busy (blocks time), none"


@click.group()
def calendar() -> None:
    """A coach's calendars."""


@calendar.command()
@click.argument("coach")
def add(coach: str) -> None:
    """Find the calendars of an account and use them for COACH."""
    from microsite.work.look import coach as find

    from . import services

    built = services()
    try:
        ask_calendars(built, find(built, coach).slug)
    finally:
        built.close()


@calendar.command(name="feed")
@click.argument("coach")
@click.argument("url")
def feed(coach: str, url: str) -> None:
    """Let a read-only ICS feed (webcal:// or https://) block time for COACH."""
    from microsite.work import setup

    from . import services

    built = services()
    try:
        setup.add_calendar(built, coach, url, "feed", {"feed", "busy"}, "", Secret(""))
    finally:
        built.close()
    click.echo("The feed can be read; its events block time from now on.")


def ask_calendars(services: "Services", slug: str) -> None:
    """Ask for accounts until there is a calendar for the bookings; every calendar found may be given a role."""
    while True:
        start = click.prompt("Your e-mail address, your provider's domain, or the address of a calendar")
        user = click.prompt("  user name", default=start if "@" in start else "", show_default=True)
        password = Secret(click.prompt("  app password", default="", show_default=False, hide_input=True))
        try:
            found = services.calendars.discover(start, user, password.reveal())
        except CalendarError as error:
            click.echo(f"  That did not work: {error}. Nothing was stored; please try again.")
            continue
        taken = [_use(services, slug, each, user, password) for each in found]
        if any("bookings" in roles for roles in taken):
            return
        click.echo("  One calendar must take the bookings. Please try again, or name another account.")


def _use(services: "Services", slug: str, found: Found, user: str, password: Secret) -> set[str]:
    from microsite.work import setup

    click.echo(f"\n  «{found.name}» ({found.url}){'' if found.writable else ', read-only'}")
    default = "busy" if "VEVENT" in found.components or not found.components else "none"
    role = click.prompt(
        f"    What is it for? {MEANINGS}", default=default, type=click.Choice(list(ROLES)), show_choices=False
    )
    if role == "bookings" and not found.writable:
        click.echo("    This calendar is read-only and cannot take bookings; it blocks time instead.")
        role = "busy"
    if not ROLES[role]:
        return set()
    try:
        setup.add_calendar(services, slug, found.url, found.name, ROLES[role], user, password)
    except CalendarError as error:
        click.echo(f"    It could not be read ({error}) and was left out.")
        return set()
    return ROLES[role]


COMMANDS = (calendar,)
