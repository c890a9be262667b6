"""What the coach did was seen too early, too late or through old eyes, or while something else was under way."""

import pytest

from microsite.errors import CalendarUnreachable
from microsite.work import judge
from microsite.work import move

from .app import instant
from .between import held
from .between import through
from .conftest import Bench
from .house import COACH
from .house import MAILBOX


@pytest.mark.parametrize("slug", ["sesi", "tanya"])
def test_a_drag_before_the_booking_is_confirmed_is_still_seen_after_it(radicale_bench: Bench, slug: str) -> None:
    """The sync inside the last check heard of the drag, its judgement came too early, and none came later."""
    home, booking = radicale_bench.home, held(radicale_bench, slug)
    through(home, "book.write")
    new = home.starts()[60]
    radicale_bench.app.drag(booking.coach_uid, new)
    home.drain()
    home.now += 150
    home.drain()
    assert home.booking(booking.id).start == new
    assert home.letters(booking.id)[1:] == ["moved-by-coach"]


def test_a_deletion_before_the_booking_is_confirmed_is_still_seen_after_it(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.write")
    radicale_bench.app.delete(booking.coach_uid)
    home.drain()
    home.now += 150
    home.drain()
    assert home.booking(booking.id).state == "cancelled"


def test_a_doubt_matures_also_where_another_change_asked_for_a_judgement_in_between(radicale_bench: Bench) -> None:
    """Asking again pulls the one waiting job forward: the later look, at the end of the two minutes, was lost."""
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    new = home.starts()[60]
    radicale_bench.app.drag(booking.coach_uid, new)
    home.pass_time(1)
    radicale_bench.app.add("other@app", new + 86400 * 7)
    home.pass_time(30, 30)
    home.now += 100
    home.drain()
    assert home.booking(booking.id).start == new


def test_a_move_is_believed_only_after_the_calendar_was_read_just_now(radicale_bench: Bench) -> None:
    """The mirror may be minutes old: the coach had dragged the event on, and the client was told a wrong time."""
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    first, last = home.starts()[50], home.starts()[60]
    radicale_bench.app.drag(booking.coach_uid, first)
    home.pass_time(1)
    radicale_bench.app.drag(booking.coach_uid, last)
    home.now += 130
    home.drain()
    assert home.booking(booking.id).start == booking.start
    home.now += 130
    home.drain()
    assert home.booking(booking.id).start == last
    assert home.letters(booking.id) == ["confirmed", "moved-by-coach"]


def test_a_doubt_outlives_a_calendar_that_does_not_answer(radicale_bench: Bench) -> None:
    """The look at the event failed, nothing changed afterwards, and the deletion was never told."""
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    radicale_bench.app.delete(booking.coach_uid)
    home.pass_time(1)
    home.now += 130

    def unreachable(*args: object, **kwargs: object) -> None:
        raise CalendarUnreachable("away")

    home.services.calendars.pull = unreachable  # type: ignore[method-assign]
    home.drain()
    assert home.booking(booking.id).state == "confirmed"
    del home.services.calendars.pull
    home.now += 130
    home.drain()
    assert home.booking(booking.id).state == "cancelled"


def test_the_brake_holds_again_after_it_was_let_go_once(radicale_bench: Bench) -> None:
    """Letting the brake go was remembered for ever, so a later accident would have cancelled everything."""
    home, app = radicale_bench.home, radicale_bench.app
    for round_ in range(2):
        bookings = [home.confirmed(start) for start in home.starts()[::6][:5]]
        for booking in bookings:
            app.delete(booking.coach_uid)
        home.pass_time(300)
        assert {home.booking(booking.id).state for booking in bookings} == {"confirmed"}, round_
        assert [letter.subject for letter in radicale_bench.inbox.to(MAILBOX)].count("Calendar changes on hold") == (
            round_ + 1
        )
        judge.release_brake(home.services, COACH)
        home.pass_time(300)
        assert {home.booking(booking.id).state for booking in bookings} == {"cancelled"}, round_


def test_freezing_ends_a_move_that_was_under_way(radicale_bench: Bench) -> None:
    """A frozen booking kept both its times for ever, and no step was left to end the move."""
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    new = home.starts()[60]
    move.move(home.services, booking.id, booking.ref, new)
    radicale_bench.app.edit(booking.coach_uid, rrule={"FREQ": "WEEKLY"})
    through(home, "move.check", "judge")
    home.drain()
    frozen = home.booking(booking.id)
    assert (frozen.state, frozen.pending_start) == ("frozen", None)
    radicale_bench.app.edit(booking.coach_uid, rrule=None, dtstart=instant(booking.start), dtend=instant(booking.end))
    home.pass_time(200)
    assert home.booking(booking.id).state == "confirmed"
    assert new in home.starts()


def test_a_request_that_thaws_waits_for_the_coach_again_and_still_expires(radicale_bench: Bench) -> None:
    """A request that was frozen when its time was up never expired."""
    home, booking = radicale_bench.home, held(radicale_bench, "tanya")
    home.drain()
    until = home.booking(booking.id).hold_until
    assert until is not None
    radicale_bench.app.edit(booking.coach_uid, rrule={"FREQ": "WEEKLY"})
    home.pass_time(70)
    assert home.booking(booking.id).state == "frozen"
    home.now = until + 1
    home.drain()
    radicale_bench.app.edit(booking.coach_uid, rrule=None)
    home.pass_time(70)
    home.now += 400
    home.drain()
    assert home.booking(booking.id).state == "expired"
    assert home.letters(booking.id) == ["request-received", "expired"]


def test_taking_the_mark_off_a_frozen_request_approves_it_with_a_letter(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, held(radicale_bench, "tanya")
    home.drain()
    radicale_bench.app.edit(booking.coach_uid, rrule={"FREQ": "WEEKLY"})
    home.pass_time(70)
    radicale_bench.app.edit(booking.coach_uid, rrule=None, summary=f"Session · {booking.ref}")
    home.pass_time(140)
    assert home.booking(booking.id).state == "confirmed"
    assert home.letters(booking.id) == ["request-received", "confirmed"]


def test_a_question_mark_on_a_confirmed_booking_makes_no_request_of_it(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    radicale_bench.app.edit(booking.coach_uid, rrule={"FREQ": "WEEKLY"}, summary=f"? Session · {booking.ref}")
    home.pass_time(70)
    radicale_bench.app.edit(booking.coach_uid, rrule=None)
    home.pass_time(140)
    assert home.booking(booking.id).state == "confirmed"


def test_a_reminder_that_was_due_while_frozen_comes_after_the_thaw(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    radicale_bench.app.edit(booking.coach_uid, rrule={"FREQ": "WEEKLY"})
    home.pass_time(70)
    home.now = booking.start - 80000
    home.drain()
    radicale_bench.app.edit(booking.coach_uid, rrule=None)
    home.pass_time(70)
    home.now += 400
    home.drain()
    assert home.letters(booking.id) == ["confirmed", "reminder"]


def test_a_drag_while_a_move_is_taken_back_stays_the_coachs(radicale_bench: Bench) -> None:
    """Taking a move back wrote the old time over whatever the coach had just chosen."""
    home, app, booking = radicale_bench.home, radicale_bench.app, radicale_bench.home.confirmed()
    new, hers = home.starts()[60], home.starts()[70]
    move.move(home.services, booking.id, booking.ref, new)
    through(home, "move.write")
    app.add("in the way@app", new)
    through(home, "move.verify")
    app.drag(booking.coach_uid, hers)
    home.drain()
    event = app.entry(booking.coach_uid)
    assert event is not None
    assert event.start == hers
    home.pass_time(260)
    assert home.booking(booking.id).start == hers
    assert home.letters(booking.id) == ["confirmed", "moved-by-coach"]


def test_a_move_that_is_taken_back_is_not_mistaken_for_the_coachs(radicale_bench: Bench) -> None:
    """The mirror still showed the time that was taken back: two minutes later the client was told it as hers."""
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    new = home.starts()[60]
    move.move(home.services, booking.id, booking.ref, new)
    through(home, "move.write")
    radicale_bench.app.add("in the way@app", new)
    through(home, "move.verify", "move.back")
    with home.services.store.write() as tx:
        home.services.jobs.enqueue(tx, "judge", COACH)
    through(home, "judge")
    home.pass_time(300)
    assert home.booking(booking.id).start == booking.start
    assert home.letters(booking.id) == ["confirmed"]
