"""The client's page: finding a booking by its link, waiting for its outcome, its calendar file. Changes nothing.

Unknown, malformed, expired and erased links are all the same NotFound.
"""

import time
from datetime import UTC
from datetime import datetime

from microsite.core.bookings import CONFIRMING
from microsite.core.bookings import Booking
from microsite.core.events import Event
from microsite.core.events import client_description
from microsite.core.events import client_title
from microsite.core.events import download_event
from microsite.core.events import event_place
from microsite.core.letters import CANCELLED_AT_DESK
from microsite.core.letters import CANCELLED_IN_CALENDAR
from microsite.core.letters import MOVED_BY_CLIENT
from microsite.core.letters import MOVED_BY_COACH
from microsite.core.people import Secret
from microsite.errors import NotFound
from microsite.ics import render
from microsite.services import Services

from .cancel import cancel
from .cancel import may_cancel_until
from .status import status_url

__all__ = [
    "booking_by_id",
    "by_token",
    "cancel",
    "client_file",
    "client_ics",
    "has_moved",
    "may_cancel_until",
    "on_its_way",
    "proves_address",
    "reached_by_mail",
    "wait_for_outcome",
]
MOVED = frozenset({MOVED_BY_CLIENT, MOVED_BY_COACH})
CANCELLED_BY_COACH = frozenset({CANCELLED_AT_DESK, CANCELLED_IN_CALENDAR})
LOOK_SECONDS = 0.02


def by_token(services: Services, token: str) -> Booking:
    """The booking that a manage link opens; raises NotFound."""
    lookup = services.sealer.lookup(Secret(token))
    with services.store.read() as tx:
        now = services.clock()
        link = tx.links.get(lookup, "manage", now) or tx.links.get(lookup, "verify", now)
        if link is None:
            raise NotFound("no such link")
        booking: Booking = tx.bookings.need(link.booking)
    return booking


def proves_address(services: Services, token: str) -> bool:
    """Whether this is the link of the letter that asked for the address to be confirmed, not the page's own."""
    with services.store.read() as tx:
        return tx.links.get(services.sealer.lookup(Secret(token)), "verify", services.clock()) is not None


def booking_by_id(services: Services, booking_id: str) -> Booking:
    """The booking of an open session; raises NotFound."""
    with services.store.read() as tx:
        return tx.bookings.need(booking_id)


def on_its_way(booking: Booking) -> bool:
    """Whether the calendar is being asked right now, for a new booking or for a new time."""
    return booking.state == CONFIRMING or (booking.live and booking.pending_start is not None)


def has_moved(services: Services, booking: Booking) -> bool:
    """Whether its time is another one than it was booked for."""
    return not MOVED.isdisjoint(_happened(services, booking))


def cancelled_by_coach(services: Services, booking: Booking) -> bool:
    """Whether the coach cancelled it, at her desk or in her calendar, and not the client."""
    return not CANCELLED_BY_COACH.isdisjoint(_happened(services, booking))


def _happened(services: Services, booking: Booking) -> set[str]:
    since = int(datetime.fromisoformat(booking.created_on).replace(tzinfo=UTC).timestamp())
    with services.store.read() as tx:
        return {what for _, what in tx.happenings.about(booking.coach, booking.ref, since)}


def reached_by_mail(services: Services, booking: Booking) -> bool:
    """Whether there is, or was, an address that letters about it go to."""
    with services.store.read() as tx:
        if tx.bookings.sealed(booking.id).delivery is not None:
            return True
        return any(row.recipient == "client" for row in tx.letters.of(booking.id))


def wait_for_outcome(services: Services, booking_id: str, milliseconds: int = 300) -> Booking:
    """The booking, after waiting at most so long until it is no longer on its way; raises NotFound."""
    deadline = time.monotonic() + milliseconds / 1000
    while True:
        before = services.store.changes
        booking = booking_by_id(services, booking_id)
        left = deadline - time.monotonic()
        if not on_its_way(booking) or left <= 0:
            return booking
        # Jobs in this very process are heard of at once; those of another one are looked for.
        services.store.wait_for_change(before, min(LOOK_SECONDS, left))


def client_ics(services: Services, booking: Booking) -> bytes:
    """The file behind «add to calendar»: same UID and version as in the letters, no METHOD, no ORGANIZER."""
    return render(client_file(services, booking))


def client_file(services: Services, booking: Booking) -> Event:
    """What that file says."""
    with services.store.read() as tx:
        settings = tx.coaches.settings(booking.coach)
    language = booking.language
    offer = settings.offer(booking.offer)
    location, conference = event_place(offer.place, language) if offer else ("", "")
    status = status_url(services, booking, language)
    return download_event(
        booking,
        summary=client_title(settings, booking, language),
        status_url=status,
        location=location,
        conference=conference,
        description=client_description(language, status),
        now=services.clock(),
    )
