"""What is offered and why not, as tables: one Monday in Jakarta, open from 9:00 to 12:00, an hour on the half hour."""

from typing import Any
from zoneinfo import ZoneInfo

import pytest

from microsite.core.availability import Reason
from microsite.core.availability import Rules
from microsite.core.availability import Taken
from microsite.core.availability import Times
from microsite.core.availability import explain
from microsite.core.availability import nearest
from microsite.core.availability import obstacles
from microsite.core.availability import offer
from microsite.core.availability import offered
from microsite.core.spans import Span
from microsite.core.spans import Spans

from .conftest import JAKARTA
from .conftest import local

DAY = "2026-11-23"
PLAIN = Rules(minutes=60, step=30, before=0, after=0, notice=0, horizon=60, zone=JAKARTA)
SUNDAY_NOON = local("2026-11-22T12:00")
ALL = ["09:00", "09:30", "10:00", "10:30", "11:00"]


def at(clock: str, day: str = DAY) -> int:
    return local(f"{day}T{clock}")


def span(text: str) -> tuple[int, int]:
    """`9:00-10:00` of the Monday."""
    start, end = text.split("-")
    return at(start), at(end)


def times(
    opened: tuple[str, ...] = ("09:00-12:00",),
    busy: tuple[str, ...] = (),
    taken: tuple[Taken, ...] = (),
    now: int = SUNDAY_NOON,
    **rules: Any,
) -> Times:
    return Times(Spans.of(map(span, opened)), Spans.of(map(span, busy)), taken, PLAIN._replace(**rules), now)


def booking(text: str, before: int = 0, after: int = 0, same_offer: bool = False) -> Taken:
    return Taken(*span(text), before, after, same_offer)


SUNDAY = Taken(at("09:00", "2026-11-29"), at("10:00", "2026-11-29"), 0, 0, True)
SUNDAY_BEFORE = Taken(at("09:00", "2026-11-22"), at("10:00", "2026-11-22"), 0, 0, True)
OFFERED: list[tuple[dict[str, Any], list[str], str]] = [
    ({}, ALL, "nothing in the way: the last hour ends with open time"),
    ({"step": 60}, ["09:00", "10:00", "11:00"], "step"),
    ({"step": 45}, ["09:00", "09:45", "10:30"], "a step that does not divide the hour"),
    ({"minutes": 180}, ["09:00"], "as long as open time"),
    ({"minutes": 185}, [], "longer than open time"),
    ({"minutes": 30}, [*ALL, "11:30"], "shorter sessions"),
    ({"opened": ("09:10-12:00",)}, ["09:10", "09:40", "10:10", "10:40"], "the grid begins where open time begins"),
    ({"opened": ("09:00-10:00", "10:00-12:00")}, ALL, "touching open times are one"),
    ({"opened": ("09:00-10:00", "10:15-12:00")}, ["09:00", "10:15", "10:45"], "a gap begins a new grid"),
    ({"opened": ()}, [], "closed"),
    ({"busy": ("10:00-10:30",)}, ["09:00", "10:30", "11:00"], "busy: back to back is fine"),
    ({"busy": ("09:59-10:00",)}, ["10:00", "10:30", "11:00"], "one busy minute is enough"),
    ({"busy": ("08:00-09:00", "12:00-13:00")}, ALL, "busy time outside touches nothing"),
    ({"busy": ("08:00-13:00",)}, [], "busy all along"),
    ({"busy": ("10:00-10:30",), "before": 15}, ["09:00", "11:00"], "a buffer before: not straight after busy time"),
    ({"busy": ("10:30-11:00",), "after": 15}, ["09:00", "11:00"], "a buffer after: not up to busy time"),
    ({"busy": ("08:00-09:00",), "before": 15}, ALL[1:], "a buffer before may not lie in busy time"),
    ({"before": 60, "after": 60}, ALL, "buffers may lie outside open hours"),
    ({"taken": (booking("10:00-11:00"),)}, ["09:00", "11:00"], "a booking"),
    ({"taken": (booking("10:00-11:00", 0, 30),)}, ["09:00"], "its own buffer after"),
    ({"taken": (booking("10:00-11:00", 30, 0),)}, ["11:00"], "its own buffer before"),
    ({"taken": (booking("10:00-11:00", 30, 30),), "before": 15, "after": 15}, [], "the larger buffer on each side"),
    ({"taken": (booking("09:00-09:30", 0, 30),), "before": 30}, ALL[2:], "buffers between bookings do not add up"),
    ({"taken": (booking("09:00-09:30", 0, 15),), "before": 31}, ALL[3:], "the later one's before may be the larger"),
    ({"now": at("09:30")}, ALL[1:], "exactly now is not too late"),
    ({"now": at("09:31")}, ALL[2:], "a minute later it is"),
    ({"now": at("08:00"), "notice": 120}, ALL[2:], "minimum notice"),
    ({"now": local("2026-11-20T23:59"), "horizon": 3}, ALL, "the whole third day is inside the horizon"),
    ({"now": local("2026-11-20T23:59"), "horizon": 2}, [], "the third day is not inside two"),
    ({"taken": (booking("09:00-10:00", same_offer=True),), "per_day": 1}, [], "cap of the offer a day"),
    ({"taken": (booking("09:00-10:00"),), "per_day": 1}, ALL[2:], "another offer does not count for it"),
    ({"taken": (booking("09:00-10:00"),), "coach_per_day": 1}, [], "cap of the coach a day"),
    ({"taken": (booking("09:00-10:00"),), "coach_per_day": 2}, ALL[2:], "one more fits"),
    ({"taken": (SUNDAY,), "per_week": 1}, [], "Sunday is the same week"),
    ({"taken": (SUNDAY_BEFORE,), "per_week": 1}, ALL, "last Sunday is not"),
    ({"taken": (SUNDAY._replace(same_offer=False),), "coach_per_week": 1}, [], "cap of the coach a week"),
]  # fmt: skip


@pytest.mark.parametrize(("given", "starts", "words"), OFFERED, ids=[words for *_, words in OFFERED])
def test_starts_are_offered(given: dict[str, Any], starts: list[str], words: str) -> None:
    assert offer(times(**given)) == [at(clock) for clock in starts], words


def test_the_grid_begins_anew_at_midnight_inside_open_time() -> None:
    opened = Spans.of([(at("22:10"), at("02:00", "2026-11-24"))])
    clocks = [at("22:10"), at("23:10"), at("00:00", "2026-11-24"), at("01:00", "2026-11-24")]
    assert offer(Times(opened, Spans(), (), PLAIN._replace(step=60), SUNDAY_NOON)) == clocks


def test_the_grid_of_a_long_span_does_not_depend_on_when_it_is_asked_for() -> None:
    opened = Spans.of([(at("09:10", "2026-11-01"), at("18:00", "2026-11-30"))])
    long = Times(opened, Spans(), (), PLAIN._replace(step=45), SUNDAY_NOON)
    assert offer(long, at("00:01"), at("01:00")) == [at("00:45")]


def test_the_grid_follows_the_clock_over_a_change() -> None:
    """Open all day on 29 March 2026 in Berlin: starts each hour, none at the hour that does not exist."""
    berlin = ZoneInfo("Europe/Berlin")
    opened = Spans.of([(local("2026-03-29T00:00", berlin), local("2026-03-30T00:00", berlin))])
    rules = PLAIN._replace(zone=berlin, step=60)
    starts = offer(Times(opened, Spans(), (), rules, local("2026-03-28T12:00", berlin)))
    assert len(starts) == 23
    assert local("2026-03-29T03:00", berlin) in starts


def test_exactly_one_start_can_be_asked_for() -> None:
    assert offered(times(), at("09:30"))
    assert not offered(times(), at("09:30") + 1)
    assert not offered(times(), at("09:15"))
    assert not offered(times(), at("11:30"))


def test_the_nearest_starts_come_in_order_of_time() -> None:
    assert nearest(times(), at("10:00"), 3) == [at("09:30"), at("10:00"), at("10:30")]
    assert nearest(times(), at("20:00"), 2) == [at("10:30"), at("11:00")]
    assert nearest(times(opened=()), at("10:00")) == []


WHY: list[tuple[dict[str, Any], str, list[Reason], str]] = [
    ({}, "09:30", [], "offered"),
    ({"now": at("09:00"), "notice": 60}, "09:30", [Reason("notice", span=Span(at("09:00"), at("10:00")))], "too soon"),
    ({}, "08:00", [Reason("closed")], "before open hours"),
    ({}, "11:30", [Reason("closed")], "would end after open hours"),
    ({}, "09:15", [Reason("grid")], "between two starts"),
    ({"busy": ("10:00-10:30",)}, "09:30", [Reason("busy", "private", Span(*span("10:00-10:30")))], "busy"),
    ({"taken": (booking("09:00-10:00"),)}, "09:30", [Reason("booking", "K7QD", Span(*span("09:00-10:00")))], "booked"),
    (
        {"taken": (booking("09:00-10:00", same_offer=True),), "per_day": 1, "per_week": 1},
        "11:00",
        [Reason("day-full"), Reason("week-full")],
        "caps",
    ),
    (
        {"busy": ("09:00-09:15",), "taken": (booking("09:00-10:00"),), "now": at("09:10")},
        "09:05",
        [
            Reason("notice", span=Span(at("09:10"), at("09:10"))),
            Reason("grid"),
            Reason("busy", "private", Span(*span("09:00-09:15"))),
            Reason("booking", "K7QD", Span(*span("09:00-10:00"))),
        ],
        "every reason at once",
    ),
]


@pytest.mark.parametrize(("given", "clock", "reasons", "words"), WHY, ids=[words for *_, words in WHY])
def test_a_start_is_explained(given: dict[str, Any], clock: str, reasons: list[Reason], words: str) -> None:
    asked = times(**given)
    assert explain(asked, at(clock), [("private", asked.busy)], ["K7QD"] * len(asked.taken)) == reasons, words


def test_beyond_the_horizon_is_a_reason() -> None:
    asked = times(horizon=1)
    far = at("09:00", "2026-11-30")
    assert Reason("horizon", span=Span(asked.latest, far)) in explain(asked, far, [], [])
    assert asked.latest == at("00:00", "2026-11-24")


KEPT: list[tuple[dict[str, Any], bool, str]] = [
    ({}, False, "nothing in the way"),
    ({"now": at("11:59"), "notice": 5000}, False, "notice is not asked again"),
    ({"step": 7}, False, "nor the grid"),
    ({"taken": (booking("11:00-12:00", same_offer=True),), "per_day": 1}, False, "nor caps"),
    ({"opened": ("10:00-12:00",)}, True, "closed meanwhile"),
    ({"busy": ("10:00-10:10",)}, True, "busy meanwhile"),
    ({"busy": ("10:30-10:40",), "after": 15}, True, "busy inside the buffer"),
    ({"taken": (booking("10:15-11:00"),)}, True, "booked meanwhile"),
]


@pytest.mark.parametrize(("given", "blocked", "words"), KEPT, ids=[words for *_, words in KEPT])
def test_a_start_that_was_given_stays_unless_something_stands_in_its_way(
    given: dict[str, Any], blocked: bool, words: str
) -> None:
    assert obstacles(times(**given), at("09:30")) is blocked, words
