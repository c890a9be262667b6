"""Weekly hours and date exceptions in a coach's zone, turned into spans; local days and their edges.

Most days have one UTC offset from midnight to midnight, so a local time is midnight plus minutes; only on the days
where the two midnights differ is each time looked up exactly (four times faster than a look-up each, same answer).
"""

from array import array
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from functools import lru_cache
from itertools import pairwise
from zoneinfo import ZoneInfo

from .spans import DAY
from .spans import MINUTE
from .spans import Spans

Window = tuple[int, int]
"""Minutes after local midnight: (start, end); 1440 is the next midnight."""


@lru_cache(maxsize=4096)
def midnight(day: date, zone: ZoneInfo) -> int:
    """The UTC second at which a local day begins (the earlier one where midnight comes twice)."""
    return int(datetime.combine(day, time(), zone).timestamp())


@lru_cache(maxsize=256)
def midnights(first: date, last: date, zone: ZoneInfo) -> "array[int]":
    """The midnights with which the days from `first` to `last` begin, and the one with which `last` ends."""
    return array("q", [midnight(day, zone) for day in days(first, last + timedelta(days=1))])


def local_day(at: int, zone: ZoneInfo) -> date:
    """The local date on which an instant falls."""
    return datetime.fromtimestamp(at, zone).date()


def week_of(day: date) -> date:
    """The Monday of a date's week: weeks begin on Monday in both languages (docs/decisions.md)."""
    return day - timedelta(days=day.weekday())


def days(first: date, last: date) -> Iterator[date]:
    """Each date from `first` to `last`, both included."""
    return (first + timedelta(days=n) for n in range((last - first).days + 1))


def at_local(day: date, minutes: int, zone: ZoneInfo) -> int:
    """The UTC second of a local wall-clock time; one that the clock skips moves forward with it (RFC 5545 3.3.5)."""
    start = midnight(day, zone)
    if midnight(day + timedelta(days=1), zone) - start == DAY:
        return start + minutes * MINUTE
    wall = datetime.combine(day, time()) + timedelta(minutes=minutes)
    return int(wall.replace(tzinfo=zone).astimezone(UTC).timestamp())


def open_spans(
    weekly: Mapping[int, Sequence[Window]],
    exceptions: Mapping[date, Sequence[Window]],
    zone: ZoneInfo,
    first: date,
    last: date,
) -> Spans:
    """The spans that weekly hours (0 = Monday) and date exceptions open; an exception replaces its whole day."""
    begins = midnights(first, last, zone)
    weekday = first.weekday()
    week = [weekly.get((weekday + n) % 7, ()) for n in range(7)]
    edges: list[int] = []
    for n, (begin, after) in enumerate(pairwise(begins)):
        windows = week[n % 7]
        if exceptions:
            windows = exceptions.get(first + timedelta(days=n), windows)
        if after - begin == DAY:
            for start, end in windows:
                edges += (begin + start * MINUTE, begin + end * MINUTE)
        else:
            day = first + timedelta(days=n)
            for start, end in windows:
                edges += (at_local(day, start, zone), at_local(day, end, zone))
    return Spans.rising(edges)
