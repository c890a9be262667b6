"""Reminders: planned when a time is certain, sent once for that time, never with a calendar file.

A job may come too early (the booking was moved to a later day): it then asks to be run at the right time.
"""

from typing import Any

from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import FROZEN
from microsite.core.bookings import Booking
from microsite.core.letters import REMINDER_DUE
from microsite.core.settings import CoachSettings
from microsite.core.spans import MINUTE
from microsite.errors import CannotOpen
from microsite.errors import TryAgain
from microsite.services import Services

from .tell import tell

WAIT_SECONDS = 300


def plan_reminder(services: Services, tx: Any, booking: Booking) -> None:
    """Ask for the reminder of a confirmed booking, unless it is so soon that the confirmation is one."""
    due = _due(tx.coaches.settings(booking.coach), booking)
    if booking.state == CONFIRMED and due > services.clock():
        services.jobs.enqueue(tx, "remind", booking.id, due - services.clock())


def remind(services: Services, booking_id: str) -> None:
    """The job: send the reminder if it is time, wanted, and not yet sent for this time."""
    with services.store.read() as tx:
        booking = tx.bookings.get(booking_id)
        if booking is None or booking.state not in {CONFIRMED, FROZEN}:
            return
        due = _due(tx.coaches.settings(booking.coach), booking)
        sealed = tx.bookings.sealed(booking_id).delivery
    now = services.clock()
    if now < due:
        raise TryAgain(due - now)
    if now >= booking.start or booking.reminded_for == booking.start or sealed is None:
        return
    if booking.state == FROZEN or booking.pending_start is not None:
        # Its time is not certain now; once it is, the reminder says the true one.
        raise TryAgain(WAIT_SECONDS)
    try:
        wanted = services.sealer.open_delivery(booking.delivery_day, booking_id, sealed).reminders
    except CannotOpen:
        return
    if not wanted:
        return
    with services.store.change(booking.coach) as tx:
        reminded = tx.bookings.change(booking, reminded_for=booking.start)
        if reminded is None:
            raise TryAgain(1)
        tell(services, tx, reminded, REMINDER_DUE)


def _due(settings: CoachSettings, booking: Booking) -> int:
    """When the reminder is due, in UTC seconds; the start itself where the offer has none."""
    offer = settings.offer(booking.offer)
    ahead = offer.reminder if offer else 0
    return booking.start - ahead * MINUTE if ahead else booking.start
