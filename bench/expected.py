"""What the picker of a demo coach has to show: her free times by the naive oracle of the tests."""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from typing import NamedTuple
from urllib.parse import parse_qsl
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from microsite.core.availability import Times
from microsite.services import Services
from microsite.work import demo
from microsite.work import look
from tests.core import oracle

from .figures import WrongAnswer

OFFER = "sesi"
PATH = f"/{demo.SLUG}/{OFFER}/"


class View(NamedTuple):
    """A day of a coach's picker, as a browser asks for it, and the slots that must be on it."""

    target: str
    slots: list[str]
    coach: str = demo.SLUG


def view(services: Services, days: int = 7, slug: str = demo.SLUG) -> View:
    """The first day that is at least so many days away and has free times; raises WrongAnswer if there is none."""
    coach = look.coach(services, slug)
    offer = coach.settings.offer(OFFER)
    if offer is None:
        raise WrongAnswer("the demo coach has no such offer")
    zone = coach.settings.zoneinfo
    free = starts(look.times(services, coach, offer))
    soonest = datetime.fromtimestamp(services.clock(), zone).date() + timedelta(days=days)
    day = min((each for each in (_day(at, zone) for at in free) if each >= soonest), default=None)
    if day is None:
        raise WrongAnswer("the demo coach has no free time")
    slots = [slot_text(at) for at in free if _day(at, zone) == day]
    return View(f"/{slug}/{OFFER}/?day={day}&tz={coach.settings.zone}", slots, slug)


def again(services: Services, seen: View) -> View:
    """The same day as the oracle has it now."""
    coach = look.coach(services, seen.coach)
    offer = coach.settings.offer(OFFER)
    if offer is None:
        raise WrongAnswer("the demo coach has no such offer")
    day, zone = day_of(seen), coach.settings.zoneinfo
    slots = [slot_text(at) for at in starts(look.times(services, coach, offer)) if _day(at, zone) == day]
    return seen._replace(slots=slots)


def day_of(seen: View) -> date:
    """Which day it is."""
    return date.fromisoformat(dict(parse_qsl(urlsplit(seen.target).query))["day"])


def starts(times: Times) -> list[int]:
    """What is free, by the oracle."""
    return oracle.offered_starts(list(times.open), list(times.busy), list(times.taken), times.rules, times.now)


def slot_text(at: int) -> str:
    """A start as the pages write it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


def _day(at: int, zone: ZoneInfo) -> date:
    return datetime.fromtimestamp(at, zone).date()
