"""Moving by the client: hold both times, write the new one, look again, and only then say that it moved.

Until the calendar has the new time the booking keeps its old one; if anything goes wrong, it simply stays where it was.
"""

from typing import Any

from microsite.core import letters
from microsite.core.availability import Times
from microsite.core.availability import obstacles
from microsite.core.availability import offered
from microsite.core.bookings import AWAITING_COACH
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import HOLD
from microsite.core.bookings import Booking
from microsite.core.events import EventChanges
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.spans import MINUTE
from microsite.errors import CalendarChanged
from microsite.errors import CalendarError
from microsite.errors import NotPossibleNow
from microsite.errors import SlotTaken
from microsite.errors import TooLate
from microsite.errors import TryAgain
from microsite.errors import WrongBooking
from microsite.services import Services

from . import look
from .calendars import in_step
from .cancel import may_cancel_until
from .remind import plan_reminder
from .retime import deadline_at
from .retime import retime
from .sync import account_of
from .sync import sync_calendar
from .tell import tell

CHECK_SECONDS = 5.0
MOVABLE = frozenset({CONFIRMED, AWAITING_COACH})
FAILED = "move-failed"


def move(services: Services, booking_id: str, ref: str, start: int) -> Booking:
    """Hold the new start for a booking as the client.

    Raises NotFound, WrongBooking, TooLate, NotPossibleNow, TimesUnknown, or SlotTaken where it would not be offered.
    """
    with services.store.read() as tx:
        booking = tx.bookings.need(booking_id)
    if booking.ref != ref:
        raise WrongBooking("the form belongs to another booking")
    _check_movable(services, booking)
    with services.store.change(booking.coach) as tx:
        settings = tx.coaches.settings(booking.coach)
        offer = _offer_of(settings, booking)
        now = services.clock()
        if not offered(look.sight(tx, booking.coach, settings, offer, now, without=booking.id).times, start):
            raise SlotTaken("this start is not offered")
        end = start + offer.minutes * MINUTE
        held: Booking | None = tx.bookings.change(
            booking, pending_start=start, pending_end=end, hold_until=now + HOLD, reason=""
        )
        if held is None:
            raise NotPossibleNow("the booking changed meanwhile")
        services.jobs.begin(tx, "move.check", booking_id)
    return held


def times_for(services: Services, booking: Booking) -> Times:
    """What decides about the times a booking may move to: all but itself.

    Raises TooLate, NotPossibleNow, TimesUnknown, as `move` does.
    """
    _check_movable(services, booking)
    with services.store.read() as tx:
        settings = tx.coaches.settings(booking.coach)
        offer = _offer_of(settings, booking)
        return look.sight(tx, booking.coach, settings, offer, services.clock(), without=booking.id).times


def check(services: Services, booking_id: str) -> None:
    """Step 1: read the calendars anew; go on if the new time is still free."""
    booking = _moving(services, booking_id)
    if booking is None:
        return
    try:
        with in_step(services, booking.coach, CHECK_SECONDS) as tx:
            if _in_the_way(services, tx, booking):
                _give_up(services, tx, booking)
            else:
                services.jobs.hand_on(tx, "move.write", booking_id)
    except CalendarError as error:
        _wait_or_give_up(services, booking, error)


def write(services: Services, booking_id: str) -> None:
    """Step 2: put the new time into the event as it stands, keeping whatever the coach's app added."""
    booking = _moving(services, booking_id)
    if booking is None:
        return
    try:
        etag = _put_time(services, booking, booking.pending_start or 0, booking.pending_end or 0, booking.coach_seq + 1)
    except CalendarChanged:
        raise TryAgain(1) from None
    except CalendarError as error:
        _wait_or_give_up(services, booking, error)
        return
    with services.store.change(booking.coach) as tx:
        if etag is None:
            _give_up(services, tx, booking)
        elif tx.bookings.change(booking, coach_etag=etag, coach_seq=booking.coach_seq + 1):
            services.jobs.hand_on(tx, "move.verify", booking_id)
        else:
            raise TryAgain(1)


def verify(services: Services, booking_id: str) -> None:
    """Step 3: read once more. Somebody else in the new time: put the old one back. Else it has moved."""
    booking = _moving(services, booking_id)
    if booking is None:
        return
    try:
        with in_step(services, booking.coach, CHECK_SECONDS) as tx:
            if _in_the_way(services, tx, booking):
                services.jobs.hand_on(tx, "move.back", booking_id)
            else:
                _conclude(services, tx, booking)
    except CalendarError as error:
        _wait_or_give_up(services, booking, error)


def _conclude(services: Services, tx: Any, booking: Booking) -> None:
    start, end = booking.pending_start or 0, booking.pending_end or 0
    settled = _settled(services, tx, booking, start)
    moved = retime(services, tx, booking, start, end, **settled)
    tx.bookings.set_doubt(booking.id, None)
    plan_reminder(services, tx, tell(services, tx, moved, letters.MOVED_BY_CLIENT, old_start=booking.start))


def back(services: Services, booking_id: str) -> None:
    """After a move that may not stand: put the old time back into the event, then forget the new one.

    Only where the event has the new time: where the coach dragged it meanwhile, that is hers to judge.
    """
    booking = _moving(services, booking_id)
    if booking is None:
        return
    etag = None
    try:
        sync_calendar(services, booking.coach_calendar, CHECK_SECONDS)
        if _has_new_time(services, booking):
            # Above the number that the new time was written with, or may have been.
            etag = _put_time(services, booking, booking.start, booking.end, booking.coach_seq + 2)
    except CalendarChanged:
        raise TryAgain(1) from None
    except CalendarError as error:
        raise TryAgain(error.retry_after or 60) from None
    with services.store.change(booking.coach) as tx:
        values = {"coach_etag": etag, "coach_seq": booking.coach_seq + 2} if etag is not None else {}
        _give_up(services, tx, booking, **values)
        services.jobs.enqueue(tx, "sync", booking.coach_calendar)


def _put_time(services: Services, booking: Booking, start: int, end: int, sequence: int) -> str | None:
    """Patch the event's time; its new etag, or None where the event is not there any more."""
    with services.store.read() as tx:
        row = tx.mirror.get(booking.coach_calendar)
    account = account_of(services, row)
    there = services.calendars.read(account, booking.coach_href)
    if there is None:
        return None
    changes = EventChanges(start=start, end=end, sequence=sequence, stamp=services.clock())
    patched = services.calendars.patch(there.ics, changes)
    return services.calendars.replace(account, booking.coach_href, patched, there.etag).etag


def _has_new_time(services: Services, booking: Booking) -> bool:
    with services.store.read() as tx:
        seen = [one for one in tx.mirror.seen(booking.coach) if one.href == booking.coach_href]
    return any((one.start, one.end) == (booking.pending_start, booking.pending_end) for one in seen)


def _moving(services: Services, booking_id: str) -> Booking | None:
    with services.store.read() as tx:
        booking = tx.bookings.get(booking_id)
    return booking if booking and booking.state in MOVABLE and booking.pending_start is not None else None


def _check_movable(services: Services, booking: Booking) -> None:
    if booking.state not in MOVABLE or booking.pending_start is not None:
        raise NotPossibleNow("only a booking with a settled time can be moved")
    if services.clock() >= may_cancel_until(services, booking):
        raise TooLate("the notice window has begun")


def _offer_of(settings: CoachSettings, booking: Booking) -> Offer:
    offer = settings.offer(booking.offer)
    if offer is None:
        raise NotPossibleNow("this session type is not offered any more")
    return offer


def _in_the_way(services: Services, tx: Any, booking: Booking) -> bool:
    settings: CoachSettings = tx.coaches.settings(booking.coach)
    offer = settings.offer(booking.offer)
    if offer is None or booking.pending_start is None:
        return True
    sight = look.sight(tx, booking.coach, settings, offer, services.clock(), without=booking.id, fresh=True)
    return obstacles(sight.times, booking.pending_start)


def _wait_or_give_up(services: Services, booking: Booking, error: CalendarError) -> None:
    if booking.hold_until is not None and services.clock() < booking.hold_until:
        raise TryAgain(min(error.retry_after or 5, 60))
    with services.store.change(booking.coach) as tx:
        # The event may have got the new time in a request that timed out: put the old one back when it answers.
        services.jobs.enqueue(tx, "move.back", booking.id)


def _give_up(services: Services, tx: Any, booking: Booking, **values: Any) -> None:
    settled = _settled(services, tx, booking, booking.start)
    if tx.bookings.change(booking, reason=FAILED, **settled, **values) is None:
        raise TryAgain(1)


def _settled(services: Services, tx: Any, booking: Booking, start: int) -> dict[str, Any]:
    """What ends a move, with the deadline of a request at that start; what the coach did meanwhile is judged now."""
    hold = deadline_at(services, tx, booking, start)
    if hold is not None:
        services.jobs.enqueue(tx, "expire", booking.id, hold - services.clock())
    services.jobs.enqueue(tx, "judge", booking.coach)
    return {"pending_start": None, "pending_end": None, "hold_until": hold}
