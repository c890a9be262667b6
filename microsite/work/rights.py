"""The client's rights over what she wrote: read it, correct it, take it along, and leave with a clean calendar.

Only the copy that belongs to the link at hand can be opened; the coach's record never can. Erasing is `erase`; what a
browser sealed before it left is `written`'s.
"""

from datetime import UTC
from datetime import datetime
from typing import Any

import msgspec

from microsite.core.bookings import AWAITING_EMAIL
from microsite.core.bookings import CANCELLED
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import Booking
from microsite.core.happenings import CORRECTED
from microsite.core.happenings import EXPORTED
from microsite.core.letters import ADDRESS_ASKED
from microsite.core.letters import ASKED_AGAIN
from microsite.core.people import Address
from microsite.core.people import ClientDetails
from microsite.core.people import Delivery
from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.errors import CannotOpen
from microsite.errors import TooOften
from microsite.errors import WrongBooking
from microsite.ics import render
from microsite.services import Services

from . import terms
from .manage import by_token
from .manage import client_file
from .tell import tell

LETTERS = {CONFIRMED: (ASKED_AGAIN, "link-again"), AWAITING_EMAIL: (ADDRESS_ASKED, "verify-address")}
"""What goes to a new address at once, by the booking's state: the happening, and the kind of its letter."""
MOST_LETTERS = 3


def written(services: Services, token: str) -> Record | None:
    """What the client wrote, where this link opens her copy; None with a later link. Raises NotFound."""
    booking = by_token(services, token)
    with services.store.read() as tx:
        sealed = tx.bookings.sealed(booking.id).copy
    if sealed is None:
        return None
    try:
        opened: Record = services.sealer.open_copy(Secret(token), booking.id, sealed)
    except CannotOpen:
        return None
    return opened


def correct(services: Services, token: str, ref: str, details: ClientDetails) -> bool:
    """Put other words in the place of what was written; from then on this link opens the copy.

    Answers whether letters go elsewhere now: then a new address gets one at once where there is something to say, and
    all others to its page close, for they went to the old one. Raises NotFound, WrongBooking, TooOften.
    """
    booking = _mine(services, token, ref)
    now = services.clock()
    record = Record(details, terms.record(services, booking.coach), booking.language, now)
    elsewhere = False
    with services.store.change(booking.coach) as tx:
        current = tx.bookings.need(booking.id)
        parts = {
            "record": services.sealer.seal_record(record, tx.coaches.recipients(booking.coach)),
            "copy": services.sealer.seal_copy(Secret(token), booking.id, record),
        }
        tx.bookings.set_sealed(booking.id, **parts)
        tx.happenings.note(booking.coach, booking.ref, now, CORRECTED)
        if current.live and now < current.end:
            elsewhere = _send_elsewhere(services, tx, current, Secret(token), Address(details.reveal().email))
    services.store.truncate_log()
    return elsewhere


def export(services: Services, token: str, ref: str) -> bytes:
    """Everything that is kept about a booking, as JSON; what was written only where this link opens it."""
    booking = _mine(services, token, ref)
    record = written(services, token)
    now = services.clock()
    with services.store.write() as tx:
        tx.happenings.note(booking.coach, booking.ref, now, EXPORTED)
    with services.store.read() as tx:
        delivery = _opened(services, tx, booking)
        happened = tx.happenings.about(booking.coach, booking.ref, _created(booking))
        letters = [
            {"kind": row.kind, "state": row.state} for row in tx.letters.of(booking.id) if row.recipient == "client"
        ]
    document = {
        "exported_at": _iso(now),
        "booking": _plain(booking),
        "written": _words(record),
        "mail": _mail(delivery, shown=record is not None),
        "letters": letters,
        "happenings": [{"at": _iso(at), "what": what} for at, what in happened],
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=2)


def last_file(services: Services, booking: Booking) -> bytes:
    """The file that takes a booking out of the client's own calendar, made before everything about it is erased."""
    ended = msgspec.structs.replace(booking, state=CANCELLED, client_seq=booking.client_seq + 1)
    return render(client_file(services, ended))


def _send_elsewhere(services: Services, tx: Any, booking: Booking, token: Secret, address: Address) -> bool:
    """Seal the envelope anew where the address is another one, and let nobody in who only has the old letters."""
    old = _opened(services, tx, booking)
    if (old.address if old else Address("")).reveal() == address.reveal():
        return False
    if not address:
        tx.bookings.set_sealed(booking.id, delivery=None)
        return False
    zone = old.zone if old else tx.coaches.settings(booking.coach).zone
    # A link that was never sent stays good only where it is the one in use.
    first = old.first_token if old and old.first_token == token else None
    delivery = Delivery(address, booking.language, zone, first, old.reminders if old else None)
    tx.bookings.set_sealed(
        booking.id, delivery=services.sealer.seal_delivery(booking.delivery_day, booking.id, delivery)
    )
    tx.links.keep_only(booking.id, services.sealer.lookup(token))
    if booking.state in LETTERS:
        happening, kind = LETTERS[booking.state]
        if sum(row.kind == kind for row in tx.letters.of(booking.id)) > MOST_LETTERS:
            raise TooOften("the address was changed often enough")
        tell(services, tx, booking, happening)
    return True


def _mine(services: Services, token: str, ref: str) -> Booking:
    booking = by_token(services, token)
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
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


def _plain(booking: Booking) -> dict[str, Any]:
    return {
        "reference": booking.ref,
        "coach": booking.coach,
        "session": booking.offer,
        "start": _iso(booking.start),
        "end": _iso(booking.end),
        "state": booking.state,
        "language": booking.language,
        "neutral_title": booking.discreet,
        "booked_on": booking.created_on,
        "deleted_on": booking.purge_on,
    }


def _words(record: Record | None) -> dict[str, Any] | str:
    if record is None:
        return "sealed: only the coach, or the link it was written with, opens it"
    name, email, note = record.details.reveal()
    terms = {"written_at": _iso(record.written_at), "consent_version": record.consent_version}
    return {"name": name, "email": email, "note": note, **terms}


def _mail(delivery: Delivery | None, shown: bool) -> dict[str, Any] | None:
    if delivery is None:
        return None
    address = delivery.address.reveal() if shown else "kept for letters; shown only by the link it was written with"
    hours = "as offered" if delivery.reminders is None else list(delivery.reminders)
    return {"address": address, "language": delivery.language, "zone": delivery.zone, "reminders_hours_ahead": hours}


def _created(booking: Booking) -> int:
    return int(datetime.fromisoformat(booking.created_on).replace(tzinfo=UTC).timestamp())


def _iso(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
