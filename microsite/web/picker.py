"""What the picker shows, computed from the starts an offer has. Pure: starts and a zone in, view models out.

Days are the visitor's local days. The day shown is always one with free times: the one asked for, else the next free
one after it, else the last.
"""

import calendar
import re
from bisect import bisect_left
from bisect import bisect_right
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from microsite.core.hours import local_day
from microsite.core.hours import midnights
from microsite.core.hours import week_of
from microsite.errors import NotFound

from .dates import part_of_day

DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
SLOT = re.compile(r"[0-9]{8}T[0-9]{6}Z")
ONE = timedelta(days=1)
WEEK = timedelta(days=6)
"""From a week's Monday to its Sunday."""


class Cell(NamedTuple):
    """One day of the week strip or the month."""

    day: date
    free: int
    chosen: bool
    inside: bool = True


class Band(NamedTuple):
    """The free times of one part of the day."""

    part: str
    starts: tuple[int, ...]


class Picker(NamedTuple):
    """One chosen day, its week, its month from its `first` day on, and where to go from there.

    `moved` says another day was asked for.
    """

    day: date
    today: date
    moved: bool
    free: int
    bands: list[Band]
    week: tuple[Cell, ...]
    month: list[tuple[Cell, ...]]
    first: date
    earliest: date
    previous_day: date | None
    next_day: date | None
    previous_week: date | None
    next_week: date | None
    previous_month: date | None
    next_month: date | None


def pick(starts: Sequence[int], zone: ZoneInfo, wanted: date | None, now: int) -> Picker | None:
    """The picker on the wanted day or the nearest free one; None when nothing is free at all."""
    if not starts:
        return None
    runs = by_day(starts, zone)
    listed = list(runs)
    free = {its: last - first for its, (first, last) in runs.items()}
    day = nearest_day(listed, wanted)
    first_start, after_last = runs[day]
    monday, first = week_of(day), day.replace(day=1)
    sunday = monday + WEEK
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    return Picker(
        day=day,
        today=local_day(now, zone),
        moved=wanted is not None and wanted != day,
        free=free[day],
        bands=bands(starts[first_start:after_last], zone),
        week=tuple(Cell(each, free.get(each, 0), each == day) for each in _run(monday, sunday)),
        month=_month(first, last, free, day),
        first=first,
        earliest=listed[0],
        previous_day=_before(listed, day),
        next_day=_after(listed, day),
        previous_week=_first_of_week(listed, _before(listed, monday)),
        next_week=_after(listed, sunday),
        previous_month=_first_of_month(listed, _before(listed, first)),
        next_month=_after(listed, last),
    )


def by_day(starts: Sequence[int], zone: ZoneInfo) -> dict[date, tuple[int, int]]:
    """The local days that have starts, rising, each with the half-open run of its starts.

    A bisection for each midnight, where a conversion of each start would cost ten times as much.
    """
    day = local_day(starts[0], zone)
    runs: dict[date, tuple[int, int]] = {}
    at = 0
    for after in midnights(day, local_day(starts[-1], zone), zone)[1:]:
        end = bisect_left(starts, after, at)
        if end > at:
            runs[day] = (at, end)
            at = end
        day += ONE
    return runs


def nearest_day(listed: Sequence[date], wanted: date | None) -> date:
    """The wanted day if it is listed, else the next one after it, else the last."""
    if wanted is None:
        return listed[0]
    at = bisect_left(listed, wanted)
    return listed[min(at, len(listed) - 1)]


def bands(starts: Sequence[int], zone: ZoneInfo) -> list[Band]:
    """The starts of one day grouped by part of the day, as they follow one another."""
    return [Band(part, tuple(group)) for part, group in groupby(starts, key=lambda at: part_of_day(at, zone))]


def read_day(text: str | None) -> date | None:
    """A `YYYY-MM-DD` as a date; anything else is no wish at all."""
    if text is None or not DAY.fullmatch(text):
        return None
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def read_slot(text: str | None) -> int:
    """A slot of a URL as UTC seconds; raises NotFound for anything that is not one.

    The first and last years of the calendar are none: in another zone they would lie outside it.
    """
    if text is None or not SLOT.fullmatch(text) or not "0002" <= text[:4] <= "9998":
        raise NotFound("no such slot")
    try:
        return int(datetime.strptime(text, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
    except ValueError as error:
        raise NotFound("no such slot") from error


def _run(first: date, last: date) -> list[date]:
    return [date.fromordinal(n) for n in range(first.toordinal(), last.toordinal() + 1)]


def _month(first: date, last: date, free: Mapping[date, int], chosen: date) -> list[tuple[Cell, ...]]:
    span = _run(week_of(first), week_of(last) + WEEK)
    cells = [Cell(day, free.get(day, 0), day == chosen, first <= day <= last) for day in span]
    return [tuple(cells[at : at + 7]) for at in range(0, len(cells), 7)]


def _before(listed: Sequence[date], day: date) -> date | None:
    at = bisect_left(listed, day)
    return listed[at - 1] if at else None


def _after(listed: Sequence[date], day: date) -> date | None:
    at = bisect_right(listed, day)
    return listed[at] if at < len(listed) else None


def _first_of_week(listed: Sequence[date], day: date | None) -> date | None:
    return None if day is None else listed[bisect_left(listed, week_of(day))]


def _first_of_month(listed: Sequence[date], day: date | None) -> date | None:
    return None if day is None else listed[bisect_left(listed, day.replace(day=1))]
