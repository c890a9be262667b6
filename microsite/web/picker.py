"""What the picker shows, computed from the starts an offer has. Pure: starts and a zone in, view models out.

Days are the visitor's local days. The day shown is always one with free times: the one asked for, else the next free
one after it, else the last.
"""

import calendar
import re
from bisect import bisect_left
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from functools import lru_cache
from itertools import groupby
from itertools import pairwise
from typing import NamedTuple
from zoneinfo import ZoneInfo

from microsite.core.hours import days
from microsite.core.hours import local_day
from microsite.core.hours import midnight
from microsite.core.hours import midnights
from microsite.core.hours import week_of
from microsite.core.spans import DAY as DAY_SECONDS
from microsite.core.spans import HOUR
from microsite.errors import NotFound

from .dates import PARTS
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
    moved: bool
    free: int
    bands: list[Band]
    week: tuple[Cell, ...]
    month: tuple[tuple[Cell, ...], ...]
    first: date
    earliest: date
    previous_day: date | None
    next_day: date | None
    previous_week: date | None
    next_week: date | None
    previous_month: date | None
    next_month: date | None


def pick(starts: Sequence[int], zone: ZoneInfo, wanted: date | None) -> Picker | None:
    """The picker on the wanted day or the nearest free one; None when nothing is free at all.

    Looks at the shown month only, by bisection of its midnights: a longer horizon costs nothing.
    """
    if not starts:
        return None
    earliest = local_day(starts[0], zone)
    day = earliest if wanted is None else _nearest(starts, zone, wanted)
    first = day.replace(day=1)
    last = first.replace(day=calendar.monthrange(first.year, first.month)[1])
    shown = _Shown(starts, zone, week_of(first), week_of(last) + WEEK)
    monday = week_of(day)
    begins, ends = shown.index(day), shown.index(day + ONE)
    before_week, before_month = (shown.day(shown.index(each) - 1) for each in (monday, first))
    month = shown.weeks(day, first, last)
    return Picker(
        day=day,
        moved=wanted is not None and wanted != day,
        free=ends - begins,
        bands=bands(starts[begins:ends], zone, day),
        week=month[(monday - shown.begin).days // 7],
        month=month,
        first=first,
        earliest=earliest,
        previous_day=shown.day(begins - 1),
        next_day=shown.day(ends),
        previous_week=before_week and shown.day_from(week_of(before_week)),
        next_week=shown.day(shown.index(monday + WEEK + ONE)),
        previous_month=before_month and shown.day_from(before_month.replace(day=1)),
        next_month=shown.day(shown.index(last + ONE)),
    )


class _Shown:
    """Where among the starts each day of some whole weeks begins: found once, for all that is asked of it."""

    def __init__(self, starts: Sequence[int], zone: ZoneInfo, begin: date, end: date) -> None:
        edges = midnights(begin, end, zone)
        low = bisect_left(starts, edges[0])
        # Looked at forty times: as a list of its own, so that not each look makes a number of what is packed.
        near = list(starts[low : bisect_left(starts, edges[-1], low)])
        self.begin, self._end, self._starts, self._zone = begin, end, starts, zone
        self._at = [low + bisect_left(near, edge) for edge in edges]

    def index(self, day: date) -> int:
        """The first start on or after a day of these weeks, or the day after them."""
        return self._at[(day - self.begin).days]

    def day(self, at: int) -> date | None:
        """The local day of one of the starts, if there is that one."""
        if self._at[0] <= at < self._at[-1]:  # almost always, and no zone need be asked
            return self.begin + timedelta(days=bisect_right(self._at, at) - 1)
        return local_day(self._starts[at], self._zone) if 0 <= at < len(self._starts) else None

    def day_from(self, day: date) -> date | None:
        """The first day with starts from that one on."""
        return self.day(bisect_left(self._starts, midnight(day, self._zone)))

    def weeks(self, chosen: date, first: date, last: date) -> tuple[tuple[Cell, ...], ...]:
        """All of these weeks, of a month that goes from `first` to `last`."""
        free = [after - before for before, after in pairwise(self._at)]
        return tuple(
            _week(monday, first, last, chosen if monday <= chosen <= monday + WEEK else None, *free[7 * n : 7 * n + 7])
            for n, monday in enumerate(_mondays(self.begin, self._end))
        )


def bands(starts: Sequence[int], zone: ZoneInfo, day: date) -> list[Band]:
    """The starts of one day grouped by part of the day, as they follow one another."""
    begin, end = midnight(day, zone), midnight(day + ONE, zone)
    if end - begin != DAY_SECONDS:  # the clock is changed that day: ask it for each start
        return [Band(part, tuple(group)) for part, group in groupby(starts, key=lambda at: part_of_day(at, zone))]
    found, at = [], 0
    for until, part in PARTS:
        after = bisect_left(starts, begin + until * HOUR, at)
        if after > at:
            found.append(Band(part, tuple(starts[at:after])))
        at = after
    return found


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


def _nearest(starts: Sequence[int], zone: ZoneInfo, wanted: date) -> date:
    """The wanted day if it has starts, else the next one that has, else the last."""
    at = bisect_left(starts, midnight(wanted, zone))
    return local_day(starts[min(at, len(starts) - 1)], zone)


@lru_cache(maxsize=2048)
def _week(monday: date, first: date, last: date, chosen: date | None, *free: int) -> tuple[Cell, ...]:
    """The days of a week. A change touches one or two weeks of a month; the others are the very same again."""
    return tuple(
        Cell(day, count, day == chosen, first <= day <= last)
        for day, count in zip(days(monday, monday + WEEK), free, strict=True)
    )


@lru_cache(maxsize=64)
def _mondays(first: date, last: date) -> list[date]:
    return list(days(first, last))[::7]
