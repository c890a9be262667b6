"""Our properties change in the coach's document, and not one byte of the rest."""

import pytest

from microsite.calendars import meaning
from microsite.calendars.patch import patch
from microsite.core.events import EventChanges
from microsite.errors import CalendarChanged

HERS = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//Her app//EN\r\n"
    b"BEGIN:VTIMEZONE\r\nTZID:Asia/Jakarta\r\nBEGIN:STANDARD\r\nDTSTART:19700101T000000\r\nTZOFFSETFROM:+0700\r\n"
    b"TZOFFSETTO:+0700\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
    b"BEGIN:VEVENT\r\nUID:ours\r\nDTSTAMP:20261101T000000Z\r\nDTSTART;TZID=Asia/Jakarta:20261201T100000\r\n"
    b"DTEND;TZID=Asia/Jakarta:20261201T110000\r\nSUMMARY:? Session\r\n  \xc2\xb7 K7QD\r\nSEQUENCE:1\r\n"
    b"X-APPLE-TRAVEL-ADVISORY-BEHAVIOR:AUTOMATIC\r\nCOLOR:teal\r\n"
    b"DESCRIPTION:DTSTART:not this one\\nSUMMARY: nor this\r\n"
    b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nSUMMARY:Her alarm\r\n"
    b"DTSTART:20200101T000000Z\r\nTRIGGER:-PT15M\r\nEND:VALARM\r\n"
    b"END:VEVENT\r\nEND:VCALENDAR\r\n"
)
CHANGES = EventChanges(sequence=2, stamp=1_795_406_400, start=1_796_000_400, end=1_796_004_000)


def test_only_our_lines_differ() -> None:
    before, after = HERS.split(b"\r\n"), patch(HERS, CHANGES).split(b"\r\n")
    assert set(after) - set(before) == {
        b"DTSTAMP:20261123T040000Z",
        b"LAST-MODIFIED:20261123T040000Z",
        b"DTSTART:20261130T010000Z",
        b"DTEND:20261130T020000Z",
        b"SEQUENCE:2",
    }
    assert set(before) - set(after) == {
        b"DTSTAMP:20261101T000000Z",
        b"DTSTART;TZID=Asia/Jakarta:20261201T100000",
        b"DTEND;TZID=Asia/Jakarta:20261201T110000",
        b"SEQUENCE:1",
    }


def test_a_title_is_replaced_with_all_its_folded_lines_and_the_alarm_keeps_its_own() -> None:
    after = patch(HERS, EventChanges(sequence=2, stamp=1_795_406_400, summary="Session; one, two · K7QD"))
    assert b"SUMMARY:Session\\; one\\, two \xc2\xb7 K7QD\r\n" in after
    assert b"? Session" not in after and b"  \xc2\xb7" not in after
    assert b"SUMMARY:Her alarm\r\nDTSTART:20200101T000000Z" in after
    assert b"DTSTART;TZID=Asia/Jakarta:20261201T100000" in after


def test_a_title_with_line_ends_cannot_add_lines() -> None:
    after = patch(HERS, EventChanges(sequence=2, stamp=1_795_406_400, summary="A\r\nATTENDEE:mailto:x@example.org"))
    assert b"\r\nATTENDEE" not in after and b"SUMMARY:A ATTENDEE:mailto:x@example.org" in after


def test_a_long_title_is_folded_between_characters() -> None:
    after = patch(HERS, EventChanges(sequence=2, stamp=1_795_406_400, summary="é" * 100))
    assert max(len(line) for line in after.split(b"\r\n") if b"\xc3" in line) <= 75
    assert meaning.of(after).summary == "é" * 100


def test_a_duration_gives_way_to_an_end() -> None:
    hers = HERS.replace(b"DTEND;TZID=Asia/Jakarta:20261201T110000", b"DURATION:PT1H")
    after = patch(hers, CHANGES)
    assert b"DURATION" not in after and after.count(b"DTEND") == 1


def test_line_ends_stay_as_they_are() -> None:
    after = patch(HERS.replace(b"\r\n", b"\n"), CHANGES)
    assert b"\r" not in after and after == patch(HERS, CHANGES).replace(b"\r\n", b"\n")


def test_the_master_is_changed_and_not_an_exception_that_stands_before_it() -> None:
    exception = (
        b"BEGIN:VEVENT\r\nUID:ours\r\nRECURRENCE-ID:20261208T030000Z\r\nDTSTART:20261208T040000Z\r\nEND:VEVENT\r\n"
    )
    after = patch(HERS.replace(b"BEGIN:VEVENT", exception + b"BEGIN:VEVENT", 1), CHANGES)
    assert exception in after and b"DTSTART:20261130T010000Z" in after


def test_a_status_is_changed_or_added() -> None:
    after = patch(HERS, EventChanges(sequence=2, stamp=1_795_406_400, status="CANCELLED"))
    assert after.count(b"STATUS:CANCELLED\r\n") == 1
    again = patch(after, EventChanges(sequence=3, stamp=1_795_406_400, status="CONFIRMED"))
    assert b"CANCELLED" not in again and again.count(b"STATUS:CONFIRMED") == 1


@pytest.mark.parametrize("ics", [b"", b"BEGIN:VCALENDAR\r\nEND:VCALENDAR\r\n", b"<html>", b"BEGIN:VEVENT\r\n"])
def test_a_document_without_an_event_is_a_change_by_the_coach(ics: bytes) -> None:
    with pytest.raises(CalendarChanged):
        patch(ics, CHANGES)


def test_the_patched_document_says_what_was_asked_to_other_readers() -> None:
    import icalendar

    (read,) = icalendar.Calendar.from_ical(patch(HERS, CHANGES)).walk("VEVENT")
    assert read["DTSTART"].dt.isoformat() == "2026-11-30T01:00:00+00:00"
    assert read["SEQUENCE"] == 2 and str(read["SUMMARY"]) == "? Session · K7QD"


def test_what_an_event_says_is_read_without_its_alarms() -> None:
    said = meaning.of(HERS.replace(b"SUMMARY:? Session\r\n  \xc2\xb7 K7QD\r\n", b""))
    assert (said.uid, said.start, said.summary) == ("ours", "20261201T100000", "")
