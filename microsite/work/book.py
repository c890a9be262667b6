"""Booking: hold the time and seal the details in one transaction, then write, look again, and only then confirm.

`book` answers the visitor's POST. `check`, `write` and `verify` are the jobs that follow, each a single step that is
safe to repeat; how far a booking has come is in its row. Nobody is told "confirmed" before the calendar has it.
"""

import secrets
from typing import Any

import msgspec

from microsite.core import letters
from microsite.core.availability import obstacles
from microsite.core.bookings import AWAITING_COACH
from microsite.core.bookings import AWAITING_EMAIL
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import CONFIRMING
from microsite.core.bookings import FAILED
from microsite.core.bookings import HOLD
from microsite.core.bookings import LINK_LETTERS
from microsite.core.bookings import Booking
from microsite.core.bookings import answer_deadline
from microsite.core.bookings import purge_at
from microsite.core.events import Event
from microsite.core.events import coach_event
from microsite.core.events import event_place
from microsite.core.happenings import HELD
from microsite.core.people import ClientDetails
from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.spans import MINUTE
from microsite.errors import CalendarChanged
from microsite.errors import CalendarError
from microsite.errors import NotFound
from microsite.errors import SlotTaken
from microsite.errors import TryAgain
from microsite.ics import render
from microsite.services import Services

from . import look
from . import written
from .calendars import bookings_calendar
from .calendars import in_step
from .invite import spend
from .once import new_token
from .remind import plan_reminder
from .retime import date_of
from .status import status_lookup
from .sweep import enqueue_sweeps
from .sweep import sweep_address
from .sync import account_of
from .tell import tell

CHECK_SECONDS = 5.0
WRITE_SECONDS = 10.0
REFERENCE_LENGTH = 4


class Placed(msgspec.Struct, frozen=True):
    """A hold: the booking, and the first token, which only the client's page and first letter get."""

    token: Secret
    booking: Booking


def book(
    services: Services,
    coach_slug: str,
    offer_slug: str,
    start: int,
    details: ClientDetails,
    language: str,
    zone: str,
    invitation: str = "",
    sealed_record: bytes = b"",
    version: str = "",
    once: str = "",
) -> Placed:
    """Hold a start for a visitor. Raises NotFound, TimesUnknown, or SlotTaken where it would not be offered now.

    `sealed_record` was sealed in the visitor's browser: then `details` hold only the address, and there is no copy.
    `version` is that of the privacy page beside the form, `once` the form's own mark (see `work.once`).
    """
    with services.store.turn():
        coach = look.coach(services, coach_slug)
        offer = coach.settings.offer(offer_slug)
        if offer is None:
            raise NotFound("no such offer")
        now = services.clock()
        booking = _new_booking(services, coach, offer, start, language, now)
        token = new_token(services, once)
        sealed = written.seal(services, booking, token, details, zone, now, sealed_record, version)
        opens = {services.sealer.lookup(token): "manage", status_lookup(services, booking): "status"}
        expected = look.foreseen(services, coach, offer, start, now)
        ref, expires = _new_ref(), purge_at(booking.end, coach.settings.retention_days)
        with services.store.change(coach.slug) as tx:
            if not look.still_offered(tx, coach, offer, start, now, expected):
                raise SlotTaken("this start is not offered")
            if offer.invited:
                spend(services, tx, coach.slug, offer.slug, invitation)
            while tx.bookings.ref_taken(coach.slug, ref):
                ref = _new_ref()
            booking = msgspec.structs.replace(booking, ref=ref)
            tx.bookings.add(booking, sealed)
            tx.links.add_all(opens, coach.slug, booking.id, expires)
            _begin(services, tx, booking, now)
    return Placed(token, booking)


def _begin(services: Services, tx: Any, booking: Booking, now: int) -> None:
    """What follows on a new booking."""
    tx.happenings.note(booking.coach, booking.ref, now, HELD)
    if booking.state == AWAITING_EMAIL:
        tell(services, tx, booking, letters.ADDRESS_ASKED)
        services.jobs.enqueue(tx, "expire", booking.id, (booking.hold_until or now) - now)
    else:
        services.jobs.begin(tx, "book.check", booking.id)


def check(services: Services, booking_id: str) -> None:
    """Step 1: read the calendars anew; go on if the time is still free, else release it."""
    found = _confirming(services, booking_id)
    if found is None:
        return
    booking, settings, _ = found
    try:
        with in_step(services, booking.coach, CHECK_SECONDS) as tx:
            if _is_free(tx, services, settings, booking):
                services.jobs.hand_on(tx, "book.write", booking.id)
            else:
                _release(services, tx, booking, "taken")
    except CalendarError as error:
        _wait_or_fail(services, booking, error)


def write(services: Services, booking_id: str) -> None:
    """Step 2: put the event, at a name made from its own UID; a repeat finds its own event and goes on."""
    found = _confirming(services, booking_id)
    if found is None:
        return
    booking, settings, offer = found
    event = coach_event_of(services, booking, settings, offer, pending=offer.mode == "coach")
    try:
        calendar = bookings_calendar(services, booking.coach)
        written = services.calendars.create(account_of(services, calendar), booking.coach_uid, render(event))
    except CalendarChanged:
        with services.store.change(booking.coach) as tx:
            _release(services, tx, booking, "calendar")
        return
    except CalendarError as error:
        _wait_or_fail(services, booking, error)
        return
    with services.store.change(booking.coach) as tx:
        current = tx.bookings.get(booking_id)
        if current is None or current.state != CONFIRMING:
            # Cancelled or erased while the event was on its way: nobody else knows that it has landed.
            sweep_address(services, tx, calendar.id, written.href)
            return
        where = {"coach_calendar": calendar.id, "coach_href": written.href, "coach_etag": written.etag}
        if tx.bookings.change(current, **where) is None:
            raise TryAgain(1)
        services.jobs.hand_on(tx, "book.verify", booking_id)


def verify(services: Services, booking_id: str) -> None:
    """Step 3: read once more. Somebody else's event in the same time: take ours away. Else it is confirmed."""
    found = _confirming(services, booking_id)
    if found is None:
        return
    booking, settings, offer = found
    try:
        with in_step(services, booking.coach, CHECK_SECONDS) as tx:
            if _is_free(tx, services, settings, booking):
                _conclude(services, tx, booking, offer)
            else:
                _release(services, tx, booking, "taken")
    except CalendarError as error:
        _wait_or_fail(services, booking, error)


def _conclude(services: Services, tx: Any, booking: Booking, offer: Offer) -> None:
    """The calendar has it: confirmed, or waiting for the coach's word until the request expires."""
    now = services.clock()
    # What she did to the event before now was nobody's to judge.
    services.jobs.enqueue(tx, "judge", booking.coach)
    if offer.mode == "coach":
        until = answer_deadline(booking.start, now, offer.request)
        requested = tx.bookings.change(booking, state=AWAITING_COACH, hold_until=until)
        if requested is None:
            raise TryAgain(1)
        tell(services, tx, requested, letters.REQUESTED)
        services.jobs.enqueue(tx, "expire", booking.id, max(until - now, 0))
        return
    confirmed = tx.bookings.change(booking, state=CONFIRMED, hold_until=None)
    if confirmed is None:
        raise TryAgain(1)
    plan_reminder(services, tx, tell(services, tx, confirmed, letters.BOOKED))


def coach_event_of(services: Services, booking: Booking, settings: CoachSettings, offer: Offer, pending: bool) -> Event:
    """The event for the coach's calendar; nothing of the client can enter here."""
    location, conference = event_place(offer.place, settings.language)
    return coach_event(
        booking,
        neutral=settings.session_title[settings.language],
        site_host=services.config.host,
        desk_url=f"{services.config.address}/desk",
        now=services.clock(),
        pending=pending,
        event_class=settings.event_class,
        place_location=location,
        place_conference=conference,
    )


def _new_booking(services: Services, coach: look.Coach, offer: Offer, start: int, language: str, now: int) -> Booking:
    end = start + offer.minutes * MINUTE
    host = services.config.host
    return Booking(
        id=secrets.token_hex(16),
        coach=coach.slug,
        ref="",
        offer=offer.slug,
        start=start,
        end=end,
        state=AWAITING_EMAIL if offer.mode == "email" else CONFIRMING,
        language=language,
        created_on=date_of(now),
        purge_on=date_of(purge_at(end, coach.settings.retention_days)),
        before=offer.before,
        after=offer.after,
        hold_until=min(start, now + offer.hold * MINUTE) if offer.mode == "email" else now + HOLD,
        coach_uid=f"{secrets.token_hex(16)}@{host}",
        client_uid=f"{secrets.token_hex(16)}@{host}",
        delivery_day=date_of(end),
        first_message_id=f"<{secrets.token_hex(16)}@{host}>",
    )


def _new_ref() -> str:
    return "".join(secrets.choice(LINK_LETTERS) for _ in range(REFERENCE_LENGTH))


def _confirming(services: Services, booking_id: str) -> tuple[Booking, CoachSettings, Offer] | None:
    """A booking that is on its way, with what decides about it; None where it is not, or not any more."""
    with services.store.read() as tx:
        booking: Booking | None = tx.bookings.get(booking_id)
        if booking is None or booking.state != CONFIRMING:
            return None
        settings: CoachSettings = tx.coaches.settings(booking.coach)
    minutes = (booking.end - booking.start) // MINUTE
    gone = Offer(slug=booking.offer, title=settings.session_title, minutes=minutes)
    return booking, settings, settings.offer(booking.offer) or gone


def _is_free(tx: Any, services: Services, settings: CoachSettings, booking: Booking) -> bool:
    """Whether nothing but this booking itself stands in its time; not where its offer is gone."""
    offer = settings.offer(booking.offer)
    if offer is None:
        return False
    sight = look.sight(tx, booking.coach, settings, offer, services.clock(), without=booking.id, fresh=True)
    return not obstacles(sight.times, booking.start)


def _wait_or_fail(services: Services, booking: Booking, error: CalendarError) -> None:
    """The calendar does not answer: keep the hold a few minutes, then fail; never confirm."""
    now = services.clock()
    if booking.hold_until is not None and now < booking.hold_until:
        raise TryAgain(min(error.retry_after or 5, 60))
    with services.store.change(booking.coach) as tx:
        _release(services, tx, booking, "unreachable")


def _release(services: Services, tx: Any, booking: Booking, reason: str) -> None:
    """Give the time back, tell the client that nothing was booked, and see that no event of ours stays behind."""
    failed = tx.bookings.change(booking, state=FAILED, reason=reason, hold_until=None)
    if failed is None:
        raise TryAgain(1)
    failed = tell(services, tx, failed, letters.BOOKING_FAILED)
    enqueue_sweeps(services, tx, failed)
