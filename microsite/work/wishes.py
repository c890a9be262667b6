"""Small wishes of the client: the mail again, a discreet title, reminders or none, a calendar address of her own."""

from collections.abc import Collection
from typing import Any

from microsite.core import reminders
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.core.letters import ASKED_AGAIN
from microsite.core.people import Delivery
from microsite.core.people import Secret
from microsite.errors import CannotOpen
from microsite.errors import NotPossibleNow
from microsite.errors import TooOften
from microsite.errors import WrongBooking
from microsite.services import Services

from .remind import offered
from .remind import plan_reminder
from .tell import tell

MOST_AGAIN = 3


def send_again(services: Services, booking_id: str, ref: str) -> None:
    """Send the client's letter again with a fresh link. Raises NotPossibleNow without an address, TooOften."""
    booking = _mine(services, booking_id, ref)
    with services.store.change(booking.coach) as tx:
        current = tx.bookings.need(booking_id)
        if current.state != CONFIRMED or tx.bookings.sealed(booking_id).delivery is None:
            raise NotPossibleNow("there is no letter to send again")
        if sum(row.kind == "link-again" for row in tx.letters.of(booking_id)) >= MOST_AGAIN:
            raise TooOften("the letter was sent again often enough")
        tell(services, tx, current, ASKED_AGAIN)


def set_discreet(services: Services, booking_id: str, ref: str, discreet: bool) -> None:
    """Choose whether the client's file bears the neutral title or the session type, and so is a new version of it."""
    booking = _mine(services, booking_id, ref)
    told_otherwise = booking.client_dtstamp > 0 and booking.discreet != discreet
    with services.store.change(booking.coach) as tx:
        sequence = booking.client_seq + (1 if told_otherwise else 0)
        if tx.bookings.change(booking, discreet=discreet, client_seq=sequence) is None:
            raise NotPossibleNow("the booking changed meanwhile")


def chosen_reminders(services: Services, booking: Booking) -> tuple[int, ...] | None:
    """How many minutes ahead the client is reminded; None where there is no address to send anything to."""
    with services.store.read() as tx:
        delivery = _opened(services, tx, booking)
        minutes = offered(tx.coaches.settings(booking.coach), booking)
    return None if delivery is None else reminders.ahead(delivery.reminders, minutes)


def set_reminders(services: Services, booking_id: str, ref: str, hours: Collection[int]) -> None:
    """Remind so many hours ahead (any of `core.reminders.CHOICES`, or none).

    Raises NotPossibleNow where there is no address.
    """
    chosen = tuple(each for each in reminders.CHOICES if each in hours)
    booking = _mine(services, booking_id, ref)
    with services.store.change(booking.coach) as tx:
        current = tx.bookings.need(booking_id)
        delivery = _opened(services, tx, current)
        if delivery is None:
            raise NotPossibleNow("there is no address to remind")
        changed = Delivery(delivery.address, delivery.language, delivery.zone, delivery.first_token, chosen)
        sealed = services.sealer.seal_delivery(current.delivery_day, current.id, changed)
        tx.bookings.set_sealed(booking_id, delivery=sealed)
        plan_reminder(services, tx, current)


def feed_address(services: Services, booking_id: str, ref: str) -> str:
    """A new `webcal` address for this booking; earlier ones of it keep working."""
    booking = _mine(services, booking_id, ref)
    token: Secret = services.sealer.new_token()
    with services.store.write() as tx:
        expires = tx.links.longest(booking_id)
        tx.links.add(services.sealer.lookup(token), booking.coach, booking_id, "feed", expires)
    address = services.config.address.split("://", 1)[1]
    return f"webcal://{address}/m/{token.reveal()}/feed.ics"


def _mine(services: Services, booking_id: str, ref: str) -> Booking:
    with services.store.read() as tx:
        booking: Booking = tx.bookings.need(booking_id)
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    if booking.state not in LIVE:
        raise NotPossibleNow("the booking no longer holds its time")
    return booking


def _opened(services: Services, tx: Any, booking: Booking) -> Delivery | None:
    sealed = tx.bookings.sealed(booking.id).delivery
    if sealed is None:
        return None
    try:
        opened: Delivery = services.sealer.open_delivery(booking.delivery_day, booking.id, sealed)
    except CannotOpen:
        return None
    return opened
