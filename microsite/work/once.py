"""A form that arrives twice books once: on a slow network people press again, and the first answer may be lost.

Each form carries a random `once`. The first token of its booking is made from that and the server key, so the second
arrival finds the booking of the first, and nothing about the form is kept.
"""

from base64 import urlsafe_b64encode

from microsite.core.bookings import Booking
from microsite.core.people import Secret
from microsite.errors import NotFound
from microsite.services import Services

from . import manage


def new_token(services: Services, once: str) -> Secret:
    """The first token of the booking that this form makes; a random one where it has made a booking already."""
    token = _token(services, once)
    return services.sealer.new_token() if not once or _of(services, token) else token


def booked_before(services: Services, coach: str, offer: str, start: int, once: str) -> Secret | None:
    """The token of the booking that this very form has made for that start; None where there is none."""
    token = _token(services, once)
    booking = _of(services, token) if once else None
    return token if booking is not None and stands(booking, coach, offer, start) else None


def own(services: Services, coach: str, offer: str, start: int, token: str) -> bool:
    """Whether the booking that this manage token opens is the one that stands there."""
    booking = _of(services, Secret(token)) if token else None
    return booking is not None and stands(booking, coach, offer, start)


def stands(booking: Booking, coach: str, offer: str, start: int) -> bool:
    """Whether this is a living booking of that offer at that start (UTC seconds)."""
    return booking.live and (booking.coach, booking.offer, booking.start) == (coach, offer, start)


def _of(services: Services, token: Secret) -> Booking | None:
    try:
        return manage.by_token(services, token.reveal())
    except NotFound:
        return None


def _token(services: Services, once: str) -> Secret:
    return Secret(urlsafe_b64encode(services.sealer.sign("once", once.encode())).decode().rstrip("="))
