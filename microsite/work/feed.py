"""The personal calendar address: one booking as a file that a calendar app fetches again and again. Changes nothing.

Unknown, malformed, expired and erased addresses are all the same NotFound.
"""

from datetime import timedelta

import msgspec

from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import ENDED
from microsite.core.bookings import FROZEN
from microsite.core.people import Secret
from microsite.errors import NotFound
from microsite.ics import render
from microsite.services import Services

from .manage import client_file

REFRESH = timedelta(hours=1)


def feed(services: Services, token: str) -> bytes:
    """The file of the booking behind a feed address, cancelled where it no longer holds; raises NotFound."""
    with services.store.read() as tx:
        link = tx.links.get(services.sealer.lookup(Secret(token)), "feed", services.clock())
        if link is None:
            raise NotFound("no such link")
        booking = tx.bookings.need(link.booking)
    event = client_file(services, booking)
    if booking.state not in {CONFIRMED, FROZEN} | ENDED:
        event = msgspec.structs.replace(event, status="TENTATIVE")
    return render(event, REFRESH)
