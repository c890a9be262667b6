"""Whatever the calendar, the slot engine offers what the rules in words say: checked minute by minute."""

from array import array
from datetime import timedelta

import pytest
from hypothesis import HealthCheck
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from microsite.core.availability import Times
from microsite.core.availability import explain
from microsite.core.availability import nearest
from microsite.core.availability import obstacles
from microsite.core.availability import offer
from microsite.core.availability import offered
from microsite.core.availability import renewed
from microsite.core.spans import Spans

from . import oracle
from .conftest import Case
from .conftest import bookings
from .conftest import cases

RELAXED = settings(
    deadline=timedelta(seconds=10), suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large]
)


@settings(RELAXED, max_examples=1_000)
@given(cases())
def test_the_engine_offers_exactly_what_the_oracle_does(case: Case) -> None:
    opened, busy, times = case
    assert offer(times) == oracle.offered_starts(opened, busy, list(times.taken), times.rules, times.now)


@settings(RELAXED, max_examples=400)
@given(cases(), st.data())
def test_a_part_of_the_time_gives_that_part_of_the_starts(case: Case, data: st.DataObject) -> None:
    """The grid must not depend on which part is asked for."""
    times = case[2]
    low = times.now + data.draw(st.integers(-86400, 4 * 86400))
    high = low + data.draw(st.integers(0, 2 * 86400))
    assert offer(times, low, high) == [at for at in offer(times) if low <= at < high]


@st.composite
def happened(draw: st.DrawFn, times: Times) -> Times:
    """The same coach a moment or a day later: with other events, bookings or hours, or as she was."""
    base, rules = times.now, times.rules
    taken = list(times.taken)
    if taken and draw(st.booleans()):
        taken.pop(draw(st.integers(0, len(taken) - 1)))
    if draw(st.booleans()):
        taken.extend(draw(bookings(base, 4))[:2])
    busy = times.busy
    if draw(st.booleans()):
        start = base + 60 * draw(st.integers(-1440, 4 * 1440))
        event = Spans.of([(start, start + 60 * draw(st.integers(1, 300)))])
        busy = busy.union(event) if draw(st.booleans()) else busy.subtract(event)
    opened = times.open.clip(base, base + 86400) if draw(st.integers(0, 9)) == 0 else times.open
    rules = rules._replace(minutes=rules.minutes + 15) if draw(st.integers(0, 9)) == 0 else rules
    later = draw(st.sampled_from([-3600, 0, 0, 0, 1, 299, 3600, 86400]))
    return Times(opened, busy, taken, rules, base + later)


@settings(RELAXED, max_examples=1_000)
@given(cases(), st.data())
def test_what_is_worked_out_around_a_change_is_what_is_worked_out_anew(case: Case, data: st.DataObject) -> None:
    """Through several changes, each on what the last one left."""
    before = case[2]
    starts = array("q", offer(before))
    for _ in range(3):
        times = data.draw(happened(before))
        starts = renewed(times, before, starts)
        assert list(starts) == offer(times)
        before = times


@settings(RELAXED, max_examples=400)
@given(cases())
def test_no_offered_start_comes_near_busy_time(case: Case) -> None:
    _, busy, times = case
    for at in offer(times):
        begins, ends = at - times.rules.before * 60, at + (times.rules.minutes + times.rules.after) * 60
        assert not any(start < ends and begins < end for start, end in busy if start < end)
        assert times.open.covers(at, at + times.rules.minutes * 60)
        assert not obstacles(times, at)


@settings(RELAXED, max_examples=150)
@given(cases())
def test_every_offered_start_can_be_booked_and_its_neighbours_can_not(case: Case) -> None:
    times = case[2]
    starts = set(offer(times))
    for at in sorted(starts)[:12]:
        assert offered(times, at)
        for other in (at - 60, at + 60, at - 1, at + 1):
            assert offered(times, other) == (other in starts)


@settings(RELAXED, max_examples=250)
@given(cases(), st.data())
def test_a_start_is_offered_exactly_when_nothing_speaks_against_it(case: Case, data: st.DataObject) -> None:
    _, _, times = case
    refs = [f"REF{n}" for n in range(len(times.taken))]
    starts = offer(times)
    asked = data.draw(st.lists(st.integers(times.now // 60, times.now // 60 + 5 * 1440), max_size=6))
    for at in [*starts[:6], *(minute * 60 for minute in asked)]:
        reasons = explain(times, at, [("private", times.busy)], refs)
        assert (reasons == []) == (at in starts), reasons


@settings(RELAXED, max_examples=200)
@given(cases(), st.integers(-86400, 4 * 86400), st.integers(0, 4))
def test_the_nearest_starts_are_the_nearest(case: Case, away: int, count: int) -> None:
    times = case[2]
    at = times.now + away
    found, starts = nearest(times, at, count), offer(times)
    assert found == sorted(found)
    assert len(found) == min(count, len(starts))
    rest = [start for start in starts if start not in found]
    assert all(abs(start - at) <= abs(other - at) for start in found for other in rest)


@pytest.mark.parametrize("break_it", ["grid", "buffer", "cap"])
def test_the_oracle_would_notice(break_it: str) -> None:
    """The comparison is worth something only if a broken engine fails it; here a broken rule stands in for one."""
    seen: list[bool] = []

    @settings(RELAXED, max_examples=120, database=None, derandomize=True)
    @given(cases())
    def compare(case: Case) -> None:
        opened, busy, times = case
        rules = times.rules
        changed = {
            "grid": rules._replace(step=rules.step + 5),
            "buffer": rules._replace(before=rules.before + 1),
            "cap": rules._replace(coach_per_week=rules.coach_per_week + 1),
        }[break_it]
        expected = oracle.offered_starts(opened, busy, list(times.taken), rules, times.now)
        seen.append(offer(times._replace(rules=changed)) == expected)

    compare()
    assert False in seen
