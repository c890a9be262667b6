"""The first run without settings: the demo coach, `WELCOME.txt` and the demo identity."""

import os
import re
from pathlib import Path

import click

from microsite.services import Services
from microsite.work import demo


def first_run(services: Services) -> None:
    """Make the demo coach unless there is a coach already; a half-made demo of an interrupted start is finished."""
    with services.store.read() as tx:
        if tx.coaches.slugs():
            return
    identity, recipient = services.sealer.new_identity()
    welcome = demo.create(services, identity, recipient)
    config = services.config
    _write(config.instance / "demo-identity.txt", f"{demo.IDENTITY_NOTE}{identity.reveal()}\n")
    _write(config.instance / "WELCOME.txt", demo.welcome_text(config.address, welcome, config.instance / "mail"))
    click.echo(f"A demo coach was made. How to reach everything: {config.instance / 'WELCOME.txt'}")


def renew_welcome(services: Services) -> None:
    """The demo's address follows PORT: write it anew where it changed."""
    path = services.config.instance / "WELCOME.txt"
    if not path.exists():
        return
    old = path.read_text(encoding="utf-8", errors="replace")
    new = re.sub(r"(?m)^(booking-page|desk|caldav-url): https?://[^/\s]+", rf"\1: {services.config.address}", old)
    if new != old:
        _write(path, new)


def _write(path: Path, text: str) -> None:
    """Whole or not at all: a full disk leaves the old file."""
    new = path.with_name(f".{path.name}.new")
    try:
        descriptor = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            os.fchmod(descriptor, 0o600)
            file.write(text)
        new.replace(path)
    except OSError:
        new.unlink(missing_ok=True)
        raise
