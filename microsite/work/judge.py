"""Judging what the coach did in her calendar app: the core decides, this carries it out, in one transaction.

Run after each sync that changed something, and again while a doubt lasts. An absence is believed only after all her
calendars were synced and the event's own address answered that there is nothing.
"""

from typing import Any

from microsite.core import changes
from microsite.core import letters
from microsite.core.bookings import AWAITING_COACH
from microsite.core.bookings import CANCELLED
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import DECLINED
from microsite.core.bookings import FROZEN
from microsite.core.bookings import Booking
from microsite.core.mirror import Seen
from microsite.errors import CalendarError
from microsite.services import Services

from .calendars import sync_all
from .remind import plan_reminder
from .retime import retime
from .sweep import enqueue_sweeps
from .sync import account_of
from .tell import tell
from .tell import tell_coach

JUDGED = frozenset({CONFIRMED, AWAITING_COACH, FROZEN})
SYNC_SECONDS = 20.0


def judge(services: Services, coach: str) -> None:
    """The job: bring a coach's bookings and her calendar together."""
    decided = _decide(services, coach)
    gone: frozenset[str] = frozenset()
    doubtful = [change.booking for change in decided if isinstance(change, changes.Verify)]
    if doubtful:
        try:
            sync_all(services, coach, SYNC_SECONDS)
            gone = frozenset(booking.id for booking in doubtful if _is_gone(services, booking))
        except CalendarError:
            # Nothing is known, so nothing is concluded; the next sync asks for a judgement again.
            return
    with services.store.change(coach) as tx:
        again = False
        for change in _decide_in(tx, services, coach, gone):
            again |= _carry_out(services, tx, coach, change)
        if again:
            services.jobs.enqueue(tx, "judge", coach, changes.STABLE + 1)


def release_brake(services: Services, coach: str) -> None:
    """The coach says that the many deletions were meant: judge them one by one now."""
    with services.store.write() as tx:
        tx.coaches.set_brake(coach, told_at=0, released=True)
        services.jobs.enqueue(tx, "judge", coach)


def _decide(services: Services, coach: str) -> list[changes.Change]:
    with services.store.read() as tx:
        return _decide_in(tx, services, coach, frozenset())


def _decide_in(tx: Any, services: Services, coach: str, gone: frozenset[str]) -> list[changes.Change]:
    now = services.clock()
    doubts = tx.bookings.doubts(coach)
    known = [changes.Known(booking, doubts.get(booking.id)) for booking in tx.bookings.coming(coach, JUDGED, now)]
    # A feed may show an old copy of the very calendar that the event was deleted from: it proves no presence.
    feeds = {row.id for row in tx.mirror.calendars(coach) if "feed" in row.roles}
    seen = [one for one in tx.mirror.seen(coach) if one.calendar not in feeds]
    return changes.decide(known, seen, now, gone, tx.coaches.get(coach).brake_released)


def _is_gone(services: Services, booking: Booking) -> bool:
    """Whether the event's own address says that nothing is there; raises CalendarError where it says nothing."""
    with services.store.read() as tx:
        row = tx.mirror.get(booking.coach_calendar)
    return row is not None and services.calendars.read(account_of(services, row), booking.coach_href) is None


def _carry_out(services: Services, tx: Any, coach: str, change: changes.Change) -> bool:
    """Make one change true; True where it must be looked at again later."""
    match change:
        case changes.Braked():
            _brake(services, tx, coach)
        case changes.Suspect(booking, doubt):
            tx.bookings.set_doubt(booking.id, doubt)
            return True
        case changes.Verify():
            return True
        case changes.Settled(booking, seen):
            _settle(tx, booking, seen)
        case changes.Frozen(booking, why):
            _freeze(services, tx, booking, why)
        case changes.Approved(booking, seen):
            approved = _placed(tx, booking, seen, state=CONFIRMED, hold_until=None)
            tell_approved(services, tx, approved)
        case changes.Moved(booking, seen):
            _move(services, tx, booking, seen)
        case changes.Cancelled(booking):
            _cancel(services, tx, booking)
    return False


def tell_approved(services: Services, tx: Any, booking: Booking) -> None:
    """The letters and the reminder of a booking that the coach just approved."""
    plan_reminder(services, tx, tell(services, tx, booking, letters.APPROVED))


def _brake(services: Services, tx: Any, coach: str) -> None:
    row = tx.coaches.get(coach)
    if not row.told_brake_at:
        tx.coaches.set_brake(coach, told_at=services.clock(), released=False)
        tell_coach(services, tx, coach, letters.BRAKED)


def _settle(tx: Any, booking: Booking, seen: Seen) -> None:
    tx.bookings.set_doubt(booking.id, None)
    values: dict[str, Any] = {}
    if booking.state == FROZEN:
        values = {"state": AWAITING_COACH if seen.marked else CONFIRMED, "reason": ""}
    _placed(tx, booking, seen, **values)


def _freeze(services: Services, tx: Any, booking: Booking, why: str) -> None:
    tx.bookings.set_doubt(booking.id, None)
    frozen = tx.bookings.change(booking, state=FROZEN, reason=why)
    if frozen is not None and booking.state != FROZEN:
        tell(services, tx, frozen, letters.BOOKING_FROZEN)


def _move(services: Services, tx: Any, booking: Booking, seen: Seen) -> None:
    tx.bookings.set_doubt(booking.id, None)
    state = booking.state
    if state == FROZEN:
        state = AWAITING_COACH if seen.marked else CONFIRMED
    placed = _placed(tx, booking, seen)
    moved = retime(services, tx, placed, seen.start, seen.end, state=state, reason="")
    plan_reminder(services, tx, tell(services, tx, moved, letters.MOVED_BY_COACH, old_start=booking.start))


def _cancel(services: Services, tx: Any, booking: Booking) -> None:
    tx.bookings.set_doubt(booking.id, None)
    declined = booking.state == AWAITING_COACH
    ended = tx.bookings.change(booking, state=DECLINED if declined else CANCELLED, hold_until=None)
    if ended is not None:
        tell(services, tx, ended, letters.REQUEST_DECLINED if declined else letters.CANCELLED_IN_CALENDAR)
        enqueue_sweeps(services, tx, ended)


def _placed(tx: Any, booking: Booking, seen: Seen, **values: Any) -> Booking:
    """The booking with its event where it was last seen."""
    where = {"coach_calendar": seen.calendar, "coach_href": seen.href, "coach_etag": seen.etag}
    placed: Booking | None = tx.bookings.change(booking, **where, **values)
    return placed or booking
