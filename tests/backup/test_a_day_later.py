"""Yesterday's backup beside today's calendar: nobody is written to, no booking is made twice, no event comes or goes.

A real Radicale holds the calendar, a real relay takes the letters; what happened in between is not in the backup.
"""

from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.core.bookings import Booking
from microsite.errors import NotFound
from microsite.work import answer
from microsite.work import cancel
from microsite.work import erase
from microsite.work import move
from microsite.work import restored
from microsite.work.judge import release_brake
from tests.life.conftest import Bench
from tests.life.house import COACH
from tests.life.house import Home
from tests.postgres import empty_database_of

from .conftest import Copy
from .conftest import copy_of

HOUR, DAY = 3600, 86400


class Days:
    """A house of which a backup was made, and what became of it since."""

    def __init__(self, bench: Bench, folder: Path) -> None:
        self.bench, self.home, self.folder = bench, bench.home, folder
        self.first = self.home.starts()[60]
        self.starts = [start for start in self.home.starts() if start >= self.first]

    def book(self, number: int, slug: str = "sesi", drained: bool = True) -> Booking:
        """A booking on a day of its own, three weeks ahead at the most."""
        start = next(at for at in self.home.starts(slug) if at >= self.first + number * DAY)
        placed = self.home.book(start, slug, f"client{number}@client.example")
        if drained:
            self.home.drain()
        return self.home.booking(placed.booking.id)

    def later(self, copy: Copy, hours: int = 20) -> Home:
        """The old machine is lost; its backup is restored that many hours later, and half an hour passes."""
        self.home.close()
        now = self.home.now + hours * HOUR
        copy.restore(self.folder, now, **empty_database_of(self.folder))
        self.events = self.texts()
        self.bench.inbox.letters.clear()
        self.bench.home = self.home = Home(self.folder, self.bench.relay_port, now)
        self.home.pass_time(HOUR // 2, step=150)
        return self.home

    def texts(self) -> dict[str, str]:
        """Every event in the coach's calendar, to the byte."""
        return {entry.uid: self.bench.app.text(entry.uid) for entry in self.bench.app.events()}

    def nothing_happened_outside(self) -> None:
        """No letter was sent, and every event is as it was."""
        assert [(letter.to, letter.subject) for letter in self.bench.inbox.letters] == []
        assert self.texts() == self.events

    def settled(self) -> bool:
        """Whether the coach's bookings were compared with her calendar."""
        with self.home.services.store.read() as tx:
            return not tx.coaches.get(COACH).unsettled


@pytest.fixture(name="days")
def _days(radicale_bench: Bench, tmp_path: Path) -> Iterator[Days]:
    yield Days(radicale_bench, tmp_path / "restored")


def test_an_untouched_booking_stays_and_is_not_told_anew(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    later = days.later(copy_of(days.home.services, shelf))
    days.nothing_happened_outside()
    assert days.settled()
    found = later.booking(booking.id)
    assert (found.state, found.start) == ("confirmed", booking.start)


def test_a_booking_that_the_coach_moved_since_is_where_she_moved_it(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    copy = copy_of(days.home.services, shelf)
    days.bench.app.drag(booking.coach_uid, booking.start + DAY)
    days.home.pass_time(HOUR // 6)
    later = days.later(copy)
    days.nothing_happened_outside()
    assert later.booking(booking.id).start == booking.start + DAY


def test_a_booking_that_the_client_moved_since_is_where_she_moved_it(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    copy = copy_of(days.home.services, shelf)
    to = next(at for at in days.starts if at > booking.start + 2 * DAY)
    move.move(days.home.services, booking.id, booking.ref, to)
    days.home.drain()
    later = days.later(copy)
    days.nothing_happened_outside()
    assert later.booking(booking.id).start == to


@pytest.mark.parametrize("gone", [cancel.cancel, erase.erase])
def test_a_booking_that_was_cancelled_or_erased_since_is_erased_without_a_word(
    days: Days, shelf: Path, gone: Callable[..., object]
) -> None:
    booking, other = days.book(0), days.book(1)
    copy = copy_of(days.home.services, shelf)
    gone(days.home.services, booking.id, booking.ref)
    days.home.pass_time(HOUR // 6)
    later = days.later(copy)
    days.nothing_happened_outside()
    with pytest.raises(NotFound):
        later.booking(booking.id)
    assert booking.start in later.starts()
    assert later.booking(other.id).state == "confirmed"


def test_a_booking_made_since_is_not_known_but_its_time_is_not_given_away(days: Days, shelf: Path) -> None:
    days.book(0)
    copy = copy_of(days.home.services, shelf)
    newer = days.book(1)
    later = days.later(copy)
    days.nothing_happened_outside()
    assert newer.start not in later.starts()
    with pytest.raises(NotFound):
        later.booking(newer.id)


def test_a_booking_on_its_way_into_the_calendar_then_is_what_became_of_it(days: Days, shelf: Path) -> None:
    arrived, failed = days.book(0, drained=False), days.book(1, drained=False)
    copy = copy_of(days.home.services, shelf)
    days.home.drain()
    erase.erase(days.home.services, failed.id, failed.ref)
    days.home.drain()
    later = days.later(copy)
    days.nothing_happened_outside()
    assert later.booking(arrived.id).state == "confirmed"
    assert later.booking(failed.id).state == "failed"


def test_a_request_that_she_approved_since_is_confirmed_and_not_expired(days: Days, shelf: Path) -> None:
    booking = days.book(0, "tanya")
    copy = copy_of(days.home.services, shelf)
    answer.approve(days.home.services, COACH, booking.id)
    days.home.pass_time(HOUR // 6)
    # Longer than she may think about a request: had nobody looked, it would expire and its event be taken away.
    later = days.later(copy, hours=80)
    days.nothing_happened_outside()
    assert later.booking(booking.id).state == "confirmed"


@pytest.mark.parametrize(("taken_away", "state"), [(False, "confirmed"), (True, "expired")])
def test_a_request_whose_session_is_over_is_closed_as_the_calendar_says(
    days: Days, shelf: Path, taken_away: bool, state: str
) -> None:
    booking = days.book(0, "tanya")
    copy = copy_of(days.home.services, shelf)
    answer.approve(days.home.services, COACH, booking.id)
    days.home.drain()
    if taken_away:
        days.bench.app.delete(booking.coach_uid)
    later = days.later(copy, hours=(booking.end - days.home.now) // HOUR + 80)
    days.nothing_happened_outside()
    assert later.booking(booking.id).state == state


def test_a_request_that_still_waits_keeps_waiting_for_her(days: Days, shelf: Path) -> None:
    booking = days.book(0, "tanya")
    later = days.later(copy_of(days.home.services, shelf))
    days.nothing_happened_outside()
    assert later.booking(booking.id).state == "awaiting-coach"


def test_a_move_that_was_under_way_is_not_carried_on(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    to = next(at for at in days.starts if at > booking.start + 2 * DAY)
    move.move(days.home.services, booking.id, booking.ref, to)
    copy = copy_of(days.home.services, shelf)
    days.home.drain()
    back = days.home.booking(booking.id)
    move.move(days.home.services, booking.id, booking.ref, booking.start)
    days.home.drain()
    assert back.start == to
    later = days.later(copy)
    days.nothing_happened_outside()
    found = later.booking(booking.id)
    assert (found.start, found.pending_start) == (booking.start, None)


def test_a_letter_that_waited_then_is_not_sent_now(days: Days, shelf: Path) -> None:
    days.bench.inbox.weather = "451 try again later"
    booking = days.book(0)
    copy = copy_of(days.home.services, shelf)
    days.bench.inbox.weather = "250 OK"
    days.home.pass_time(HOUR // 6)
    assert {letter.to for letter in days.bench.inbox.letters} == {"client0@client.example", "sari@coach.example"}
    later = days.later(copy)
    days.nothing_happened_outside()
    with later.services.store.read() as tx:
        assert {row.state for row in tx.letters.of(booking.id)} == {"dropped"}


def test_reminders_are_off_and_the_desk_is_told_so(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    later = days.later(copy_of(days.home.services, shelf))
    told = restored.notice(later.services, COACH)
    assert told is not None
    assert (told.without_letters, told.unsettled) == (1, False)
    later.pass_time(booking.start - later.now + HOUR, step=8 * HOUR)
    days.nothing_happened_outside()
    assert restored.notice(later.services, COACH) is None


def test_files_that_are_written_from_now_on_are_newer_than_all_that_were_sent(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    copy = copy_of(days.home.services, shelf)
    for day in (1, 2, 3):
        days.bench.app.drag(booking.coach_uid, booking.start + day * DAY)
        days.home.pass_time(HOUR // 6)
    sent = max(letter.file.sequence for letter in days.bench.inbox.letters if letter.file)
    later = days.later(copy)
    assert later.booking(booking.id).client_seq > sent


def test_once_all_is_compared_what_the_coach_does_counts_again(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    later = days.later(copy_of(days.home.services, shelf))
    days.bench.app.delete(booking.coach_uid)
    later.pass_time(HOUR // 6)
    assert later.booking(booking.id).state == "cancelled"
    assert [letter.to for letter in days.bench.inbox.letters] == ["sari@coach.example"]


def test_where_many_are_missing_she_is_asked_before_anything_is_believed(days: Days, shelf: Path) -> None:
    """It may be the wrong calendar, or a calendar server that was restored too."""
    bookings = [days.book(number) for number in range(5)]
    copy = copy_of(days.home.services, shelf)
    for booking in bookings[:4]:
        days.bench.app.delete(booking.coach_uid)
    later = days.later(copy)
    assert [letter.subject for letter in days.bench.inbox.letters] == ["Calendar changes on hold"]
    assert [later.booking(each.id).state for each in bookings] == ["confirmed"] * 5
    release_brake(later.services, COACH)
    later.pass_time(HOUR // 6)
    assert days.settled()
    assert len(days.bench.inbox.letters) == 1
    with later.services.store.read() as tx:
        assert [each.id for each in tx.bookings.live(COACH)] == [bookings[4].id]


def test_while_the_calendar_does_not_answer_no_time_is_offered_and_nothing_is_believed(days: Days, shelf: Path) -> None:
    booking = days.book(0)
    copy = copy_of(days.home.services, shelf)
    days.home.close()
    now = days.home.now + 20 * HOUR
    copy.restore(days.folder, now, **empty_database_of(days.folder))
    later = days.bench.home = Home(days.folder, days.bench.relay_port, now)
    with later.services.store.write() as tx:
        tx.mirror.touch(later.calendar, url="http://127.0.0.1:1/c/")
    days.bench.inbox.letters.clear()
    later.pass_time(HOUR // 6)
    assert later.booking(booking.id).state == "confirmed"
    with later.services.store.read() as tx:
        assert tx.coaches.get(COACH).unsettled
        assert tx.mirror.get(later.calendar).last_ok_at == 0
