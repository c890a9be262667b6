"""Giving a booking a new time: its dates, day key, deadline and the life of its links move with it."""

from datetime import UTC
from datetime import datetime
from typing import Any

from microsite.core.bookings import Booking
from microsite.core.bookings import answer_deadline
from microsite.core.bookings import purge_at
from microsite.errors import CannotOpen
from microsite.errors import TryAgain
from microsite.services import Services


def date_of(at: int) -> str:
    """The UTC date of an instant, as text."""
    return datetime.fromtimestamp(at, UTC).date().isoformat()


def retime(services: Services, tx: Any, booking: Booking, start: int, end: int, **values: Any) -> Booking:
    """The booking at its new time, in the caller's transaction; `values` are changed with it.

    Raises TryAgain where the booking changed meanwhile.
    """
    expires = purge_at(end, tx.coaches.settings(booking.coach).retention_days)
    day = services.sealer.delivery_day(end)
    if day != booking.delivery_day:
        _reseal(services, tx, booking, day)
    moved: Booking | None = tx.bookings.change(
        booking, start=start, end=end, delivery_day=day, purge_on=date_of(expires), **values
    )
    if moved is None:
        raise TryAgain(1)
    tx.links.extend(booking.id, expires)
    return moved


def deadline_at(services: Services, tx: Any, booking: Booking, start: int) -> int | None:
    """Until when the coach may answer a request that is to be at `start`; None where nobody waits for her."""
    offer = tx.coaches.settings(booking.coach).offer(booking.offer)
    if not booking.requested:
        return None
    return answer_deadline(start, services.clock(), offer.request) if offer else start


def _reseal(services: Services, tx: Any, booking: Booking, day: str) -> None:
    """Put the delivery envelope under the new day's key; one that cannot be opened any more is gone for good."""
    sealed = tx.bookings.sealed(booking.id).delivery
    if sealed is None:
        return
    try:
        delivery = services.sealer.open_delivery(booking.delivery_day, booking.id, sealed)
    except CannotOpen:
        tx.bookings.set_sealed(booking.id, delivery=None)
        return
    tx.bookings.set_sealed(booking.id, delivery=services.sealer.seal_delivery(day, booking.id, delivery))
