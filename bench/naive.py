"""Free times as one would first write it: datetimes, and every candidate held against every busy span.

It is what the slot engine is compared with, in its answer and in its cost. It shares no arithmetic with it.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta

from microsite.core.availability import Rules

Pair = tuple[datetime, datetime]


def offered(weekly: Mapping[int, Sequence[tuple[int, int]]], busy: Sequence[Pair], rules: Rules, now: int) -> list[int]:
    """The starts that may be offered, UTC seconds. Knows weekly hours, buffers, notice and horizon; no caps."""
    earliest = datetime.fromtimestamp(now, UTC) + timedelta(minutes=rules.notice)
    today = datetime.fromtimestamp(now, rules.zone).date()
    found = []
    for ahead in range(rules.horizon + 1):
        for start, end in _opened(today + timedelta(days=ahead), weekly, rules):
            found += [at for at in _grid(start, end, rules) if at >= earliest and _free(at, busy, rules)]
    return [int(at.timestamp()) for at in found]


def as_datetimes(pairs: Sequence[tuple[int, int]]) -> list[Pair]:
    """Spans of UTC seconds as aware datetimes."""
    return [(datetime.fromtimestamp(start, UTC), datetime.fromtimestamp(end, UTC)) for start, end in pairs]


def _opened(day: date, weekly: Mapping[int, Sequence[tuple[int, int]]], rules: Rules) -> Iterator[Pair]:
    midnight = datetime.combine(day, time())
    for start, end in weekly.get(day.weekday(), ()):
        begins, ends = (midnight + timedelta(minutes=minutes) for minutes in (start, end))
        yield begins.replace(tzinfo=rules.zone).astimezone(UTC), ends.replace(tzinfo=rules.zone).astimezone(UTC)


def _grid(start: datetime, end: datetime, rules: Rules) -> Iterator[datetime]:
    at, length, step = start, timedelta(minutes=rules.minutes), timedelta(minutes=rules.step)
    while at + length <= end:
        yield at
        at += step


def _free(at: datetime, busy: Sequence[Pair], rules: Rules) -> bool:
    begins = at - timedelta(minutes=rules.before)
    ends = at + timedelta(minutes=rules.minutes + rules.after)
    return not any(start < ends and begins < end for start, end in busy)
