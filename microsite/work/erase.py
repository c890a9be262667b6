"""Erasing at the client's wish: record, copy, envelope, links and letters go at once, and a future event goes too.

No letter is sent: there is nobody left to send it to. What stays is a line with a reference, a time and a word.
"""

from microsite.core.bookings import Booking
from microsite.core.letters import ERASED
from microsite.errors import WrongBooking
from microsite.services import Services

from .purge import forget_copies
from .sweep import enqueue_sweeps


def erase(services: Services, booking_id: str, ref: str) -> Booking:
    """Erase a booking; answers what it was, for the last page. Raises NotFound, WrongBooking."""
    with services.store.read() as tx:
        booking: Booking = tx.bookings.need(booking_id)
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    now = services.clock()
    with services.store.change(booking.coach) as tx:
        if booking.end > now:
            enqueue_sweeps(services, tx, booking)
        tx.happenings.note(booking.coach, booking.ref, now, ERASED)
        tx.bookings.remove(booking_id)
    services.store.truncate_log()
    forget_copies(services)
    return booking
