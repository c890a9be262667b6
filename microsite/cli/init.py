"""`init`: the few questions a real operator answers. The coach makes her keys herself, at the desk that it links to."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
import tomli_w

from microsite.config import check_address
from microsite.config import check_security
from microsite.config import check_sender
from microsite.config import load_config
from microsite.core.settings import SLUG_MAX
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.core.settings import check_slug
from microsite.core.settings import read_settings
from microsite.core.settings import zone_of
from microsite.errors import SettingsError
from microsite.errors import StartRefused

from .backup import show_key
from .calendar import ask_calendars

if TYPE_CHECKING:
    from microsite.services import Services

SECURITIES = ("starttls", "tls", "none")
GO_ON = """To go on:
    microsite calendar add {slug}
    microsite desk-link {slug}
    microsite backup-key (where there is none yet)"""
NEXT = """Next:
  1. Start the site: make run (where deploy/install put it here: sudo systemctl enable --now microsite).
  2. Ask whether all is well: microsite doctor.
  3. Give the coach what is hers above, and docs/coach.en.md or docs/coach.id.md to read."""


@click.command()
def init() -> None:
    """Set up a real coach: address, time zone, mail relay, calendar."""
    import os

    os.umask(0o077)
    instance = Path(os.environ.get("MICROSITE_INSTANCE") or "instance").absolute()
    if (instance / "config.toml").exists():
        there = instance / "config.toml"
        raise StartRefused(f"{there} is there already; edit it, or begin anew: mv {instance} {instance}-old")
    if (instance / "site.db").exists():
        raise StartRefused(f"{instance} holds a demo; move the folder away (mv {instance} {instance}-demo), then begin")
    name, slug = ask_name()
    question = "The address of the site, such as https://book.example"
    address = ask(question, lambda typed: check_address(typed, "")).rstrip("/")
    settings = ask_settings(name)
    document, embedded = _ask_site(address)
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    (instance / "config.toml").write_text(tomli_w.dumps(document), encoding="utf-8")
    (instance / "config.toml").chmod(0o600)
    from microsite.services import build
    from microsite.work import backup

    services = build(load_config(os.environ))
    try:
        services.store.upgrade()
        set_up(services, slug, settings, embedded)
        show_key(backup.new_key(services))
    finally:
        services.close()
    click.echo("Backups are sealed to it: microsite backup --to FOLDER, every night (docs/backup.md).\n")
    click.echo(NEXT)


def ask(question: str, check: Callable[[str], object], default: str | None = None) -> str:
    """Ask until `check` raises no SettingsError: a slip costs this one question, and nothing that was typed before."""

    def usable(typed: str) -> str:
        try:
            check(answer := typed.strip())
        except SettingsError as error:
            raise click.UsageError(f"{error.found} does not work here; please give {error.allowed}.") from error
        return answer

    return str(click.prompt(question, default=default, value_proc=usable))


def ask_name() -> tuple[str, str]:
    """The coach's name, and her part of the address."""
    name = ask("The coach's name, as visitors see it", lambda typed: read_settings({"name": typed}, ""))
    proposed = re.sub(r"[^a-z0-9]+", "-", name.lower())[:SLUG_MAX].strip("-")
    slug = ask("Her part of the address", lambda typed: check_slug(typed, "", ""), default=proposed or "coach")
    return name, slug


def ask_settings(name: str) -> CoachSettings:
    """What else must be known of her, and one session to begin with."""
    known = {"name": name}
    zone = ask("Her time zone", lambda typed: read_settings({**known, "zone": zone_of(typed)}, ""), "Asia/Jakarta")
    known["zone"] = zone_of(zone)
    email = ask("Where notices to the coach go (e-mail)", lambda typed: read_settings({**known, "email": typed}, ""))
    settings = read_settings({**known, "email": email, "contact": email}, "the coach")
    first = Offer(slug="sesi", title=Words(id="Sesi", en="Session"), minutes=60)
    return msgspec.structs.replace(settings, offers=[first])


def _ask_site(address: str) -> tuple[dict[str, dict[str, object]], bool]:
    """Who takes the site's letters, and whether the built-in calendar server is used."""
    host = click.prompt("Mail relay: host").strip()
    mail = {
        "host": host,
        "port": click.prompt("Mail relay: port", default=587, type=click.IntRange(1, 65535)),
        "security": ask("Mail relay: security (starttls, tls, none)", lambda typed: _check(typed, host), "starttls"),
        "username": click.prompt("Mail relay: user (empty for none)", default="", show_default=False),
        "password": click.prompt(
            "Mail relay: password (empty for none)", default="", show_default=False, hide_input=True
        ),
        "sender": ask("The address letters come from", lambda typed: check_sender(typed, "")),
    }
    embedded = ask_embedded()
    document: dict[str, dict[str, object]] = {"site": {"address": address}, "mail": mail}
    if not embedded:
        question = "Calendar servers on your own network (host names with commas; empty for none)"
        hosts = click.prompt(question, default="", show_default=False)
        document["calendars"] = {"allow_private_hosts": [host.strip() for host in hosts.split(",") if host.strip()]}
    return document, embedded


def _check(security: str, host: str) -> None:
    if security not in SECURITIES:
        raise SettingsError("", "mail.security", repr(security), " or ".join(SECURITIES))
    check_security(security, host, "")


def ask_embedded() -> bool:
    """Whether she has no calendar server of her own."""
    return click.confirm("Use the built-in calendar server? (No: name your own CalDAV calendars)", default=True)


def set_up(services: "Services", slug: str, settings: CoachSettings, embedded: bool) -> None:
    """Make the coach and her calendars, and print what she needs: her calendar password, and the way to her desk."""
    from microsite.work import desk
    from microsite.work import setup

    setup.add_coach(services, slug, settings)
    if embedded:
        from microsite.work.demo import CALENDARS

        names = {name: CALENDARS[name] for name in ("open", "bookings", "private")}
        password = setup.add_embedded_calendars(services, slug, names)
        click.echo(f"\nCalendar app: {services.config.address}/dav/  user {slug}  password {password.reveal()}")
    else:
        try:
            ask_calendars(services, slug)
        except click.Abort:
            click.echo(f"\n\nStopped; what was answered before is kept. {GO_ON.format(slug=slug)}")
            raise
    token = desk.new_link(services, slug, desk.FIRST_SECONDS)
    click.echo("\nThe coach's desk: this link works once, within a day. She makes her keys there, in her own browser;")
    click.echo(f"until then her page takes no bookings. For another link: microsite desk-link {slug}\n")
    click.echo(f"    {services.config.address}/desk/{token.reveal()}\n")


COMMANDS = (init,)
