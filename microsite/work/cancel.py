"""Cancelling by the client: the time is free at once, letters are queued, the event goes and is looked for again."""

from microsite.core.bookings import CANCELLED
from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.core.bookings import cancel_deadline
from microsite.core.letters import CANCELLED_BY_CLIENT
from microsite.errors import NotPossibleNow
from microsite.errors import TooLate
from microsite.errors import WrongBooking
from microsite.services import Services

from .sweep import enqueue_sweeps
from .tell import tell


def may_cancel_until(services: Services, booking: Booking) -> int:
    """Until when (UTC seconds, exclusive) the client may cancel by herself."""
    with services.store.read() as tx:
        settings = tx.coaches.settings(booking.coach)
    offer = settings.offer(booking.offer)
    return cancel_deadline(booking.start, offer.cancel_notice if offer else 0)


def cancel(services: Services, booking_id: str, ref: str) -> Booking:
    """Cancel as the client. Cancelling what is cancelled already answers the same.

    Raises NotFound, WrongBooking (the form was another booking's), TooLate, NotPossibleNow.
    """
    with services.store.read() as tx:
        booking = tx.bookings.need(booking_id)
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    if booking.state == CANCELLED:
        return booking
    if booking.state not in LIVE:
        raise NotPossibleNow("only a booking that holds its time can be cancelled")
    if services.clock() >= may_cancel_until(services, booking):
        raise TooLate("the notice window has begun")
    with services.store.change(booking.coach) as tx:
        current = tx.bookings.need(booking_id)
        cancelled = tx.bookings.change(current, state=CANCELLED, hold_until=None) if current.state in LIVE else None
        if cancelled is None:
            raise NotPossibleNow("the booking changed meanwhile")
        cancelled = tell(services, tx, cancelled, CANCELLED_BY_CLIENT)
        enqueue_sweeps(services, tx, cancelled)
    return cancelled
