"""`explain`: why this time is free or not, in plain words."""

from datetime import UTC
from datetime import datetime
from zoneinfo import ZoneInfo

import click

from microsite.core.availability import Reason
from microsite.core.oddities import said
from microsite.errors import SettingsError

RULES = {
    "notice": "too soon: the offer asks for more notice (until {end})",
    "horizon": "too far ahead: the offer's horizon ends {start}",
    "closed": "not within open hours for the whole session",
    "grid": "not on the grid of starts; the steps begin where open hours begin",
    "busy": "busy in the calendar «{name}» {start} to {end} (with the offer's buffers)",
    "booking": "booking {name} holds {start} to {end} (with the larger buffer of the two)",
    "day-full": "the day is full (cap per day)",
    "week-full": "the week is full (cap per week)",
}


@click.command()
@click.argument("coach")
@click.argument("offer")
@click.argument("time")
def explain(coach: str, offer: str, time: str) -> None:
    """Say why TIME (2026-11-25T09:00, in the coach's zone) is free or not for OFFER of COACH."""
    from microsite.work.explain import explain_start
    from microsite.work.look import coach as find

    from . import services

    built = services()
    try:
        zone = find(built, coach).settings.zoneinfo
        found = explain_start(built, coach, offer, _instant(time, zone))
    finally:
        built.close()
    for reason in found.reasons:
        click.echo(f"no: {_sentence(reason, zone)}")
    if not found.reasons:
        click.echo("yes: this time is offered")
    for name, warning in sorted(set(found.warnings)):
        click.echo(f"note: calendar «{name}»: {said(warning).en}")


def _instant(text: str, zone: ZoneInfo) -> int:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError as error:
        raise SettingsError("explain", "TIME", repr(text), "a date and time such as 2026-11-25T09:00") from error
    return int((moment if moment.tzinfo else moment.replace(tzinfo=zone)).timestamp())


def _sentence(reason: Reason, zone: ZoneInfo) -> str:
    start, end = reason.span or (0, 0)
    return RULES[reason.rule].format(name=reason.name, start=_local(start, zone), end=_local(end, zone))


def _local(at: int, zone: ZoneInfo) -> str:
    return datetime.fromtimestamp(at, UTC).astimezone(zone).strftime("%Y-%m-%d %H:%M")


COMMANDS = (explain,)
