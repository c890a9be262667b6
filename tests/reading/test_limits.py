"""Hostile and broken input: bounded work, closed rather than open, and never an exception out of `read`."""

import time
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import settings
from hypothesis import strategies as st

from microsite.calendars.expand import WARNINGS
from microsite.calendars.expand import read
from microsite.calendars.expand import read_feed
from microsite.core.spans import DAY
from microsite.core.spans import HOUR
from microsite.core.spans import Span
from microsite.core.spans import Spans
from microsite.errors import CalendarMissing
from microsite.errors import CalendarUnsafe

from .conftest import EXPECTED
from .conftest import busy
from .conftest import event
from .conftest import ics_of
from .conftest import rules_of
from .conftest import shown
from .conftest import spans_of
from .conftest import utc

TWENTY = "RRULE:FREQ=DAILY;BYHOUR=" + ",".join(map(str, range(20)))


def test_after_two_thousand_instances_the_rest_of_the_window_is_busy() -> None:
    """20 a day from 1 January: the 2,001st is the first one of day 101, the 11th of April, 00:00 in UTC."""
    ics = event("DTSTART:20260101T000000Z", "DURATION:PT10M", TWENTY)
    reading = busy(ics, end=utc("2026-06-01"))
    spans = list(Spans.unpack(reading.spans))
    assert reading.warning == "too-many"
    assert len(spans) == 2_001
    assert spans[1_999] == Span(utc("2026-04-10T19:00"), utc("2026-04-10T19:10"))
    assert spans[-1] == Span(utc("2026-04-11"), utc("2026-06-01"))


def test_two_thousand_instances_are_still_read_exactly() -> None:
    ics = event("DTSTART:20260101T000000Z", "DURATION:PT10M", TWENTY + ";COUNT=2000")
    reading = busy(ics, end=utc("2026-06-01"))
    assert reading.warning == ""
    assert len(Spans.unpack(reading.spans)) == 2_000


def test_after_two_thousand_instances_nothing_more_is_open() -> None:
    ics = event("DTSTART:20260101T000000Z", "DURATION:PT10M", TWENTY)
    reading = busy(ics, kind="open", end=utc("2026-06-01"))
    assert reading.warning == "too-many"
    assert Spans.unpack(reading.spans).end == utc("2026-04-10T19:10")


def test_too_many_extra_dates_close_the_whole_window() -> None:
    """They are not in the order of time with a rule, so where knowledge ends cannot be said."""
    dates = ",".join(
        f"202601{day:02}T{hour:02}{minute:02}00Z"
        for day in range(1, 30)
        for hour in range(24)
        for minute in (0, 15, 30)
    )
    reading = busy(event("DTSTART:20260101T000000Z", "DURATION:PT5M", f"RDATE:{dates}", "RRULE:FREQ=DAILY"))
    assert reading.warning == "too-many"
    assert list(Spans.unpack(reading.spans)) == [Span(utc("2026-01-01"), utc("2026-04-01"))]


def test_an_endless_list_of_extra_dates_is_not_expanded() -> None:
    dates = ",".join(["20260301T000000Z"] * 10_001)
    reading = busy(event("DTSTART:20260101T000000Z", "DURATION:PT5M", f"RDATE:{dates}"))
    assert reading.warning == "rule"
    assert shown(Spans.unpack(reading.spans)) == ["2026-01-01T00:00:00/2026-01-01T00:05:00"]


@pytest.mark.parametrize(
    "rule",
    [
        "FREQ=SECONDLY",
        "FREQ=MINUTELY;INTERVAL=1",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;INTERVAL=7;BYDAY=SU",
        "FREQ=WEEKLY;BYMONTH=2;BYDAY=MO;BYSETPOS=3",
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR,SA,SU;BYSETPOS=32",
        "FREQ=YEARLY;BYMONTH=4;BYMONTHDAY=31",
        "FREQ=DAILY;BYHOUR=0,1,2,3,4,5;BYMINUTE=0,1,2,3,4,5;BYSECOND=0,1,2,3,4,5",
        "FREQ=DAILY;COUNT=999999;UNTIL=99991231T235959Z",
        "FREQ=DAILY;INTERVAL=99999",
        "FREQ=DAILY;COUNT=5;UNTIL=99991231T235959Z;BYMONTH=2;BYMONTHDAY=30",
    ],
)
def test_no_rule_takes_longer_than_a_moment(rule: str) -> None:
    """Processor time, so that a busy machine does not fail it; the slowest took 0.4 s of it, unbounded ones minutes."""
    began = time.process_time()
    busy(event("DTSTART:20200106T000000Z", "DURATION:PT5M", f"RRULE:{rule}"))
    assert time.process_time() - began < 2.5


def test_too_many_components_are_unreadable_and_a_feed_with_them_is_refused() -> None:
    body = "".join(f"BEGIN:VEVENT\r\nUID:{n}\r\nEND:VEVENT\r\n" for n in range(10_000))
    ics = f"BEGIN:VCALENDAR\r\n{body}END:VCALENDAR\r\n".encode()
    assert busy(ics).warning == "unreadable"
    with pytest.raises(CalendarUnsafe):
        read_feed(ics, "e", rules_of("timed-utc"))


@pytest.mark.parametrize("stem", ["not-a-calendar", "cut-off", "cut-off-before-end"])
def test_a_feed_that_is_no_whole_calendar_is_refused_so_that_the_last_good_copy_stays(stem: str) -> None:
    with pytest.raises(CalendarMissing):
        read_feed(ics_of(stem), "e", rules_of(stem))


def test_a_feed_gives_one_reading_for_each_uid_and_the_same_hrefs_again() -> None:
    readings = read_feed(ics_of("window-edges"), "e", rules_of("window-edges"))
    assert [reading.uid for reading in readings] == ["a", "b", "c"]
    assert [reading.href for reading in readings] == [
        reading.href for reading in read_feed(ics_of("window-edges"), "f", rules_of("window-edges"))
    ]


def test_an_empty_calendar_is_a_feed_with_nothing_in_it() -> None:
    assert read_feed(b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", "e", rules_of("timed-utc")) == []


def test_two_objects_may_define_one_zone_name_differently() -> None:
    """icalendar keeps definitions by name for the whole process: the second object would get the first one's zone."""
    first = busy(ics_of("zone-own-definition-fixed"))
    second = busy(ics_of("zone-own-definition-fixed").replace(b"+0545", b"+0900"))
    again = busy(ics_of("zone-own-definition-fixed"))
    assert shown(Spans.unpack(second.spans)) == ["2026-01-05T01:00:00/2026-01-05T02:00:00"]
    assert first == again


def test_an_unknown_zone_stays_unknown_after_another_object_defined_it() -> None:
    busy(ics_of("zone-own-definition-fixed"))
    assert busy(event("DTSTART;TZID=Home:20260105T090000", "DURATION:PT1H")).warning == "zone"


@settings(max_examples=150, deadline=timedelta(seconds=10))
@given(
    st.sampled_from(sorted(EXPECTED)),
    st.lists(st.tuples(st.integers(0, 3_000), st.integers(0, 40), st.binary(max_size=6)), min_size=1, max_size=4),
    st.sampled_from(["busy", "open"]),
)
def test_damaged_files_never_raise_and_never_leave_the_window(
    stem: str, damages: list[tuple[int, int, bytes]], kind: str
) -> None:
    ics = ics_of(stem)
    for at, length, new in damages:
        ics = ics[:at] + new + ics[at + length :]
    rules = rules_of(stem, kind=kind)
    reading = read("/x", "e", ics, rules)
    assert all(rules.start <= start < end <= rules.end for start, end in Spans.unpack(reading.spans))
    assert reading.warning in ("", *WARNINGS)


FREQUENCIES = st.sampled_from(["DAILY", "WEEKLY", "MONTHLY", "YEARLY", "HOURLY"])
RULE_PARTS = {
    "INTERVAL": st.integers(0, 60).map(str),
    "COUNT": st.integers(0, 400).map(str),
    "BYDAY": st.sampled_from(["MO", "-1FR", "MO,WE", "5SU", "53TH", "SA,SU"]),
    "BYMONTHDAY": st.sampled_from(["1", "31", "-1", "30,31", "-31", "0", "32"]),
    "BYMONTH": st.sampled_from(["1", "2", "12,1", "13", "0"]),
    "BYYEARDAY": st.sampled_from(["1", "366", "-366", "400"]),
    "BYWEEKNO": st.sampled_from(["1", "53", "-1", "54"]),
    "BYHOUR": st.sampled_from(["0", "9,16", "24", "23"]),
    "BYSETPOS": st.sampled_from(["1", "-1", "366", "0"]),
    "WKST": st.sampled_from(["MO", "SU", "XX"]),
}


@settings(max_examples=80, deadline=timedelta(seconds=10))
@given(st.fixed_dictionaries({"FREQ": FREQUENCIES}, optional=RULE_PARTS))
def test_any_rule_at_all_either_expands_or_is_flagged_and_its_own_time_is_closed(parts: dict[str, str]) -> None:
    rule = ";".join(f"{name}={value}" for name, value in parts.items())
    reading = busy(event("DTSTART:20260105T020000Z", "DTEND:20260105T030000Z", f"RRULE:{rule}"))
    assert Spans.unpack(reading.spans).covers(utc("2026-01-05T02:00"), utc("2026-01-05T03:00"))


def test_one_bad_event_of_a_feed_leaves_the_others_alone() -> None:
    readings = read_feed(ics_of("one-bad-one-good"), "e", rules_of("one-bad-one-good"))
    assert [(reading.uid, reading.warning, len(Spans.unpack(reading.spans))) for reading in readings] == [
        ("a", "unreadable", 0),
        ("b", "", 1),
    ]


def test_the_window_is_kept_to_the_second() -> None:
    ics = event("DTSTART:20260105T000000Z", "DTEND:20260106T000000Z")
    reading = busy(ics, start=utc("2026-01-05T12:00"), end=utc("2026-01-05T12:00") + HOUR)
    assert Spans.unpack(reading.spans) == Spans.of([(utc("2026-01-05T12:00"), utc("2026-01-05T13:00"))])
    assert Spans.unpack(busy(ics, start=utc("2026-01-06"), end=utc("2026-01-06") + DAY).spans) == spans_of([])
