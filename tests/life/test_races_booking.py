"""Booking and being interrupted: an event, a hold or a job is on its way while something happens."""

from sqlalchemy import text

from microsite.work import answer
from microsite.work import cancel
from microsite.work import erase
from microsite.work import move
from microsite.work import wishes

from .between import after
from .between import before
from .between import held
from .between import through
from .conftest import Bench


def test_an_event_that_lands_after_its_booking_was_cancelled_is_taken_away_at_once(radicale_bench: Bench) -> None:
    """The PUT was on its way when the client cancelled; the first sweep had already looked and found nothing."""
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.check")

    def meanwhile() -> None:
        cancel.cancel(home.services, booking.id, booking.ref)
        home.drain()

    before(home.services.calendars, "create", meanwhile)
    home.drain()
    assert radicale_bench.app.entry(booking.coach_uid) is None


def test_an_event_that_lands_after_its_booking_was_erased_is_taken_away_at_once(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.check")

    def meanwhile() -> None:
        erase.erase(home.services, booking.id, booking.ref)
        home.drain()

    before(home.services.calendars, "create", meanwhile)
    home.drain()
    assert radicale_bench.app.entry(booking.coach_uid) is None
    assert booking.start in home.starts()


def test_a_wish_during_the_write_does_not_make_the_site_forget_where_the_event_is(radicale_bench: Bench) -> None:
    """The client chose a title while the event was written; the address of the event was then dropped in silence."""
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.check")
    wish = lambda: wishes.set_discreet(home.services, booking.id, booking.ref, discreet=False)  # noqa: E731
    after(home.services.calendars, "create", wish)
    home.drain()
    assert home.booking(booking.id).coach_href
    radicale_bench.app.drag(booking.coach_uid, home.starts()[60])
    home.pass_time(300)
    assert home.letters(booking.id) == ["confirmed", "moved-by-coach"]


def test_a_request_never_waits_beyond_its_start_wherever_it_moves(radicale_bench: Bench) -> None:
    """After a move the deadline was the old start, so a request moved forward could expire after its own session."""
    home, booking = radicale_bench.home, held(radicale_bench, "tanya", 4)
    home.drain()
    home.pass_time(60)
    earlier = home.starts("tanya", booking.id)[0]
    move.move(home.services, booking.id, booking.ref, earlier)
    home.pass_time(200)
    moved = home.booking(booking.id)
    assert (moved.start, moved.state) == (earlier, "awaiting-coach")
    assert moved.hold_until is not None
    assert moved.hold_until <= earlier
    home.now = earlier
    home.drain()
    assert home.booking(booking.id).state == "expired"


def test_a_move_without_its_job_is_taken_up(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    new = home.starts()[60]
    move.move(home.services, booking.id, booking.ref, new)
    (job,) = [job for job in home.claim(10) if job.kind == "move.check"]
    home.hands.done(job)
    home.hands.release()
    home.pass_time(130)
    assert home.booking(booking.id).start == new


def test_the_button_and_the_end_of_the_hold_at_the_same_moment_have_one_winner(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, held(radicale_bench, "kenal")
    home.drain()
    home.now = (booking.hold_until or 0) - 1
    answer.confirm_address(home.services, booking.id, booking.ref)
    home.now += 1
    home.drain()
    assert home.booking(booking.id).state == "confirmed"


def test_a_clock_that_is_set_back_stops_neither_polling_nor_judging(radicale_bench: Bench) -> None:
    """A machine that booted a year ahead would have read no calendar until that year was over."""
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    true = home.now
    home.now += 365 * 86400
    with home.services.store.write() as tx:
        home.services.jobs.enqueue(tx, "sync", home.calendar)
    for row in home.claim(100):
        if row.kind == "sync":
            home.perform(row)
    home.now = true
    home.hands.release()
    new = home.starts()[60]
    radicale_bench.app.drag(booking.coach_uid, new)
    for _ in range(3):
        with home.services.store.write() as tx:
            home.services.jobs.enqueue(tx, "sync.due", "")
        home.drain()
        home.now += 100
    assert home.booking(booking.id).start == new


def test_without_a_calendar_for_bookings_a_hold_ends_after_its_minutes(radicale_bench: Bench) -> None:
    """The error was raised outside the place that waits, so the hold stayed until the job was given up."""
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.check")
    with home.services.store.write() as tx:
        tx.conn.execute(text("UPDATE calendar SET roles = 'busy'"))
    home.pass_time(400)
    assert home.booking(booking.id).state == "failed"


def test_every_job_that_a_live_booking_needs_is_asked_for_again(radicale_bench: Bench) -> None:
    home = radicale_bench.home
    wanted = {}
    for index, slug in enumerate(("sesi", "kenal", "tanya")):
        wanted[slug] = held(radicale_bench, slug, 40 + 10 * index)
    through(home, "book.verify")
    home.drain()
    home.hands.forget_all()
    home.pass_time(70)
    home.now += 31 * 60
    home.drain()
    assert home.booking(wanted["kenal"].id).state == "expired"
    home.now += 73 * 3600
    home.drain()
    assert home.booking(wanted["tanya"].id).state == "expired"
