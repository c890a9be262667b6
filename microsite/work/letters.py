"""Sending letters: opening the envelope, writing the letter from its row, handing it over, closing up behind it.

A letter is sent only after every earlier letter to the same person about the same booking, so a move is never told
before the booking it moves. Its Message-ID stays the same however often it is tried.
"""

from typing import Any

import msgspec

from microsite.core.bookings import AWAITING_EMAIL
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import ENDED
from microsite.core.bookings import Booking
from microsite.core.bookings import purge_at
from microsite.core.events import Event
from microsite.core.events import client_description
from microsite.core.events import client_event
from microsite.core.events import client_title
from microsite.core.events import event_place
from microsite.core.letters import LETTER_REFUSED
from microsite.core.letters import LetterOrder
from microsite.core.letters import file_method
from microsite.core.people import Address
from microsite.core.people import Delivery
from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.errors import CannotOpen
from microsite.errors import MailRefused
from microsite.errors import TryAgain
from microsite.services import Services

from .look import alternatives
from .status import status_url
from .tell import tell

WAIT_SECONDS = 60
SENT = "sent"
REFUSED = "refused"
DROPPED = "dropped"


def send(services: Services, letter_id: str) -> None:
    """The job: send one queued letter. MailDelayed goes up to the engine, which tries again with back-off."""
    with services.store.read() as tx:
        row = tx.letters.get(letter_id)
        if row is None or row.state != "queued":
            return
        if tx.letters.queued_before(row):
            # Whoever settles that one asks for this one; this is for the case that nobody does.
            raise TryAgain(WAIT_SECONDS)
        booking = tx.bookings.get(row.booking) if row.booking else None
        settings = tx.coaches.settings(row.coach)
    delivery = None
    order: LetterOrder | None = None
    if row.recipient == "coach":
        order = _to_coach(services, row, booking, settings)
    elif booking and not _outdated(services, row, booking) and (delivery := _opened(services, booking)):
        order = _to_client(services, row, booking, settings, delivery)
    if order is None or not order.address:
        _settle(services, row, booking, DROPPED, delivery)
        return
    try:
        services.mailer.send(order)
    except MailRefused:
        _settle(services, row, booking, REFUSED, delivery)
        return
    _settle(services, row, booking, SENT, delivery)


def _outdated(services: Services, row: Any, booking: Booking) -> bool:
    """What waited until it is no longer true: a reminder, or a button. All else is told, however late."""
    if row.kind == "verify-address":
        return booking.state != AWAITING_EMAIL
    true = booking.state == CONFIRMED and booking.start == row.start and services.clock() < row.start
    return row.kind == "reminder" and not true


def _opened(services: Services, booking: Booking) -> Delivery | None:
    """The envelope of a booking, while it can be opened."""
    with services.store.read() as tx:
        sealed = tx.bookings.sealed(booking.id).delivery
    if sealed is None:
        return None
    try:
        opened: Delivery = services.sealer.open_delivery(booking.delivery_day, booking.id, sealed)
    except CannotOpen:
        return None
    return opened


def _to_coach(services: Services, row: Any, booking: Booking | None, settings: CoachSettings) -> LetterOrder:
    return LetterOrder(
        kind=row.kind,
        language=settings.language,
        address=Address(settings.email),
        message_id=row.message_id,
        sent_at=services.clock(),
        coach_zone=settings.zone,
        start=row.start,
        end=row.end,
        old_start=row.old_start,
        ref=booking.ref if booking else "",
        link=Secret(f"{services.config.address}/desk"),
        coach_name=settings.name,
    )


def _to_client(
    services: Services, row: Any, booking: Booking, settings: CoachSettings, delivery: Delivery
) -> LetterOrder:
    offer = settings.offer(booking.offer)
    location, _ = event_place(offer.place, delivery.language) if offer else ("", "")
    prefix = "/en" if delivery.language == "en" else ""
    first = row.message_id == booking.first_message_id
    token = _token(services, row, booking, settings, delivery)
    return LetterOrder(
        kind=row.kind,
        language=delivery.language,
        address=delivery.address,
        message_id=row.message_id,
        references="" if first else booking.first_message_id,
        sent_at=services.clock(),
        zone=delivery.zone,
        coach_zone=settings.zone,
        start=row.start,
        end=row.end,
        old_start=row.old_start,
        ref=booking.ref,
        link=Secret(f"{services.config.address}{prefix}/m/{token.reveal()}"),
        booking_page=f"{services.config.address}{prefix}/{booking.coach}/",
        place=location,
        coach_name=settings.name,
        contact=settings.contact,
        purge_on=booking.purge_on,
        hold_until=booking.hold_until or 0,
        alternatives=alternatives(services, booking) if row.kind == "failed" else (),
        event=file_of(services, row, booking, settings, delivery.language),
    )


def file_of(services: Services, row: Any, booking: Booking, settings: CoachSettings, language: str) -> Event | None:
    """The calendar file of a letter, from the row's own time and counters; None where the kind has none."""
    method = file_method(row.kind, row.dtstamp)
    if not method:
        return None
    offer = settings.offer(booking.offer)
    location, conference = event_place(offer.place, language) if offer else ("", "")
    status = status_url(services, booking, language)
    as_told = msgspec.structs.replace(booking, start=row.start, end=row.end, client_seq=row.seq)
    return client_event(
        as_told,
        summary=client_title(settings, booking, language),
        status_url=status,
        location=location,
        conference=conference,
        description=client_description(language, status),
        organizer_name=services.mailer.brand,
        organizer_address=services.mailer.sender,
        method=method,
        now=row.dtstamp,
    )


def _token(services: Services, row: Any, booking: Booking, settings: CoachSettings, delivery: Delivery) -> Secret:
    """The first token while the envelope still holds it; afterwards a fresh one, which does not open the copy."""
    if delivery.first_token and row.kind != "verify-address":
        return delivery.first_token
    # The link that proves an address must not be the one that the page already has.
    kind = "verify" if row.kind == "verify-address" else "manage"
    token: Secret = services.sealer.new_token()
    expires = purge_at(booking.end, settings.retention_days)
    with services.store.write() as tx:
        tx.links.add(services.sealer.lookup(token), booking.coach, booking.id, kind, expires)
    return token


def _settle(services: Services, row: Any, booking: Booking | None, state: str, delivery: Delivery | None) -> None:
    """Note what became of a letter, ask for the next one, and take out of the envelope what is no longer needed."""
    handed = bool(delivery and delivery.first_token) and state == SENT and row.kind != "verify-address"
    refused = state == REFUSED and row.recipient == "client"
    # What is read and written again here (envelope, letters) is kept from others by the coach's lock.
    with services.store.change(row.coach) if handed or refused else services.store.write() as tx:
        if not tx.letters.set_state(row.id, state):
            return
        if following := tx.letters.queued_after(row):
            services.jobs.enqueue(tx, "letter", following)
        current = tx.bookings.get(booking.id) if booking else None
        if current is None:
            return
        if current.state in ENDED and not tx.letters.waiting(current.id, "client"):
            tx.bookings.set_sealed(current.id, delivery=None)
        elif handed:
            _forget_token(services, tx, current)
        if refused:
            tell(services, tx, current, LETTER_REFUSED)


def _forget_token(services: Services, tx: Any, current: Booking) -> None:
    """The first link has been handed over: from now on only its holder has the key of the client's copy.

    The envelope is opened anew: while the letter was on its way the booking may have moved to another day's key.
    """
    sealed = tx.bookings.sealed(current.id).delivery
    if sealed is None:
        return
    try:
        held = services.sealer.open_delivery(current.delivery_day, current.id, sealed)
    except CannotOpen:
        return
    kept = Delivery(held.address, held.language, held.zone, None, held.reminders)
    resealed = services.sealer.seal_delivery(current.delivery_day, current.id, kept)
    tx.bookings.set_sealed(current.id, delivery=resealed)
