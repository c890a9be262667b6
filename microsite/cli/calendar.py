"""`calendar add` and `connect`: an account is searched for its calendars, and the coach says what each is for.

`init` asks the same questions. Nothing is stored before a calendar could really be read.
"""

from typing import TYPE_CHECKING
from typing import NamedTuple
from urllib.parse import quote

import click

from microsite.core.mirror import Found
from microsite.core.people import Secret
from microsite.errors import CalendarError
from microsite.errors import NotPossibleNow

from . import acting

if TYPE_CHECKING:
    from microsite.services import Services
    from microsite.work.accounts import Listed

ROLES = {
    "hours": {"open"},
    "bookings": {"bookings", "busy"},
    "busy": {"busy"},
    "none": set[str](),
}
MEANINGS = "hours (my open hours), bookings (new sessions go here), busy (blocks time), none"


class Login(NamedTuple):
    """How an account is entered: a password, or with a `profile` the lasting permission of that provider."""

    user: str
    secret: Secret
    profile: str = ""


@click.group()
def calendar() -> None:
    """A coach's calendars."""


@calendar.command(name="list")
@click.argument("coach")
def list_(coach: str) -> None:
    """Say which calendars COACH has, what each is for, and how it is."""
    from microsite.work import accounts

    with acting() as built:
        for each in accounts.listed(built, coach):
            state = "answers" if each.well else "does not answer" if each.read else "not read yet"
            click.echo(f"{each.id}  {each.word}  «{each.name}»  {each.url}  ({state})")


@calendar.command()
@click.argument("coach")
@click.argument("calendar_id")
def password(coach: str, calendar_id: str) -> None:
    """Give a new (app) password of the account of CALENDAR_ID; it is tried before the old one goes."""
    from microsite.work import accounts

    with acting() as built:
        given = Secret(click.prompt("The new app password", hide_input=True))
        count = accounts.new_password(built, coach, calendar_id, given)
    click.echo(f"The server lets us in; {count} calendar(s) of this account use the new password from now on.")


@calendar.command(name="app-password")
@click.argument("coach")
def app_password(coach: str) -> None:
    """Print a new password for COACH's calendar apps on the built-in server; the old one ends."""
    from microsite.work import accounts

    with acting() as built:
        made = accounts.new_embedded_password(built, coach)
        click.echo(f"Calendar app: {built.config.address}/dav/  user {coach}  password {made.reveal()}")


@calendar.command(name="use-for")
@click.argument("coach")
@click.argument("calendar_id")
@click.argument("word", type=click.Choice(["hours", "bookings", "busy"]))
def use_for(coach: str, calendar_id: str, word: str) -> None:
    """Let CALENDAR_ID be for the open hours, the bookings, or only block time."""
    from microsite.work import accounts

    with acting() as built:
        accounts.use_for(built, coach, calendar_id, word)
    click.echo("Done; no time is offered until the calendar was read for that.")


@calendar.command()
@click.argument("coach")
@click.argument("calendar_id")
def remove(coach: str, calendar_id: str) -> None:
    """Forget CALENDAR_ID, its password, and all that was read of it. On its server nothing is changed."""
    from microsite.work import accounts

    with acting() as built:
        accounts.remove(built, coach, calendar_id)
    click.echo("Forgotten.")


@calendar.command()
@click.argument("coach")
def add(coach: str) -> None:
    """Find the calendars of an account and use them for COACH."""
    from microsite.work.look import house as find

    with acting() as built:
        ask_calendars(built, find(built, coach).slug)


@calendar.command(name="feed")
@click.argument("coach")
@click.argument("url")
def feed(coach: str, url: str) -> None:
    """Let a read-only ICS feed (webcal:// or https://) block time for COACH."""
    from microsite.work import setup
    from microsite.work.look import house as find

    with acting() as built:
        setup.add_calendar(built, find(built, coach).slug, url, "feed", {"feed", "busy"}, "", Secret(""))
    click.echo("The feed can be read; its events block time from now on.")


@calendar.command()
@click.argument("provider", type=click.Choice(["google"]))
@click.argument("coach")
def connect(provider: str, coach: str) -> None:
    """Sign in at PROVIDER for COACH, whose calendars there need no password then."""
    from microsite.work import setup
    from microsite.work.look import house as find

    with acting() as built:
        slug = find(built, coach).slug
        user = click.prompt("The coach's address at the provider")
        asked = built.calendars.sign_in()
        click.echo(f"\nOpen this address in a browser and allow the calendars:\n\n  {asked.url}\n")
        click.echo("The browser then ends at an address that shows no page. Copy that address from the address bar.")
        permission = built.calendars.exchange(asked, click.prompt("The address"))
        renewed = setup.renew_permission(built, slug, provider, user, permission)
        if renewed:
            click.echo(f"Connected again: {renewed} calendar(s) of this account are read from now on.")
            return
        start = built.config.file.google.caldav_url.format(user=quote(user))
        for each in built.calendars.discover(start, user, "", refresh=permission.reveal()):
            _use(built, slug, each, Login(user, permission, provider))


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
        taken = [_use(services, slug, each, Login(user, password)) for each in found]
        if any("bookings" in roles for roles in taken):
            return
        click.echo("  One calendar must take the bookings. Please try again, or name another account.")


def _use(services: "Services", slug: str, found: Found, login: Login) -> set[str]:
    """Ask what a calendar is for, and let it be that; one that is connected already is changed and not added again."""
    from microsite.work import accounts

    known = next((each for each in accounts.listed(services, slug) if each.url == found.url), None)
    notes = f"{'' if found.writable else ', read-only'}{f', connected already: {known.word}' if known else ''}"
    click.echo(f"\n  «{found.name}» ({found.url}){notes}")
    default = "busy" if "VEVENT" in found.components or not found.components else "none"
    role = click.prompt(
        f"    What is it for? {MEANINGS}",
        default=known.word if known else default,
        type=click.Choice(list(ROLES)),
        show_choices=False,
    )
    if role == "bookings" and not found.writable:
        click.echo("    This calendar is read-only and cannot take bookings; it blocks time instead.")
        role = "busy"
    return _change(services, slug, known, role) if known else _connect(services, slug, found, login, role)


def _connect(services: "Services", slug: str, found: Found, login: Login, role: str) -> set[str]:
    from microsite.work import accounts
    from microsite.work import setup

    if not ROLES[role]:
        return set()
    try:
        made = setup.add_calendar(
            services, slug, found.url, found.name, ROLES[role], login.user, login.secret, login.profile
        )
    except CalendarError as error:
        click.echo(f"    It could not be read ({error}) and was left out.")
        return set()
    if role == "bookings":
        accounts.use_for(services, slug, made, role)  # one calendar takes them; another that did only blocks time now
    return ROLES[role]


def _change(services: "Services", slug: str, known: "Listed", role: str) -> set[str]:
    from microsite.work import accounts

    try:
        if ROLES[role]:
            accounts.use_for(services, slug, known.id, role)
        else:
            accounts.remove(services, slug, known.id)
    except NotPossibleNow as error:
        click.echo(f"    It stays as it was: {error}.")
        return ROLES.get(known.word, set())
    return ROLES[role]


@calendar.command(name="host-here")
def host_here() -> None:
    """Let the built-in calendar server live on this machine, after its folder was brought here for good."""
    from microsite.work import machines

    from . import services

    built = services()
    try:
        machines.take_calendars(built)
    finally:
        built.close()
    click.echo("The built-in calendar server lives here now; on every other machine set calendars.embedded = false.")


COMMANDS = (calendar,)
