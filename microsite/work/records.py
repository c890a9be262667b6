"""Opening a coach's sealed record with an identity she hands over; the server itself has none."""

from typing import NamedTuple
from zoneinfo import ZoneInfo

from microsite.core.bookings import Booking
from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.errors import CannotOpen
from microsite.errors import NotFound
from microsite.services import Services


class Opened(NamedTuple):
    """A record with its booking and the coach's zone."""

    booking: Booking
    record: Record
    zone: ZoneInfo


def open_booking(services: Services, slug: str, ref: str, identity_file: Secret) -> Opened:
    """The record of a reference. Raises NotFound, or CannotOpen (wrong key, erased, or the demo's key elsewhere)."""
    with services.store.read() as tx:
        rows = [row for row in tx.coaches.all() if slug in {"", row.slug}]
        found = [(row, tx.bookings.by_ref(row.slug, ref.upper())) for row in rows]
        held = [(row, booking) for row, booking in found if booking is not None]
        if not held:
            raise NotFound(f"no booking has the reference {ref.upper()}")
        if len(held) > 1:
            raise NotFound(f"several coaches have a booking {ref.upper()}: name one with --coach")
        row, booking = held[0]
        sealed = tx.bookings.sealed(booking.id).record
    if sealed is None:
        raise CannotOpen("this record was erased")
    if not row.demo and "DEMO" in identity_file.reveal():
        raise CannotOpen("the demo identity is for trying out; it is refused for a real coach")
    record = services.sealer.open_record(sealed, services.sealer.identities_in(identity_file))
    return Opened(booking, record, row.settings.zoneinfo)
