"""The low-power page of a booking: time and state, nothing else, so its address may stand in a shared calendar.

Its token is made from the server key and the booking, so that every file of a booking carries the same address.
"""

from base64 import urlsafe_b64encode
from typing import Any

from microsite.core.bookings import Booking
from microsite.core.people import Secret
from microsite.errors import NotFound
from microsite.services import Services


def status_token(services: Services, booking_id: str) -> Secret:
    """The token of the booking's status page."""
    signature = services.sealer.sign("status", booking_id.encode())
    return Secret(urlsafe_b64encode(signature).decode().rstrip("="))


def status_url(services: Services, booking: Booking, language: str) -> str:
    """The address of the status page in a language."""
    prefix = "/en" if language == "en" else ""
    return f"{services.config.address}{prefix}/status/{status_token(services, booking.id).reveal()}"


def status_lookup(services: Services, booking: Booking) -> bytes:
    """What the status page of a booking is found by."""
    return services.sealer.lookup(status_token(services, booking.id))


def add_status_link(services: Services, tx: Any, booking: Booking, expires_at: int) -> None:
    """Let the status page of a booking be found under the server key of now."""
    tx.links.add(status_lookup(services, booking), booking.coach, booking.id, "status", expires_at)


def by_status_token(services: Services, token: str) -> Booking:
    """The booking whose status page that is; raises NotFound."""
    with services.store.read() as tx:
        link = tx.links.get(services.sealer.lookup(Secret(token)), "status", services.clock())
        if link is None:
            raise NotFound("no such link")
        return tx.bookings.need(link.booking)
