"""Each row of the trigger table: what happens, what the event and the letters then say, and which counters rose.

The coach's side is python-caldav on real servers; the client's is the letters that a real relay took.
"""

from datetime import datetime
from zoneinfo import ZoneInfo

import icalendar
import pytest

from microsite.work import answer
from microsite.work import cancel
from microsite.work import move

from .conftest import Bench
from .house import MAILBOX
from .relay import File
from .relay import Letter

CLIENT = "budi@client.example"


def file(letter: Letter) -> File:
    """The calendar file that must be there."""
    found = letter.file
    assert found is not None, f"no calendar file in «{letter.subject}»"
    return found


def subjects(letters: list[Letter]) -> list[str]:
    """What lock screens show."""
    return [letter.subject for letter in letters]


def test_booked_is_written_first_and_told_to_both(bench: Bench) -> None:
    booking = bench.home.confirmed()
    event = bench.app.entry(booking.coach_uid)
    assert event is not None
    assert (event.title, event.start, event.status) == (f"Session · {booking.ref}", booking.start, "CONFIRMED")
    (letter,) = bench.inbox.to(CLIENT)
    told = file(letter)
    assert (told.method, told.sequence, told.start, told.status) == ("PUBLISH", 0, booking.start, "CONFIRMED")
    assert told.uid == booking.client_uid != booking.coach_uid
    assert subjects(bench.inbox.to(MAILBOX)) == ["New booking"]


def test_approval_needed_waits_with_a_mark_and_without_a_file(bench: Bench) -> None:
    placed = bench.home.book(bench.home.starts("tanya")[40], "tanya")
    bench.home.drain()
    booking = bench.home.booking(placed.booking.id)
    event = bench.app.entry(booking.coach_uid)
    assert event is not None
    assert (event.title, event.status) == (f"? Session · {booking.ref}", "TENTATIVE")
    (letter,) = bench.inbox.to(CLIENT)
    assert (letter.subject, letter.file) == ("Request received", None)
    assert subjects(bench.inbox.to(MAILBOX)) == ["New request"]


def test_taking_the_mark_off_in_the_app_approves_and_sends_the_first_file(bench: Bench) -> None:
    placed = bench.home.book(bench.home.starts("tanya")[40], "tanya")
    bench.home.drain()
    booking = bench.home.booking(placed.booking.id)
    bench.app.edit(booking.coach_uid, summary=f"Session · {booking.ref}")
    bench.home.pass_time(70)
    assert subjects(bench.inbox.to(CLIENT)) == ["Request received", "Appointment confirmed"]
    assert file(bench.inbox.to(CLIENT)[-1]).sequence == 0
    assert bench.home.booking(booking.id).state == "confirmed"


def test_the_word_at_the_desk_takes_the_mark_off_and_leaves_what_she_added(bench: Bench) -> None:
    placed = bench.home.book(bench.home.starts("tanya")[40], "tanya")
    bench.home.drain()
    booking = bench.home.booking(placed.booking.id)
    bench.app.edit(booking.coach_uid, description="bawa buku")
    answer.approve(bench.home.services, booking.coach, booking.id)
    bench.home.pass_time(200)
    event = bench.app.entry(booking.coach_uid)
    assert event is not None
    assert (event.title, event.status) == (f"Session · {booking.ref}", "CONFIRMED")
    assert "bawa buku" in bench.app.text(booking.coach_uid)
    assert subjects(bench.inbox.to(CLIENT)) == ["Request received", "Appointment confirmed"]


def test_the_visitor_moves_the_event_follows_and_the_sequence_rises(bench: Bench) -> None:
    booking = bench.home.confirmed()
    bench.app.ring(booking.coach_uid)
    new = bench.home.starts()[60]
    move.move(bench.home.services, booking.id, booking.ref, new)
    bench.home.pass_time(200)
    event = bench.app.entry(booking.coach_uid)
    assert event is not None
    assert (event.start, event.sequence >= 1) == (new, True)
    assert "VALARM" in bench.app.text(booking.coach_uid)
    first, second = bench.inbox.to(CLIENT)
    assert (file(second).method, file(second).sequence, file(second).start) == ("PUBLISH", 1, new)
    assert file(second).uid == file(first).uid
    assert file(second).stamp > file(first).stamp
    assert second.message["References"] == first.message_id
    assert subjects(bench.inbox.to(MAILBOX)) == ["New booking", "Booking time changed"]


def test_the_visitor_cancels_and_the_event_goes(bench: Bench) -> None:
    booking = bench.home.confirmed()
    cancel.cancel(bench.home.services, booking.id, booking.ref)
    bench.home.drain()
    assert bench.app.entry(booking.coach_uid) is None
    told = file(bench.inbox.to(CLIENT)[-1])
    assert (told.method, told.sequence, told.status, told.uid) == ("CANCEL", 1, "CANCELLED", booking.client_uid)
    assert subjects(bench.inbox.to(MAILBOX)) == ["New booking", "Booking cancelled"]


def test_the_coach_drags_and_only_the_client_is_told_old_and_new(bench: Bench) -> None:
    booking = bench.home.confirmed()
    new = bench.home.starts()[60]
    bench.app.drag(booking.coach_uid, new)
    bench.home.pass_time(260)
    first, second = bench.inbox.to(CLIENT)
    assert (second.subject, file(second).method, file(second).sequence) == ("Appointment time changed", "PUBLISH", 1)
    assert (file(second).start, file(second).uid) == (new, file(first).uid)
    assert subjects(bench.inbox.to(MAILBOX)) == ["New booking"]
    assert bench.home.booking(booking.id).start == new
    bench.home.pass_time(400)
    assert len(bench.inbox.to(CLIENT)) == 2


def test_an_app_that_writes_local_time_with_its_own_zone_and_alarm_is_understood(bench: Bench) -> None:
    """20 of the conformance list: TZID with VTIMEZONE, a VALARM and X- properties; one PUBLISH with the right UTC."""
    booking = bench.home.confirmed()
    new = bench.home.starts()[60]
    document = icalendar.Calendar.from_ical(bench.app.text(booking.coach_uid))
    (event,) = document.walk("VEVENT")
    zone = ZoneInfo("America/New_York")
    for name, at in (("DTSTART", new), ("DTEND", new + 3600)):
        event.pop(name)
        event.add(name, datetime.fromtimestamp(at, zone))
    document.add_missing_timezones()
    event.add("x-apple-travel-advisory-behavior", "AUTOMATIC")
    bench.app.calendar.get_event_by_uid(booking.coach_uid).delete()
    bench.app.put(document.to_ical().decode())
    bench.app.ring(booking.coach_uid)
    bench.home.pass_time(260)
    assert file(bench.inbox.to(CLIENT)[-1]).start == new
    assert len(bench.inbox.to(CLIENT)) == 2
    text = bench.app.text(booking.coach_uid)
    assert "TRAVEL-ADVISORY" in text
    assert "VALARM" in text


def test_a_drag_in_three_steps_is_one_letter(bench: Bench) -> None:
    booking = bench.home.confirmed()
    for index in (50, 55, 60):
        bench.app.drag(booking.coach_uid, bench.home.starts()[index])
        bench.home.pass_time(45, 45)
    last = bench.home.starts()[60]
    bench.app.drag(booking.coach_uid, last)
    bench.home.pass_time(400)
    assert [file(letter).start for letter in bench.inbox.to(CLIENT)] == [booking.start, last]


def test_the_coach_deletes_and_after_the_checks_both_are_told(bench: Bench) -> None:
    booking = bench.home.confirmed()
    bench.app.delete(booking.coach_uid)
    bench.home.pass_time(60)
    assert bench.home.booking(booking.id).state == "confirmed"
    bench.home.pass_time(260)
    told = file(bench.inbox.to(CLIENT)[-1])
    assert (told.method, told.sequence) == ("CANCEL", 1)
    assert len(bench.inbox.to(CLIENT)) == 2
    assert subjects(bench.inbox.to(MAILBOX)) == ["New booking", "Booking gone from the calendar"]


def test_a_deletion_that_she_takes_back_tells_nobody(bench: Bench) -> None:
    booking = bench.home.confirmed()
    text = bench.app.delete(booking.coach_uid)
    bench.home.pass_time(60)
    bench.app.put(text)
    bench.home.pass_time(400)
    assert bench.home.booking(booking.id).state == "confirmed"
    assert len(bench.inbox.to(CLIENT)) == 1
    assert bench.home.booking(booking.id).coach_href


def test_the_coach_cancels_by_status_and_the_client_is_told(bench: Bench) -> None:
    booking = bench.home.confirmed()
    bench.app.edit(booking.coach_uid, status="CANCELLED")
    bench.home.pass_time(260)
    assert file(bench.inbox.to(CLIENT)[-1]).method == "CANCEL"
    assert subjects(bench.inbox.to(MAILBOX)) == ["New booking", "Booking gone from the calendar"]
    assert bench.app.entry(booking.coach_uid) is None


def test_title_alarm_colour_and_notes_are_hers_alone(bench: Bench) -> None:
    booking = bench.home.confirmed()
    bench.app.edit(booking.coach_uid, summary="Budi!", description="bawa buku", color="red")
    bench.app.ring(booking.coach_uid)
    bench.home.pass_time(300)
    assert len(bench.inbox.to(CLIENT)) == 1
    assert len(bench.inbox.to(MAILBOX)) == 1
    before = bench.home.booking(booking.id)
    assert before.state == "confirmed"
    move.move(bench.home.services, booking.id, booking.ref, bench.home.starts()[60])
    bench.home.pass_time(200)
    text = bench.app.text(booking.coach_uid)
    for hers in ("Budi!", "bawa buku", "VALARM"):
        assert hers in text


ODD = {
    "all-day": {
        "dtstart": icalendar.vDDDTypes.from_ical("20261207"),
        "dtend": icalendar.vDDDTypes.from_ical("20261208"),
    },
    "recurring": {"rrule": {"FREQ": "WEEKLY"}},
    "past": {
        "dtstart": icalendar.vDDDTypes.from_ical("20261120T020000Z"),
        "dtend": icalendar.vDDDTypes.from_ical("20261120T030000Z"),
    },
}


@pytest.mark.parametrize("why", ODD)
def test_what_is_not_to_be_guessed_about_freezes_and_asks_only_the_coach(bench: Bench, why: str) -> None:
    booking = bench.home.confirmed()
    bench.app.edit(booking.coach_uid, **ODD[why])
    bench.home.pass_time(300)
    assert (bench.home.booking(booking.id).state, bench.home.booking(booking.id).reason) == ("frozen", why)
    assert len(bench.inbox.to(CLIENT)) == 1
    assert subjects(bench.inbox.to(MAILBOX)) == ["New booking", "Please check a booking"]


def test_a_drag_onto_another_booking_freezes_and_asks_only_the_coach(bench: Bench) -> None:
    first, second = bench.home.confirmed(), bench.home.confirmed()
    bench.app.drag(second.coach_uid, first.start)
    bench.home.pass_time(300)
    assert bench.home.booking(second.id).reason == "overlap"
    assert bench.home.booking(first.id).state == "confirmed"
    assert len(bench.inbox.to(CLIENT)) == 2
    assert subjects(bench.inbox.to(MAILBOX))[-1] == "Please check a booking"


def test_booked_again_after_a_cancellation_is_another_entry(bench: Bench) -> None:
    booking = bench.home.confirmed()
    cancel.cancel(bench.home.services, booking.id, booking.ref)
    bench.home.drain()
    again = bench.home.confirmed(booking.start)
    assert {again.client_uid, again.coach_uid}.isdisjoint({booking.client_uid, booking.coach_uid})
    told = file(bench.inbox.to(CLIENT)[-1])
    assert (told.uid, told.sequence, told.method) == (again.client_uid, 0, "PUBLISH")
    assert [event.uid for event in bench.app.events()] == [again.coach_uid]
