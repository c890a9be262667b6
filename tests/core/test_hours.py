"""Weekly hours and exceptions in a coach's zone, also where clocks change."""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from microsite.core.hours import Window
from microsite.core.hours import at_local
from microsite.core.hours import days
from microsite.core.hours import local_day
from microsite.core.hours import midnight
from microsite.core.hours import midnights
from microsite.core.hours import open_spans
from microsite.core.hours import week_of
from microsite.core.spans import DAY
from microsite.core.spans import Spans

from .conftest import utc

ZONES = [
    "Europe/Berlin",
    "Africa/Casablanca",
    "America/New_York",
    "Australia/Lord_Howe",
    "Asia/Kathmandu",
    "America/Santiago",
    "Pacific/Apia",
    "Asia/Gaza",
    "America/Havana",
    "Asia/Jakarta",
]
MINUTES = st.integers(0, 96).map(lambda quarter: quarter * 15)
WINDOWS: st.SearchStrategy[list[Window]] = st.lists(
    st.tuples(MINUTES, MINUTES).map(lambda w: (min(w), max(w))), max_size=3
)


def exactly(day: date, minutes: int, zone: ZoneInfo) -> int:
    """A wall-clock time looked up on its own; 1440 is the next day's midnight."""
    wall = datetime(day.year, day.month, day.day) + timedelta(minutes=minutes)  # noqa: DTZ001
    return int(wall.replace(tzinfo=zone).astimezone(UTC).timestamp())


@settings(max_examples=300, deadline=None)
@given(
    st.sampled_from(ZONES),
    st.dates(date(2025, 1, 1), date(2027, 12, 31)),
    st.integers(0, 70),
    st.dictionaries(st.integers(0, 6), WINDOWS, max_size=7),
    st.dictionaries(st.integers(0, 70), WINDOWS, max_size=4),
)
def test_hours_are_those_of_an_exact_look_up(
    name: str, first: date, length: int, weekly: dict[int, list[Window]], changed: dict[int, list[Window]]
) -> None:
    zone = ZoneInfo(name)
    exceptions = {first + timedelta(days=n): windows for n, windows in changed.items()}
    last = first + timedelta(days=length)
    expected = [
        (exactly(day, start, zone), exactly(day, end, zone))
        for day in days(first, last)
        for start, end in (exceptions[day] if day in exceptions else weekly.get(day.weekday(), []))
    ]
    assert open_spans(weekly, exceptions, zone, first, last) == Spans.of(expected)


@pytest.mark.parametrize("name", ZONES)
def test_midnights_begin_their_days(name: str) -> None:
    zone = ZoneInfo(name)
    first, last = date(2025, 1, 1), date(2027, 12, 31)
    begins = midnights(first, last, zone)
    assert len(begins) == len(list(days(first, last))) + 1
    for day, begin in zip(days(first, last + timedelta(days=1)), begins, strict=True):
        assert begin == midnight(day, zone)
        assert local_day(begin, zone) == day
        assert local_day(begin - 1, zone) == day - timedelta(days=1)


LOCAL = [
    ("Asia/Jakarta", "2026-11-23", 540, "2026-11-23T02:00", "an ordinary day"),
    ("Asia/Jakarta", "2026-11-23", 1440, "2026-11-23T17:00", "24:00 is the next midnight"),
    ("Europe/Berlin", "2026-03-29", 60, "2026-03-29T00:00", "before the gap"),
    ("Europe/Berlin", "2026-03-29", 150, "2026-03-29T01:30", "2:30 is skipped and moves to 3:30"),
    ("Europe/Berlin", "2026-03-29", 540, "2026-03-29T07:00", "9:00 of a day of 23 hours"),
    ("Europe/Berlin", "2026-10-25", 150, "2026-10-25T00:30", "2:30 comes twice: the first one"),
    ("Europe/Berlin", "2026-10-25", 540, "2026-10-25T08:00", "9:00 of a day of 25 hours"),
    ("Australia/Lord_Howe", "2026-04-05", 540, "2026-04-04T22:30", "half an hour back: 9:00 at UTC+10:30"),
    ("America/Santiago", "2026-09-06", 0, "2026-09-06T04:00", "midnight is skipped: the day begins at 1:00"),
    ("America/Havana", "2026-11-01", 0, "2026-11-01T04:00", "midnight comes twice: the day begins with the first"),
]


@pytest.mark.parametrize(("zone", "day", "minutes", "expected", "words"), LOCAL, ids=[words for *_, words in LOCAL])
def test_a_wall_clock_time_is_found(zone: str, day: str, minutes: int, expected: str, words: str) -> None:
    assert at_local(date.fromisoformat(day), minutes, ZoneInfo(zone)) == utc(expected), words


NINE_TO_TWELVE = (540, 720)
MONDAY = date(2026, 11, 23)
HOURS = [
    ({0: [NINE_TO_TWELVE]}, {}, 1, "one Monday"),
    ({1: [NINE_TO_TWELVE]}, {}, 0, "not on Tuesdays"),
    ({}, {MONDAY: [NINE_TO_TWELVE]}, 1, "an exception opens a closed day"),
    ({0: [NINE_TO_TWELVE]}, {MONDAY: []}, 0, "an empty exception closes an open day"),
    ({0: [(600, 720)]}, {MONDAY: [NINE_TO_TWELVE]}, 1, "an exception replaces the whole day"),
    ({0: [(540, 600), (600, 720)]}, {}, 1, "touching windows become one"),
]


@pytest.mark.parametrize(("weekly", "exceptions", "count", "words"), HOURS, ids=[words for *_, words in HOURS])
def test_weekly_hours_and_exceptions(
    weekly: dict[int, list[Window]], exceptions: dict[date, list[Window]], count: int, words: str
) -> None:
    spans = open_spans(weekly, exceptions, ZoneInfo("Asia/Jakarta"), MONDAY, MONDAY)
    expected = [(utc("2026-11-23T02:00"), utc("2026-11-23T05:00"))] * count
    assert [tuple(span) for span in spans] == expected, words


def test_a_whole_week_of_days_from_midnight_to_midnight_is_one_span() -> None:
    weekly = {n: [(0, 1440)] for n in range(7)}
    spans = open_spans(weekly, {}, ZoneInfo("Europe/Berlin"), date(2026, 3, 23), date(2026, 3, 29))
    assert [end - start for start, end in spans] == [7 * DAY - 3600]


def test_weeks_begin_on_monday() -> None:
    assert week_of(date(2026, 11, 29)) == MONDAY
    assert week_of(MONDAY) == MONDAY
