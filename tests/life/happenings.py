"""Every happening of a booking's life as two halves: what has been (`given`), and what happens while the power fails.

A `when` may be done again: whoever pressed a button and saw no answer presses it again, and what is done stays done.
"""

import re
from collections.abc import Callable
from typing import NamedTuple

from microsite.core.bookings import Booking
from microsite.core.mirror import Account
from microsite.errors import NotFound
from microsite.errors import NotPossibleNow
from microsite.work import answer
from microsite.work import cancel
from microsite.work import desk
from microsite.work import erase
from microsite.work import look
from microsite.work import move
from microsite.work import wishes
from microsite.work.sync import account_of

from .app import instant
from .house import COACH
from .house import NOW
from .house import Home

DAY = 86400
START = NOW + 7 * DAY - 2 * 3600
"""Monday 30 November 2026, 09:00 in Jakarta."""
LATER = START + 2 * DAY
Step = Callable[[Home], None]


class Happening(NamedTuple):
    """`given` runs before, `when` while the process may die; a `grace` of seconds belongs to it, to be sure."""

    given: tuple[Step, ...]
    when: Step
    grace: int = 0


def only(home: Home) -> Booking:
    """The one booking that holds its time; raises NotFound."""
    with home.services.store.read() as tx:
        live = tx.bookings.live(COACH)
    if not live:
        raise NotFound("no booking is live any more")
    return live[0]


def booked(slug: str) -> Step:
    """A visitor's POST, unless it was taken already."""

    def post(home: Home) -> None:
        with home.services.store.read() as tx:
            there = tx.bookings.count(COACH)
        if not there:
            home.book(START, slug)

    return post


def drained(home: Home) -> None:
    """All due jobs have run."""
    home.drain()


def through(*kinds: str) -> Step:
    """The jobs have run up to these."""

    def run(home: Home) -> None:
        for kind in kinds:
            while (row := home.claim(1)[0]).kind != kind:
                home.perform(row)
            home.perform(row)

    return run


def hers(home: Home) -> Account:
    """The coach's calendar, as she reaches it."""
    with home.services.store.read() as tx:
        return account_of(home.services, tx.mirror.get(home.calendar))


def edited(**lines: str) -> Step:
    """The coach rewrote lines of the event; the site has not heard of it."""

    def edit(home: Home) -> None:
        there = home.services.calendars.read(hers(home), only(home).coach_href)
        assert there is not None
        text = there.ics.decode()
        for name, value in lines.items():
            text = re.sub(rf"(?m)^{name}[;:].*\r$", f"{name}:{value.replace('REF', only(home).ref)}\r", text)
        home.services.calendars.replace(hers(home), only(home).coach_href, text.encode(), there.etag)

    return edit


def deleted(home: Home) -> None:
    """The coach deleted the event."""
    home.services.calendars.delete(hers(home), only(home).coach_href)


def blocked(start: int) -> Step:
    """The coach put something of her own into her calendar."""

    def add(home: Home) -> None:
        text = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//app//EN\r\nBEGIN:VEVENT\r\nUID:own@app\r\n"
            f"DTSTAMP:{stamp(start)}\r\nDTSTART:{stamp(start)}\r\nDTEND:{stamp(start + 3600)}\r\nSUMMARY:Own\r\n"
            "END:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        home.services.calendars.create(hers(home), "own@app", text.encode())

    return add


def stamp(at: int) -> str:
    """An instant as calendars write it."""
    return instant(at).strftime("%Y%m%dT%H%M%SZ")


def heard(home: Home) -> None:
    """The site hears that the calendar changed."""
    with home.services.store.write() as tx:
        home.services.jobs.enqueue(tx, "sync", home.calendar)


def pressed(act: Callable[[Home, Booking], object]) -> Step:
    """Somebody presses a button about the one live booking; where there is none any more it was pressed before."""

    def press(home: Home) -> None:
        try:
            act(home, only(home))
        except (NotFound, NotPossibleNow):
            return

    return press


def moved(home: Home, booking: Booking) -> None:
    """The client moves to LATER, unless she did."""
    if booking.start != LATER and booking.pending_start is None:
        move.move(home.services, booking.id, booking.ref, LATER)


def asked_again(home: Home, booking: Booking) -> None:
    """The client asks for her letter, unless she did."""
    if "link-again" not in home.letters(booking.id):
        wishes.send_again(home.services, booking.id, booking.ref)


def at_time(at: int, job: str = "") -> Step:
    """The clock shows that hour, and a job that comes round comes round."""

    def jump(home: Home) -> None:
        home.now = max(home.now, at)
        if job:
            with home.services.store.write() as tx:
                home.services.jobs.enqueue(tx, job, "")

    return jump


CONFIRMED = (booked("sesi"), drained)
REQUESTED = (booked("tanya"), drained)
HELD = (booked("kenal"), drained)
DRAGGED = edited(DTSTART=stamp(LATER), DTEND=stamp(LATER + 3600))

HAPPENINGS = {
    "book": Happening((), booked("sesi")),
    "book a time that is taken meanwhile": Happening((booked("sesi"), through("book.write"), blocked(START)), drained),
    "ask for the address": Happening((), booked("kenal")),
    "confirm the address": Happening(
        HELD, pressed(lambda home, it: answer.confirm_address(home.services, it.id, it.ref))
    ),
    "let a hold expire": Happening(HELD, at_time(NOW + 31 * 60)),
    "request": Happening((), booked("tanya")),
    "approve at the desk": Happening(REQUESTED, pressed(lambda home, it: answer.approve(home.services, COACH, it.id))),
    "approve in the calendar": Happening((*REQUESTED, edited(SUMMARY="Session · REF")), heard),
    "decline at the desk": Happening(REQUESTED, pressed(lambda home, it: answer.decline(home.services, COACH, it.id))),
    "let a request expire": Happening(REQUESTED, at_time(NOW + 73 * 3600)),
    "move": Happening(CONFIRMED, pressed(moved)),
    "take a move back": Happening((*CONFIRMED, pressed(moved), through("move.write"), blocked(LATER)), drained),
    "cancel": Happening(CONFIRMED, pressed(lambda home, it: cancel.cancel(home.services, it.id, it.ref))),
    "cancel at the desk": Happening(
        CONFIRMED,
        pressed(lambda home, it: desk.cancel_at_desk(home.services, look.coach(home.services, COACH), it.id)),
    ),
    "drag": Happening((*CONFIRMED, DRAGGED), heard, 130),
    "delete": Happening((*CONFIRMED, deleted), heard, 130),
    "cancel by status": Happening((*CONFIRMED, edited(STATUS="CANCELLED")), heard, 130),
    "freeze": Happening((*CONFIRMED, edited(DTSTART=stamp(NOW - DAY), DTEND=stamp(NOW - DAY + 3600))), heard),
    "remind": Happening(CONFIRMED, at_time(START - DAY + 1)),
    "ask again": Happening(CONFIRMED, pressed(asked_again)),
    "erase": Happening(CONFIRMED, pressed(lambda home, it: erase.erase(home.services, it.id, it.ref))),
    "purge": Happening(CONFIRMED, at_time(START + 40 * DAY, "purge")),
}
