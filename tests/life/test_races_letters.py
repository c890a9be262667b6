"""Letters that wait, are asked for twice, or are on their way while what they say changes."""

import pytest

from microsite.errors import CalendarUnreachable
from microsite.errors import MailDelayed
from microsite.jobs import MOST_ATTEMPTS
from microsite.jobs import outcome
from microsite.work import cancel
from microsite.work import erase
from microsite.work import letters
from microsite.work import move
from microsite.work import wishes

from .between import after_sending_to
from .between import held
from .between import through
from .conftest import Bench
from .house import COACH
from .house import MAILBOX
from .relay import BUSY
from .relay import OK

CLIENT = "budi@client.example"


def test_a_move_while_its_first_letter_is_on_the_way_keeps_the_address_readable(radicale_bench: Bench) -> None:
    """The envelope of the old day was written over the new one's, and the client never heard of the booking again."""
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.verify")
    other_day = home.starts()[80]

    def meanwhile() -> None:
        move.move(home.services, booking.id, booking.ref, other_day)
        through(home, "move.verify")

    after_sending_to(CLIENT, home, meanwhile)
    home.drain()
    home.now += 70
    home.drain()
    assert home.booking(booking.id).delivery_day != booking.delivery_day
    assert [letter.subject for letter in radicale_bench.inbox.to(CLIENT)] == [
        "Appointment confirmed",
        "Appointment time changed",
    ]


def test_a_wish_while_the_first_letter_is_on_the_way_is_kept(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.verify")
    wish = lambda: wishes.set_reminders(home.services, booking.id, booking.ref, ())  # noqa: E731
    after_sending_to(CLIENT, home, wish)
    home.drain()
    assert wishes.chosen_reminders(home.services, home.booking(booking.id)) == ()


def test_erasing_while_a_letter_is_on_the_way_leaves_nothing_and_breaks_nothing(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, held(radicale_bench)
    through(home, "book.verify")
    after_sending_to(CLIENT, home, lambda: erase.erase(home.services, booking.id, booking.ref))
    home.drain()
    assert len(radicale_bench.inbox.to(CLIENT)) == 1
    assert radicale_bench.app.entry(booking.coach_uid) is None


def test_a_reminder_that_waited_for_the_relay_until_it_was_wrong_is_not_sent(radicale_bench: Bench) -> None:
    home, inbox, booking = radicale_bench.home, radicale_bench.inbox, radicale_bench.home.confirmed()
    inbox.weather = BUSY
    home.now = booking.start - 86400 + 1
    home.drain()
    new = home.starts()[60]
    move.move(home.services, booking.id, booking.ref, new)
    home.drain()
    inbox.weather = OK
    home.pass_time(300)
    assert [letter.subject for letter in inbox.to(CLIENT)] == ["Appointment confirmed", "Appointment time changed"]


def test_what_the_coach_was_never_told_of_is_not_told_as_cancelled(radicale_bench: Bench) -> None:
    """She got «Booking cancelled» about a reference she had never seen, and an unproven address got a letter."""
    home, booking = radicale_bench.home, held(radicale_bench, "kenal")
    home.drain()
    cancel.cancel(home.services, booking.id, booking.ref)
    home.drain()
    assert radicale_bench.inbox.to(MAILBOX) == []
    assert [letter.subject for letter in radicale_bench.inbox.to(CLIENT)] == ["Your link"]


def test_a_button_for_a_booking_that_was_called_off_is_not_sent(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, held(radicale_bench, "kenal")
    radicale_bench.inbox.weather = BUSY
    home.drain()
    cancel.cancel(home.services, booking.id, booking.ref)
    radicale_bench.inbox.weather = OK
    home.pass_time(120)
    assert radicale_bench.inbox.to(CLIENT) == []


def test_one_coachs_full_mailbox_does_not_hold_up_another_coachs_letters(radicale_bench: Bench) -> None:
    """Letters of no booking waited for those of every other coach."""
    home = radicale_bench.home
    with home.services.store.write() as tx:
        for coach in (COACH, "rara"):
            if coach != COACH:
                tx.coaches.add(coach, tx.coaches.settings(COACH), demo=False, open_=True)
        values = {"recipient": "coach", "message_id": "<a@b>", "start": 0, "end": 0, "seq": 0, "dtstamp": 0}
        tx.letters.add("a" * 24, COACH, None, kind="brake", old_start=0, **values)
        second = tx.letters.add("b" * 24, "rara", None, kind="brake", old_start=0, **values)
        assert not tx.letters.queued_before(second)


def test_a_second_letter_does_not_ask_every_second_while_the_relay_is_down(radicale_bench: Bench) -> None:
    home, inbox = radicale_bench.home, radicale_bench.inbox
    inbox.weather = BUSY
    booking = held(radicale_bench)
    home.drain()
    cancel.cancel(home.services, booking.id, booking.ref)
    home.drain()
    with home.services.store.read() as tx:
        (_, second) = [row for row in tx.letters.of(booking.id) if row.recipient == "client"]
    with pytest.raises(Exception, match="again in 60 s"):
        letters.send(home.services, second.id)
    inbox.weather = OK
    home.now += 40
    home.drain()
    assert len(inbox.to(CLIENT)) == 2


def test_neither_letter_nor_event_is_given_up_while_another_machine_is_down() -> None:
    """After eighteen hours of back-off a letter was given up: a relay that is down for a day lost it."""
    attempts, waited = 0, 0
    for _ in range(3 * MOST_ATTEMPTS):
        came = outcome("letter", MailDelayed("421"), attempts)
        assert came.wait is not None
        attempts, waited = came.attempts, waited + came.wait
        assert attempts < MOST_ATTEMPTS
    assert waited > 2 * 86400
    assert outcome("sweep", CalendarUnreachable("away"), MOST_ATTEMPTS).wait is not None
    assert outcome("letter", ValueError(), MOST_ATTEMPTS).given_up


def test_another_title_is_another_version_of_the_file(radicale_bench: Bench) -> None:
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    wishes.set_discreet(home.services, booking.id, booking.ref, discreet=False)
    wishes.send_again(home.services, booking.id, booking.ref)
    home.drain()
    first, second = [letter.file for letter in radicale_bench.inbox.to(CLIENT)]
    assert first is not None
    assert second is not None
    assert (first.sequence, second.sequence) == (0, 1)


def test_an_order_is_only_written_for_letters_that_wait(radicale_bench: Bench) -> None:
    """A job that runs twice, as after a lost lease, sends nothing the second time."""
    home, booking = radicale_bench.home, radicale_bench.home.confirmed()
    with home.services.store.read() as tx:
        rows = tx.letters.of(booking.id)
    for row in rows:
        letters.send(home.services, row.id)
    assert len(radicale_bench.inbox.letters) == len(rows)
