"""What a visitor writes: sealed on arrival, or taken as her browser sealed it; put in another's place, or taken out.

Erasing the whole booking is `erase`; opening a record with a key that the coach hands over is `records`.
"""

import hashlib
from collections.abc import Sequence
from typing import Any

from microsite.core.bookings import Booking
from microsite.core.happenings import CORRECTED
from microsite.core.people import Address
from microsite.core.people import ClientDetails
from microsite.core.people import Delivery
from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.errors import NotPossibleNow
from microsite.errors import WrongBooking
from microsite.services import Services

from . import terms


def seal(
    services: Services,
    booking: Booking,
    token: Secret,
    details: ClientDetails,
    zone: str,
    now: int,
    from_browser: bytes = b"",
    version: str = "",
) -> Any:
    """The sealed parts of a new booking, made before the database is touched; `token` is its first.

    What came sealed from the visitor's browser is the record; then there is no copy that the client's page could show.
    `version` is that of the privacy page beside the form; the record names it.
    """
    sealer = services.sealer
    record = Record(details, terms.shown(services, booking.coach, version), booking.language, now)
    address = Address(details.reveal().email)
    delivery = Delivery(address, booking.language, zone, token)
    return services.store.sealed(
        record=from_browser or sealer.seal_record(record, recipients(services, booking.coach)),
        copy=None if from_browser else sealer.seal_copy(token, booking.id, record),
        delivery=sealer.seal_delivery(booking.delivery_day, booking.id, delivery) if address else None,
    )


def only_coach_reads(services: Services, booking_id: str) -> bool:
    """Whether what was written was sealed in the visitor's browser, so that the client's page cannot show it."""
    with services.store.read() as tx:
        sealed = tx.bookings.sealed(booking_id)
    return sealed.record is not None and sealed.copy is None


def recipients(services: Services, coach: str) -> list[str]:
    """The public keys that a browser seals to."""
    with services.store.read() as tx:
        return list(tx.coaches.recipients(coach))


def mark(keys: Sequence[str]) -> str:
    """A short sign of a set of keys: a form that was open while the coach changed hers is sealed anew."""
    return hashlib.sha256(" ".join(keys).encode()).hexdigest()[:16]


def fits(services: Services, coach: str, sealed: bytes, sealed_for: str) -> bool:
    """Whether this may be kept as a record of a coach; what is in it, only she will see."""
    keys = recipients(services, coach)
    return sealed_for == mark(keys) and services.sealer.looks_sealed(sealed, len(keys))


def replace(services: Services, booking: Booking, ref: str, sealed: bytes | None) -> None:
    """Keep another sealed record in place of the one there is, or none at all. Raises WrongBooking, NotPossibleNow."""
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    with services.store.write() as tx:
        old = tx.bookings.sealed(booking.id).record
        if old is None or not tx.bookings.replace_record(booking.id, old, sealed):
            raise NotPossibleNow("there is nothing to replace")
        tx.happenings.note(booking.coach, booking.ref, services.clock(), CORRECTED)
    services.store.truncate_log()


def replace_open(services: Services, booking: Booking, ref: str, details: ClientDetails, language: str) -> None:
    """The same where the browser could not seal: it is sealed on arrival, and then, too, only the coach reads it."""
    record = Record(details, terms.record(services, booking.coach), language, services.clock())
    sealed = services.sealer.seal_record(record, recipients(services, booking.coach))
    replace(services, booking, ref, sealed)
