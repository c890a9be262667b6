"""`init`: the few questions a real operator answers. The coach makes her keys herself, at the desk that it links to."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
import tomli_w

from microsite.config import load_config
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.core.settings import check_slug
from microsite.core.settings import read_settings
from microsite.errors import StartRefused

from .backup import show_key
from .calendar import ask_calendars

if TYPE_CHECKING:
    from microsite.services import Services


@click.command()
def init() -> None:
    """Set up a real coach: address, time zone, mail relay, calendar."""
    import os

    os.umask(0o077)
    instance = Path(os.environ.get("MICROSITE_INSTANCE") or "instance").absolute()
    if (instance / "config.toml").exists():
        raise StartRefused(f"{instance / 'config.toml'} is there already; edit it, or move it away to begin anew")
    if (instance / "site.db").exists():
        raise StartRefused(f"{instance} holds a demo; move the folder away (mv {instance} {instance}-demo), then begin")
    name, slug = ask_name()
    address = click.prompt("The address of the site, such as https://book.example").rstrip("/")
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
    click.echo("Backups are sealed to it: microsite backup --to FOLDER, every night (docs/backup.md).")
    click.echo("Start the site with: make run")


def ask_name() -> tuple[str, str]:
    """The coach's name, and her part of the address; raises SettingsError where that cannot be one."""
    name = click.prompt("The coach's name, as visitors see it")
    proposed = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-") or "coach"
    slug = click.prompt("Her part of the address", default=proposed)
    check_slug(slug, "init", "her part of the address")
    return name, slug


def ask_settings(name: str) -> CoachSettings:
    """What else must be known of her, and one session to begin with."""
    zone = click.prompt("Her time zone", default="Asia/Jakarta")
    email = click.prompt("Where notices to the coach go (e-mail)")
    settings = read_settings({"name": name, "zone": zone, "email": email, "contact": email}, "the coach")
    first = Offer(slug="sesi", title=Words(id="Sesi", en="Session"), minutes=60)
    return msgspec.structs.replace(settings, offers=[first])


def _ask_site(address: str) -> tuple[dict[str, dict[str, object]], bool]:
    """Who takes the site's letters, and whether the built-in calendar server is used."""
    mail = {
        "host": click.prompt("Mail relay: host"),
        "port": click.prompt("Mail relay: port", default=587, type=int),
        "security": click.prompt(
            "Mail relay: security", default="starttls", type=click.Choice(["starttls", "tls", "none"])
        ),
        "username": click.prompt("Mail relay: user (empty for none)", default="", show_default=False),
        "password": click.prompt(
            "Mail relay: password (empty for none)", default="", show_default=False, hide_input=True
        ),
        "sender": click.prompt("The address letters come from"),
    }
    embedded = ask_embedded()
    document: dict[str, dict[str, object]] = {"site": {"address": address}, "mail": mail}
    if not embedded:
        question = "Calendar servers on your own network (host names with commas; empty for none)"
        hosts = click.prompt(question, default="", show_default=False)
        document["calendars"] = {"allow_private_hosts": [host.strip() for host in hosts.split(",") if host.strip()]}
    return document, embedded


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
        ask_calendars(services, slug)
    token = desk.new_link(services, slug, desk.FIRST_SECONDS)
    click.echo("\nThe coach's desk: this link works once, within a day. She makes her keys there, in her own browser;")
    click.echo(f"until then her page takes no bookings. For another link: microsite desk-link {slug}\n")
    click.echo(f"    {services.config.address}/desk/{token.reveal()}\n")


COMMANDS = (init,)
