"""`breach-report`: what could be read, since when, how many; letters for people and authority, and mailing people."""

from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from pathlib import Path

import click

from microsite.errors import SettingsError

CASES = ("database", "backup", "server", "live")


@click.command(name="breach-report")
@click.option("--what", "case", required=True, type=click.Choice(CASES), help="What somebody else has or had.")
@click.option("--since", default="", help="Count bookings made from this day on (2026-11-01).")
@click.option("--noticed", default="", help="When it was noticed, in UTC (2026-11-25T09:30); now, if left out.")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path), help="The folder for the texts.")
@click.option("--send", is_flag=True, help="Mail everybody whose address can still be opened, after you typed it.")
def breach_report(case: str, since: str, noticed: str, folder: Path | None, send: bool) -> None:
    """Write the report and the letters in Indonesian and English, without anybody's name; with --send, mail them."""
    import os

    from microsite.work import breach

    from . import services

    if send and not noticed:
        raise SettingsError("breach-report", "--noticed", "nothing", "the moment, so that nobody is written to twice")
    day = _day(since).date().isoformat() if since else ""
    built = services()
    try:
        at = int(_day(noticed).timestamp()) if noticed else built.clock()
        target = folder or Path(f"breach-{datetime.fromtimestamp(at, UTC):%Y%m%dT%H%MZ}")
        target.mkdir(mode=0o700, parents=True, exist_ok=True)
        texts = breach.texts(built, case, day, at)
        for name, text in texts.items():
            handle = os.open(target / name, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                os.fchmod(handle, 0o600)
                file.write(text)
        click.echo(texts["report.txt"])
        click.echo(f"Written into {target}: {', '.join(sorted(texts))}.")
        if send:
            _send(breach.reachable(built, case, at), lambda: breach.send(built, case, at))
    finally:
        built.close()


def _send(count: int, go: Callable[[], int]) -> None:
    if not count:
        click.echo("Nobody is left to write to.")
        return
    typed = click.prompt(f"{count} people will get a letter, once. Type «send {count}» to go on", default="")
    if typed.strip() != f"send {count}":
        click.echo("Nothing was sent.")
        return
    click.echo(f"{go()} letter(s) were queued; the running site sends them.")


def _day(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError("breach-report", "a time", repr(text), "such as 2026-11-25 or 2026-11-25T09:30") from error
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


COMMANDS = (breach_report,)
