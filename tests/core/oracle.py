"""A second slot engine, written from the rules in words and as naively as can be: one minute after the other.

It shares nothing with `core.availability` but the types. Open hours must begin and end on whole minutes.
"""

from collections.abc import Iterator
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta

from microsite.core.availability import Rules
from microsite.core.availability import Taken

Pair = tuple[int, int]


def local(at: int, rules: Rules) -> datetime:
    """An instant on the coach's clock."""
    return datetime.fromtimestamp(at, UTC).astimezone(rules.zone)


def offered_starts(opened: list[Pair], busy: list[Pair], taken: list[Taken], rules: Rules, now: int) -> list[int]:
    """Every start that the rules allow."""
    minutes = {at for start, end in opened for at in range(start, end, 60)}
    return [at for at in on_grid(minutes, rules) if allowed(at, minutes, busy, taken, rules, now)]


def on_grid(minutes: set[int], rules: Rules) -> Iterator[int]:
    """Starts on the grid, which begins anew where open time begins and at each local midnight inside it."""
    anchor = 0
    for at in sorted(minutes):
        if at - 60 not in minutes or local(at - 60, rules).date() != local(at, rules).date():
            anchor = at
        if (at - anchor) % (rules.step * 60) == 0:
            yield at


def allowed(at: int, minutes: set[int], busy: list[Pair], taken: list[Taken], rules: Rules, now: int) -> bool:
    """Whether every rule but the grid agrees."""
    end = at + rules.minutes * 60
    return (
        at >= now + rules.notice * 60
        and local(at, rules).date() <= local(now, rules).date() + timedelta(days=rules.horizon)
        and all(minute in minutes for minute in range(at, end, 60))
        and not any(near(at, end, start, stop, rules) for start, stop in busy if start < stop)
        and all(far_enough(at, end, other, rules) for other in taken)
        and not full(local(at, rules).date(), taken, rules)
    )


def near(at: int, end: int, start: int, stop: int, rules: Rules) -> bool:
    """Whether a session with its own buffers would touch busy time."""
    return start < end + rules.after * 60 and at - rules.before * 60 < stop


def far_enough(at: int, end: int, other: Taken, rules: Rules) -> bool:
    """Whether the gap to another booking is the larger of the earlier one's after and the later one's before."""
    if other.end <= at:
        return at - other.end >= 60 * max(other.after, rules.before)
    if end <= other.start:
        return other.start - end >= 60 * max(rules.after, other.before)
    return False


def full(day: date, taken: list[Taken], rules: Rules) -> bool:
    """Whether a cap is reached on that day or in its week, which begins on Monday."""
    week = day.isocalendar()[:2]
    days = [(local(other.start, rules).date(), other.same_offer) for other in taken]
    counts = [
        (rules.per_day, sum(same and other == day for other, same in days)),
        (rules.coach_per_day, sum(other == day for other, _ in days)),
        (rules.per_week, sum(same and other.isocalendar()[:2] == week for other, same in days)),
        (rules.coach_per_week, sum(other.isocalendar()[:2] == week for other, _ in days)),
    ]
    return any(cap and count >= cap for cap, count in counts)
