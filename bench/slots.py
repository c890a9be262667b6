"""The slot engine: 60 days with 0, 100, 1,000 and 10,000 busy events, against the calibration loop and a naive one.

What is timed is what a request computes anew: weekly hours into spans, and the starts that are free in them. It is
first compared with two other engines, in zones and at dates where clocks change.
"""

import random
from collections.abc import Callable
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from functools import partial
from typing import NamedTuple
from zoneinfo import ZoneInfo

from microsite.core.availability import Rules
from microsite.core.availability import Times
from microsite.core.availability import offer
from microsite.core.hours import Window
from microsite.core.hours import local_day
from microsite.core.hours import open_spans
from microsite.core.spans import MINUTE
from microsite.core.spans import Spans
from tests.core import oracle

from . import naive
from .calibration import loop
from .figures import Figure
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .rounds import interleaved
from .rounds import least_cpu
from .rounds import ratio

DAYS = 60
COUNTS = {"0": 0, "100": 100, "1k": 1000, "10k": 10_000}
WEEKLY: dict[int, list[Window]] = {day: [(9 * 60, 12 * 60), (13 * 60, 17 * 60)] for day in range(5)}
ZONES = {
    "Asia/Jakarta": "2026-11-23",
    "Europe/Berlin": "2026-03-20",
    "America/New_York": "2026-10-25",
    "Australia/Lord_Howe": "2026-03-27",
    "Asia/Kathmandu": "2026-03-20",
    "America/Santiago": "2026-08-30",
    "Africa/Casablanca": "2026-02-08",
    "Asia/Gaza": "2026-03-20",
}
"""Zones, and a day some days before their clocks change."""
Engine = Callable[[Times], list[int]]


class Case(NamedTuple):
    """One calendar: its busy time as generated, merged, and what is asked of it."""

    raw: list[tuple[int, int]]
    busy: Spans
    rules: Rules
    now: int

    def times(self) -> Times:
        """What the engine is given, its open time made of the weekly hours as a request makes it."""
        today = local_day(self.now, self.rules.zone)
        first, last = today - timedelta(days=1), today + timedelta(days=self.rules.horizon + 1)
        return Times(open_spans(WEEKLY, {}, self.rules.zone, first, last), self.busy, [], self.rules, self.now)


def case(count: int, zone: str = "Asia/Jakarta", horizon: int = DAYS, seed: int = 1) -> Case:
    """A calendar with so many busy events, the same for the same seed.

    A thousand events of an hour fill half of sixty days; ten thousand are shorter, so that something stays free.
    """
    dice = random.Random(f"{seed} {count} {zone}")
    now = int(datetime.combine(date.fromisoformat(ZONES[zone]), datetime.min.time(), UTC).timestamp()) + 4 * 3600
    longest = 105 if count <= 1000 else 13
    starts = [now + MINUTE * dice.randrange(horizon * 1440) for _ in range(count)]
    raw = [(start, start + MINUTE * dice.randint(max(1, longest // 7), longest)) for start in starts]
    rules = Rules(minutes=30, step=30, before=10, after=15, notice=720, horizon=horizon, zone=ZoneInfo(zone))
    return Case(raw, Spans.of(raw), rules, now)


def check(engine: Engine = offer) -> int:
    """Hold the engine against both others, over zones and loads; how many calendars agreed. Raises WrongAnswer."""
    agreed = 0
    for zone in ZONES:
        for count in (0, 3, 40, 200):
            one = case(count, zone, horizon=14)
            _agree(engine, one, naive.offered(WEEKLY, naive.as_datetimes(one.raw), one.rules, one.now))
            if count == 40:
                opened: list[tuple[int, int]] = list(one.times().open)
                _agree(engine, one, oracle.offered_starts(opened, one.raw, [], one.rules, one.now))
            agreed += 1
    for count in COUNTS.values():
        one = case(count)
        merged: list[tuple[int, int]] = list(one.busy)
        _agree(engine, one, naive.offered(WEEKLY, naive.as_datetimes(merged), one.rules, one.now))
        agreed += 1
    return agreed


def measure(size: Size, engine: Engine = offer) -> Outcome:
    """The part."""
    agreed = check(engine)
    repeat = size.of(3, 20, 40)
    cases = {name: case(count) for name, count in COUNTS.items()}
    timed: dict[str, Callable[[], float]] = {"loop": partial(least_cpu, loop, 5)}
    for name, one in cases.items():
        timed[name] = partial(least_cpu, partial(_compute, engine, one), 5, repeat)
    plain = naive.as_datetimes(list(cases["1k"].busy))
    one = cases["1k"]
    timed["naive"] = partial(least_cpu, lambda: naive.offered(WEEKLY, plain, one.rules, one.now), 2)
    rounds = interleaved(timed, size.rounds)
    figures: list[Figure] = [ratio(f"slots.busy_{name}_to_loop", rounds, name, "loop", "cpu") for name in COUNTS]
    figures.append(ratio("slots.growth_100_to_10k", rounds, "10k", "100", "cpu"))
    figures.append(ratio("slots.naive_to_engine_1k", rounds, "naive", "1k", "cpu"))
    return Outcome(figures, [_remark(agreed, cases)])


def _remark(agreed: int, cases: dict[str, Case]) -> str:
    loads = ", ".join(f"{name}: {len(one.busy)} merged, {len(offer(one.times()))} free" for name, one in cases.items())
    return f"{agreed} calendars agreed with the naive engine and the oracle first ({loads})"


def _compute(engine: Engine, one: Case) -> list[int]:
    return engine(one.times())


def _agree(engine: Engine, one: Case, expected: list[int]) -> None:
    if engine(one.times()) != expected:
        raise WrongAnswer(
            f"the slot engine and a naive one disagree ({one.rules.zone.key}, {len(one.raw)} busy events)"
        )
