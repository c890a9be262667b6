"""Answers that a pending booking waits for: the client's button, the coach's word at the desk, or silence.

Every exit from pending is one guarded update: of two answers at the same moment, one wins and the other is told so.
"""

from typing import Any

from microsite.core import letters
from microsite.core.bookings import AWAITING_COACH
from microsite.core.bookings import AWAITING_EMAIL
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import CONFIRMING
from microsite.core.bookings import DECLINED
from microsite.core.bookings import EXPIRED
from microsite.core.bookings import FROZEN
from microsite.core.bookings import HOLD
from microsite.core.bookings import PENDING
from microsite.core.bookings import Booking
from microsite.core.events import EventChanges
from microsite.core.events import coach_title
from microsite.errors import CalendarChanged
from microsite.errors import NotPossibleNow
from microsite.errors import TryAgain
from microsite.errors import WrongBooking
from microsite.services import Services

from .judge import tell_approved
from .sweep import enqueue_sweeps
from .sync import account_of
from .tell import tell

WAIT_SECONDS = 300


def confirm_address(services: Services, booking_id: str, ref: str) -> Booking:
    """The client pressed the button behind the link in the mail: now the calendar is asked.

    Raises NotFound, WrongBooking, NotPossibleNow. Pressing it twice answers the same.
    """
    with services.store.read() as tx:
        booking = tx.bookings.need(booking_id)
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    if booking.state != AWAITING_EMAIL:
        return booking
    now = services.clock()
    if booking.hold_until is not None and now >= booking.hold_until:
        raise NotPossibleNow("the hold has ended")
    with services.store.change(booking.coach) as tx:
        confirmed: Booking | None = tx.bookings.change(booking, state=CONFIRMING, hold_until=now + HOLD)
        if confirmed is None:
            raise NotPossibleNow("the booking changed meanwhile")
        services.jobs.begin(tx, "book.check", booking_id)
    return confirmed


def approve(services: Services, coach: str, booking_id: str) -> Booking:
    """The coach says yes at her desk; the mark in the calendar goes by a job. Raises NotFound, NotPossibleNow."""
    with services.store.change(coach) as tx:
        booking = _pending_of(tx, coach, booking_id)
        approved = tx.bookings.change(booking, state=CONFIRMED, hold_until=None)
        if approved is None:
            raise NotPossibleNow("the booking changed meanwhile")
        tell_approved(services, tx, approved)
        services.jobs.enqueue(tx, "unmark", booking_id)
        confirmed: Booking = tx.bookings.need(booking_id)
    return confirmed


def decline(services: Services, coach: str, booking_id: str) -> Booking:
    """The coach says no at her desk. Raises NotFound, NotPossibleNow."""
    with services.store.change(coach) as tx:
        booking = _pending_of(tx, coach, booking_id)
        declined: Booking | None = tx.bookings.change(booking, state=DECLINED, hold_until=None)
        if declined is None:
            raise NotPossibleNow("the booking changed meanwhile")
        declined = tell(services, tx, declined, letters.REQUEST_DECLINED)
        enqueue_sweeps(services, tx, declined)
    return declined


def expire(services: Services, booking_id: str) -> None:
    """The job: a hold or request whose time is up frees its slot."""
    with services.store.read() as tx:
        booking = tx.bookings.get(booking_id)
    if booking is None or booking.hold_until is None:
        return
    now = services.clock()
    unsettled = booking.state == FROZEN or booking.pending_start is not None
    if booking.requested and unsettled and now < booking.start:
        # While it is frozen or moves, what it waits for is not an answer to this time.
        raise TryAgain(WAIT_SECONDS)
    if booking.state not in PENDING:
        return
    left = booking.hold_until - now
    if left > 0:
        raise TryAgain(left)
    with services.store.change(booking.coach) as tx:
        expired = tx.bookings.change(booking, state=EXPIRED, hold_until=None)
        if expired is None:
            raise TryAgain(1)
        requested = booking.state == AWAITING_COACH
        tell(services, tx, expired, letters.REQUEST_EXPIRED if requested else letters.HOLD_EXPIRED)
        if requested:
            enqueue_sweeps(services, tx, expired)
        else:
            tx.bookings.set_sealed(booking_id, delivery=None)


def unmark(services: Services, booking_id: str) -> None:
    """The job after an approval at the desk: take the mark off the event's title and write STATUS:CONFIRMED."""
    with services.store.read() as tx:
        booking = tx.bookings.get(booking_id)
        if booking is None or booking.state != CONFIRMED or not booking.coach_href:
            return
        settings = tx.coaches.settings(booking.coach)
        row = tx.mirror.get(booking.coach_calendar)
    account = account_of(services, row)
    there = services.calendars.read(account, booking.coach_href)
    if there is None:
        return
    changes = EventChanges(
        summary=coach_title(settings.session_title[settings.language], booking.ref, pending=False),
        status="CONFIRMED",
        sequence=booking.coach_seq + 1,
        stamp=services.clock(),
    )
    patched = services.calendars.patch(there.ics, changes)
    try:
        written = services.calendars.replace(account, booking.coach_href, patched, there.etag)
    except CalendarChanged:
        raise TryAgain(1) from None
    with services.store.write() as tx:
        tx.bookings.change(booking, coach_etag=written.etag, coach_seq=booking.coach_seq + 1)


def _pending_of(tx: Any, coach: str, booking_id: str) -> Booking:
    booking: Booking = tx.bookings.need(booking_id)
    if booking.coach != coach or booking.state != AWAITING_COACH:
        raise NotPossibleNow("this booking does not wait for an answer")
    return booking
