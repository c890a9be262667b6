"""Reminders: planned when a time is certain, each sent once, never with a calendar file.

A job may come too early (the booking was moved to a later day, or the client wants none so soon): it then asks to be
run at the right time. What she chose lies in the envelope, which is opened only when a letter might be due.
"""

from typing import Any

from microsite.core import reminders
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import FROZEN
from microsite.core.bookings import Booking
from microsite.core.letters import REMINDER_DUE
from microsite.core.settings import CoachSettings
from microsite.errors import CannotOpen
from microsite.errors import TryAgain
from microsite.services import Services

from .tell import tell

WAIT_SECONDS = 300


def plan_reminder(services: Services, tx: Any, booking: Booking) -> None:
    """Ask for the first reminder that a confirmed booking may have; what is past already needs none."""
    now = services.clock()
    at = reminders.earliest(booking.start, offered(tx.coaches.settings(booking.coach), booking), now)
    if booking.state == CONFIRMED and at:
        services.jobs.enqueue(tx, "remind", booking.id, at - now)


def offered(settings: CoachSettings, booking: Booking) -> int:
    """How many minutes ahead the booking's offer reminds; 0 for none."""
    offer = settings.offer(booking.offer)
    return offer.reminder if offer else 0


def remind(services: Services, booking_id: str) -> None:
    """The job: send the reminder that is due, if one is wanted and was not sent, and wait for the next one."""
    with services.store.read() as tx:
        booking = tx.bookings.get(booking_id)
        if booking is None or booking.state not in {CONFIRMED, FROZEN}:
            return
        minutes = offered(tx.coaches.settings(booking.coach), booking)
        sealed = tx.bookings.sealed(booking_id).delivery
    now = services.clock()
    if sealed is None or now >= booking.start:
        return
    try:
        chosen = services.sealer.open_delivery(booking.delivery_day, booking_id, sealed).reminders
    except CannotOpen:
        return
    turn = reminders.turn(booking.start, reminders.ahead(chosen, minutes), booking.reminded_for, now)
    if turn.due:
        _send(services, booking, turn.due)
    if turn.next:
        raise TryAgain(turn.next - now)


def _send(services: Services, booking: Booking, due: int) -> None:
    if booking.state == FROZEN or booking.pending_start is not None:
        # Its time is not certain now; once it is, the reminder says the true one.
        raise TryAgain(WAIT_SECONDS)
    with services.store.change(booking.coach) as tx:
        reminded = tx.bookings.change(booking, reminded_for=due)
        if reminded is None:
            raise TryAgain(1)
        tell(services, tx, reminded, REMINDER_DUE)
