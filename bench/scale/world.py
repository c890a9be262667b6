"""Coaches and calendars of the simulation: what is true, and what the mirror knows of it."""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from dataclasses import field
from datetime import timedelta
from random import Random
from zoneinfo import ZoneInfo

from microsite.core.availability import Rules
from microsite.core.availability import Taken
from microsite.core.availability import Times
from microsite.core.availability import offer
from microsite.core.hours import local_day
from microsite.core.hours import open_spans
from microsite.core.spans import HOUR
from microsite.core.spans import MINUTE
from microsite.core.spans import Spans

from .demand import SHARES
from .demand import ZONES
from .demand import Demand
from .fleet import Host

BEGAN = 1_795_392_000
"""Monday 23 November 2026, 00:00 UTC; the simulation counts seconds from here."""
HOURS = {day: [(9 * 60, 12 * 60), (13 * 60, 17 * 60), (19 * 60, 21 * 60)] for day in range(6)}
HORIZON = 60
PATTERNS = 64
"""Kinds of busy weeks; each coach has one, and her own changes on top."""


@dataclass(slots=True, eq=False)
class Calendar:
    """A calendar as `core.polling` sees it, in seconds from the beginning. `added` is what the coach put there."""

    number: int
    coach: "Coach"
    host: Host
    interval: int = 0
    next_poll_at: int = 0
    last_ok_at: int = 0
    first_failed_at: int = 0
    backoff_until: int = 0
    failures: int = 0
    problem: str = ""
    told_at: int = 0
    """Up to when the coach's changes were made up: they come to be when they are read."""
    added: list[tuple[int, int]] = field(default_factory=list)
    look_at: int = -1
    """When somebody will look next who would have it read."""


@dataclass(slots=True, eq=False)
class Coach:
    """A coach. `live` are the bookings that hold time, `confirmed` those of them that the calendar has."""

    number: int
    zone: ZoneInfo
    offset: int
    rules: Rules
    free: Spans
    demand: Demand
    calendars: list[Calendar] = field(default_factory=list)
    live: list[Taken] = field(default_factory=list)
    confirmed: list[Taken] = field(default_factory=list)

    def times(self, now: int, without: Taken | None = None) -> Times:
        """What decides about her times, by what the mirror knows."""
        known = [span for each in self.calendars for span in each.added]
        taken = self.live if without is None else [each for each in self.live if each is not without]
        return Times(self.free, Spans.of(known) if known else NOTHING, taken, self.rules, BEGAN + now)


NOTHING = Spans()


def patterns(zone: ZoneInfo, dice: Random) -> list[Spans]:
    """The time that is left of some kinds of weeks in a zone."""
    today = local_day(BEGAN, zone)
    opened = open_spans(HOURS, {}, zone, today - timedelta(days=1), today + timedelta(days=HORIZON + 2))
    found = []
    for _ in range(PATTERNS):
        weekly = [(dice.randrange(7 * 24 * 4) * 15 * MINUTE, dice.randint(2, 8) * 15 * MINUTE) for _ in range(12)]
        weeks = range(BEGAN - 7 * 24 * HOUR, BEGAN + (HORIZON + 7) * 24 * HOUR, 7 * 24 * HOUR)
        busy = Spans.of([(week + start, week + start + length) for week in weeks for start, length in weekly])
        found.append(opened.subtract(busy))
    return found


def coaches(demands: Sequence[Demand], dice: Random) -> list[Coach]:
    """All coaches, their calendars not yet made."""
    kinds = []
    for name, offset in ZONES:
        zone = ZoneInfo(name)
        rules = Rules(minutes=30, step=30, before=0, after=10, notice=720, horizon=HORIZON, zone=zone)
        kinds.append((rules, offset, patterns(zone, dice)))
    edges = [sum(SHARES[: n + 1]) for n in range(len(SHARES))]
    found = []
    for number, demand in enumerate(demands):
        rules, offset, weeks = kinds[min(bisect_right(edges, dice.random()), len(kinds) - 1)]
        found.append(Coach(number, rules.zone, offset, rules, weeks[dice.randrange(PATTERNS)], demand))
    return found


def ask_for(times: Times, dice: Random) -> int:
    """A free start that a visitor picks: some day of the next three weeks, any time of that day; -1 if none is free."""
    first = times.now + dice.randrange(1, 21) * 24 * HOUR
    found = offer(times, first, first + 24 * HOUR) or offer(times, first, first + 7 * 24 * HOUR)
    return dice.choice(found) if found else -1
