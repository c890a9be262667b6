"""The picker's arithmetic: which day is shown, whose day it is, and where the arrows lead."""

from datetime import date
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from microsite.core.hours import midnight
from microsite.web import picker as picking
from microsite.web.dates import part_of_day
from microsite.web.picker import pick
from microsite.web.picker import read_day

JAKARTA = ZoneInfo("Asia/Jakarta")


def at(text: str, zone: ZoneInfo = JAKARTA) -> int:
    """`2026-11-25 08:00` in a zone, as UTC seconds."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


STARTS = [at("2026-11-25 08:00"), at("2026-11-25 13:00"), at("2026-11-27 19:00"), at("2026-12-15 16:00")]


@pytest.mark.parametrize(
    ("wanted", "shown", "moved", "words"),
    [
        (None, "2026-11-25", False, "no wish: the first free day"),
        ("2026-11-27", "2026-11-27", False, "a free day"),
        ("2026-11-26", "2026-11-27", True, "a full day: the next free one"),
        ("2026-01-01", "2026-11-25", True, "the past: the first"),
        ("2027-06-01", "2026-12-15", True, "beyond the horizon: the last"),
    ],
)
def test_the_day_shown_is_always_one_with_free_times(wanted: str, shown: str, moved: bool, words: str) -> None:
    picker = pick(STARTS, JAKARTA, date.fromisoformat(wanted) if wanted else None)
    assert picker is not None
    assert (picker.day, picker.moved) == (date.fromisoformat(shown), moved), words
    assert picker.free > 0


def test_arrows_skip_empty_days_weeks_and_months() -> None:
    picker = pick(STARTS, JAKARTA, date(2026, 11, 27))
    assert picker is not None
    assert (picker.previous_day, picker.next_day) == (date(2026, 11, 25), date(2026, 12, 15))
    assert (picker.previous_week, picker.next_week) == (None, date(2026, 12, 15))
    assert (picker.previous_month, picker.next_month) == (None, date(2026, 12, 15))
    later = pick(STARTS, JAKARTA, date(2026, 12, 15))
    assert later is not None
    assert (later.previous_week, later.previous_month) == (date(2026, 11, 25), date(2026, 11, 25))


def test_days_are_the_visitors_own() -> None:
    """19:00 on Friday in Jakarta is Saturday in Auckland; 08:00 on Wednesday is Tuesday in New York."""
    auckland = pick(STARTS, ZoneInfo("Pacific/Auckland"), date(2026, 11, 28))
    new_york = pick(STARTS, ZoneInfo("America/New_York"), None)
    assert auckland is not None
    assert new_york is not None
    assert (auckland.day, auckland.moved) == (date(2026, 11, 28), False)
    assert (new_york.day, new_york.bands[0].part) == (date(2026, 11, 24), "malam")


def test_times_are_grouped_by_part_of_the_day() -> None:
    starts = [at(f"2026-11-25 {hour}") for hour in ("01:00", "04:00", "09:59", "10:00", "14:59", "15:00", "18:00")]
    picker = pick(starts, JAKARTA, None)
    assert picker is not None
    assert [(band.part, len(band.starts)) for band in picker.bands] == [
        ("dini", 1),
        ("pagi", 2),
        ("siang", 2),
        ("sore", 1),
        ("malam", 1),
    ]


def test_the_week_begins_on_monday_and_counts_free_times() -> None:
    picker = pick(STARTS, JAKARTA, None)
    assert picker is not None
    assert [(cell.day.day, cell.free) for cell in picker.week] == [
        (23, 0),
        (24, 0),
        (25, 2),
        (26, 0),
        (27, 1),
        (28, 0),
        (29, 0),
    ]
    assert [cell.day.day for cell in picker.week if cell.chosen] == [25]
    assert all(len(row) == 7 and row[0].day.weekday() == 0 for row in picker.month)


def test_nothing_free_is_no_picker() -> None:
    assert pick([], JAKARTA, date(2026, 11, 25)) is None


@pytest.mark.parametrize(
    "text", [None, "", "tomorrow", "2026-13-01", "2026-11-31", "20261125", "2026-W48-1", "x" * 5000]
)
def test_an_odd_day_is_no_wish(text: str | None) -> None:
    assert read_day(text) is None


@pytest.mark.parametrize("zone", ["Asia/Jakarta", "Europe/Berlin", "Australia/Lord_Howe", "America/New_York"])
def test_each_start_stands_in_the_part_of_the_day_that_its_own_clock_says(zone: str) -> None:
    """Also on the days on which the clock is changed."""
    where = ZoneInfo(zone)
    for day in (date(2026, 3, 8), date(2026, 3, 29), date(2026, 4, 5), date(2026, 10, 25), date(2026, 11, 23)):
        starts = list(range(midnight(day, where), midnight(day + picking.ONE, where), 900))
        found = picking.bands(starts, where, day)
        assert [at for band in found for at in band.starts] == starts
        assert all(part_of_day(at, where) == band.part for band in found for at in band.starts)
