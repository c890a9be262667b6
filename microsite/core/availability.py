"""Which starts may be offered, and why another may not. Pure; every time is UTC seconds.

The grid of starts begins anew at the start of each open span and at each local midnight inside one, so it never
depends on when it is asked for. Buffers: against busy time a session brings its own before and after; between two
bookings the gap is at least the larger of the earlier one's after and the later one's before. Buffers may lie outside
open hours.
"""

from array import array
from bisect import bisect_left
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable
from collections.abc import Iterator
from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from itertools import chain
from typing import NamedTuple
from zoneinfo import ZoneInfo

from .hours import local_day
from .hours import midnight
from .hours import midnights
from .hours import week_of
from .spans import MINUTE
from .spans import Span
from .spans import Spans


class Rules(NamedTuple):
    """What an offer asks of a start. Minutes, but `horizon` which is days; a cap of 0 means none."""

    minutes: int
    step: int
    before: int
    after: int
    notice: int
    horizon: int
    zone: ZoneInfo
    per_day: int = 0
    per_week: int = 0
    coach_per_day: int = 0
    coach_per_week: int = 0


class Taken(NamedTuple):
    """A live booking as the slot engine sees it: when, its own buffers (minutes), and whether its offer is the same."""

    start: int
    end: int
    before: int
    after: int
    same_offer: bool = False


class Reason(NamedTuple):
    """One rule that speaks against a start. `name` is a calendar's or a booking reference, never a title."""

    rule: str
    name: str = ""
    span: Span | None = None


class Times(NamedTuple):
    """All that decides about starts at one moment: open time, busy time by calendar name, live bookings, rules, now."""

    open: Spans
    busy: Spans
    taken: Sequence[Taken]
    rules: Rules
    now: int

    @property
    def earliest(self) -> int:
        """The first start that minimum notice allows."""
        return self.now + self.rules.notice * MINUTE

    @property
    def latest(self) -> int:
        """The end of the last local day inside the horizon; every start is before it."""
        last = local_day(self.now, self.rules.zone) + timedelta(days=self.rules.horizon + 1)
        return midnight(last, self.rules.zone)


def offer(times: Times, start: int = 0, end: int = 1 << 62) -> list[int]:
    """The starts in [start, end) that may be booked, rising."""
    low, high = max(start, times.earliest), min(end, times.latest)
    if low >= high:
        return []
    rules = times.rules
    lead, tail = (rules.minutes + rules.after) * MINUTE - 1, rules.before * MINUTE
    full = _full_days(times)
    found = _free(_grids(times, low, high), times.busy, lead, tail)
    for taken in times.taken:
        first, after = _forbidden_by(taken, rules)
        del found[bisect_left(found, first) : bisect_left(found, after)]
    if not full.days and not full.weeks:
        return found
    return [at for at in found if not full.holds(local_day(at, times.rules.zone))]


def renewed(times: Times, before: Times, starts: "array[int]") -> "array[int]":
    """The same as `offer(times)`, where `offer(before)` was `starts`: only what may have changed is worked out.

    A calendar that changes mostly changes an hour, and a start depends on nothing farther from it than its buffers.
    """
    same = (times.open, times.rules, times.latest) == (before.open, before.rules, before.latest)
    # Under a cap a booking closes a day or a week, not only its own hour.
    if not same or times.now < before.now or (times.taken != before.taken and _capped(times.rules)):
        return array("q", offer(times))
    low, high = _touched(times, before)
    kept = bisect_left(starts, times.earliest)
    if low < high:
        first, after = bisect_left(starts, low, kept), bisect_left(starts, high, kept)
        return starts[kept:first] + array("q", offer(times, low, high)) + starts[after:]
    return starts[kept:]


def offered(times: Times, at: int) -> bool:
    """Whether exactly this start is offered now."""
    return offer(times, at, at + 1) == [at]


def nearest(times: Times, at: int, count: int = 3) -> list[int]:
    """Up to `count` offered starts closest to an instant, in order of time."""
    starts = offer(times)
    return sorted(sorted(starts, key=lambda start: (abs(start - at), start))[:count])


def explain(times: Times, at: int, busy_by_name: Iterable[tuple[str, Spans]], refs: Sequence[str]) -> list[Reason]:
    """Every rule that speaks against this start; an empty list means it is offered.

    `busy_by_name` splits the busy time by calendar, `refs` names the bookings of `times.taken` in the same order.
    """
    rules = times.rules
    end = at + rules.minutes * MINUTE
    reasons: list[Reason] = []
    if at < times.earliest:
        reasons.append(Reason("notice", span=Span(times.now, times.earliest)))
    if at >= times.latest:
        reasons.append(Reason("horizon", span=Span(times.latest, at)))
    if not times.open.covers(at, end):
        reasons.append(Reason("closed"))
    elif not any(at in grid for grid in _grids(times, at, at + 1)):
        reasons.append(Reason("grid"))
    for name, spans in busy_by_name:
        hits = spans.within(at - rules.before * MINUTE, end + rules.after * MINUTE)
        reasons.extend(Reason("busy", name, span) for span in hits)
    for taken, ref in zip(times.taken, refs, strict=True):
        low, high = _forbidden_by(taken, rules)
        if low <= at < high:
            reasons.append(Reason("booking", ref, Span(taken.start, taken.end)))
    full, day = _full_days(times), local_day(at, rules.zone)
    if day in full.days:
        reasons.append(Reason("day-full"))
    if week_of(day) in full.weeks:
        reasons.append(Reason("week-full"))
    return reasons


def obstacles(times: Times, at: int) -> bool:
    """Whether anything stands in the way of a start that was already given: closed, busy or booked time.

    Notice, horizon, grid and caps are not asked again: they decide about offering, not about keeping.
    """
    rules = times.rules
    end = at + rules.minutes * MINUTE
    if not times.open.covers(at, end) or times.busy.touches(at - rules.before * MINUTE, end + rules.after * MINUTE):
        return True
    return any(low <= at < high for low, high in (_forbidden_by(taken, rules) for taken in times.taken))


class _Full(NamedTuple):
    days: frozenset[date]
    weeks: frozenset[date]

    def holds(self, day: date) -> bool:
        return day in self.days or week_of(day) in self.weeks


def _touched(times: Times, before: Times) -> tuple[int, int]:
    """The run of starts that a difference in busy time or bookings can reach; empty where there is none."""
    rules = times.rules
    moved = {*times.taken} ^ {*before.taken} if times.taken != before.taken else ()
    stretches = [_forbidden_by(taken, rules) for taken in moved]
    if times.busy is not before.busy and (span := times.busy.differs(before.busy)):
        lead, tail = (rules.minutes + rules.after) * MINUTE, rules.before * MINUTE
        stretches.append((span.start - lead, span.end + tail))
    return min((low for low, _ in stretches), default=0), max((high for _, high in stretches), default=0)


def _capped(rules: Rules) -> bool:
    return bool(rules.per_day or rules.per_week or rules.coach_per_day or rules.coach_per_week)


def _full_days(times: Times) -> _Full:
    rules = times.rules
    if not _capped(rules):
        return _Full(frozenset(), frozenset())
    mine = [local_day(t.start, rules.zone) for t in times.taken if t.same_offer]
    every = [local_day(t.start, rules.zone) for t in times.taken]
    days = _at_cap(mine, rules.per_day) | _at_cap(every, rules.coach_per_day)
    weeks = _at_cap(map(week_of, mine), rules.per_week) | _at_cap(map(week_of, every), rules.coach_per_week)
    return _Full(days, weeks)


def _at_cap(dates: Iterable[date], cap: int) -> frozenset[date]:
    return frozenset(day for day, count in Counter(dates).items() if cap and count >= cap)


def _forbidden_by(taken: Taken, rules: Rules) -> tuple[int, int]:
    """The half-open run of starts that a booking makes impossible."""
    gap_before = max(rules.after, taken.before) * MINUTE
    gap_after = max(rules.before, taken.after) * MINUTE
    return taken.start - gap_before - rules.minutes * MINUTE + 1, taken.end + gap_after


def _grids(times: Times, low: int, high: int) -> list[range]:
    """The candidate starts in [low, high), as ranges: one for each open span and local day."""
    zone, edges = times.rules.zone, times.open.edges
    length, step = times.rules.minutes * MINUTE, times.rules.step * MINUTE
    begins = midnights(local_day(low, zone), local_day(high, zone), zone)
    first, after = bisect_right(edges, low) & ~1, bisect_left(edges, high)
    found: list[range] = []
    day = 1
    ends = begins[day]
    for anchor, closes in zip(edges[first:after:2], edges[first + 1 : after + 1 : 2], strict=True):
        stop = closes - length
        stop = stop + 1 if stop < high else high
        while ends <= anchor:
            day += 1
            ends = begins[day]
        if anchor >= low and stop <= ends:
            # Almost every span: it lies in one local day. An empty range does no harm.
            found.append(range(anchor, stop, step))
        else:
            found.extend(_by_days(anchor, stop, begins, day, low, step))
    return found


def _by_days(anchor: int, stop: int, begins: Sequence[int], day: int, low: int, step: int) -> Iterator[range]:
    """The grids of one open span that goes over midnight, or that began before `low`."""
    anchor = max(anchor, begins[day - 1])
    while anchor < stop:
        ends = min(stop, begins[day])
        first = anchor if anchor >= low else anchor - (anchor - low) // step * step
        if first < ends:
            yield range(first, ends, step)
        anchor = ends
        if anchor == begins[day]:
            day += 1


def _free(grids: Sequence[range], busy: Spans, lead: int, tail: int) -> list[int]:
    """The starts on these grids that no busy span bars, from `lead` seconds before it to `tail` seconds after it.

    This is the hot loop: a bisection for each grid, a walk over the spans that matter, whole ranges of starts at once.
    """
    edges = busy.edges
    count = len(edges)
    found: list[int] = []
    if not count:
        found.extend(chain.from_iterable(grids))
        return found
    first = 0
    for grid in grids:
        at, end, step = grid.start, grid.stop, grid.step
        first = bisect_right(edges, at - tail, first) & ~1
        for i in range(first, count, 2):
            barred = edges[i] - lead
            if barred >= end:
                break
            if at < barred:
                if barred - at > step:
                    found.extend(range(at, barred, step))
                else:  # room for one: between busy hours there seldom is more
                    found.append(at)
            free = edges[i + 1] + tail
            if at < free:
                at -= (at - free) // step * step
                if at >= end:
                    break
        if at < end:
            found.extend(grid if at == grid.start else range(at, end, step))
    return found
