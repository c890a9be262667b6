"""What a client wrote and only the coach can open: put something else in its place. Taking all out is `erase`."""

from typing import Any

from microsite.core.bookings import Booking
from microsite.core.happenings import CORRECTED
from microsite.core.people import ClientDetails
from microsite.core.people import Record
from microsite.errors import NotPossibleNow
from microsite.errors import WrongBooking
from microsite.services import Services

CONSENT_VERSION = "1"


def only_coach_reads(services: Services, booking_id: str) -> bool:
    """Whether what was written was sealed in the visitor's browser, so that the client's page cannot show it."""
    with services.store.read() as tx:
        sealed = tx.bookings.sealed(booking_id)
    return sealed.record is not None and sealed.copy is None


def recipients(services: Services, coach: str) -> list[str]:
    """The public keys that a browser seals to."""
    with services.store.read() as tx:
        return list(tx.coaches.recipients(coach))


def fits(services: Services, coach: str, sealed: bytes) -> bool:
    """Whether this may be kept as a record of a coach; what is in it, only she will see."""
    looks: bool = services.sealer.looks_sealed(sealed, len(recipients(services, coach)))
    return looks


def replace(services: Services, booking: Booking, ref: str, sealed: bytes) -> None:
    """Keep another sealed record in place of the one there is. Raises WrongBooking, NotPossibleNow."""
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    if not fits(services, booking.coach, sealed):
        raise NotPossibleNow("this is no sealed record")
    with services.store.write() as tx:
        _put(services, tx, booking, sealed)
    services.store.truncate_log()


def replace_open(services: Services, booking: Booking, ref: str, details: ClientDetails, language: str) -> None:
    """The same where the browser could not seal: it is sealed on arrival, and then, too, only the coach reads it."""
    record = Record(details, CONSENT_VERSION, language, services.clock())
    sealed = services.sealer.seal_record(record, recipients(services, booking.coach))
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    with services.store.write() as tx:
        _put(services, tx, booking, sealed)
    services.store.truncate_log()


def _put(services: Services, tx: Any, booking: Booking, sealed: bytes) -> None:
    old = tx.bookings.sealed(booking.id).record
    if old is None or not tx.bookings.replace_record(booking.id, old, sealed):
        raise NotPossibleNow("there is nothing to replace")
    tx.happenings.note(booking.coach, booking.ref, services.clock(), CORRECTED)
