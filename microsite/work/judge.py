"""Judging what the coach did in her calendar app: the core decides, this carries it out, in one transaction.

Run after each sync that changed something, and again while a doubt lasts. The mirror may be minutes old: a move or a
cancellation is believed only after its calendar was read just now, and an absence only after all her calendars were and
the event's own address answered that there is nothing.
"""

from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

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

from . import restored
from .calendars import sync_all
from .remind import plan_reminder
from .retime import deadline_at
from .retime import retime
from .sweep import enqueue_sweeps
from .sync import account_of
from .sync import sync_calendar
from .tell import tell
from .tell import tell_coach

JUDGED = frozenset({CONFIRMED, AWAITING_COACH, FROZEN})
SYNC_SECONDS = 20.0


class Checked(NamedTuple):
    """What a closer look proved: ids of bookings whose event is gone, and calendars that were read just now."""

    gone: frozenset[str] = frozenset()
    fresh: frozenset[str] = frozenset()


def judge(services: Services, coach: str) -> None:
    """The job: bring a coach's bookings and her calendar together. Where they are, nothing is written."""
    with services.store.read() as tx:
        row = tx.coaches.get(coach)
        unsettled = row is not None and row.unsettled
        decided = [] if unsettled else _decide(tx, services, coach, frozenset())
        calm = not (unsettled or decided or _doubted(tx, services, coach) or _braking(row))
    if unsettled:
        restored.reconcile(services, coach)
        return
    if calm:
        return
    checked = _look_closer(services, coach, decided)
    with services.store.change(coach) as tx:
        decided = _decide(tx, services, coach, checked.gone)
        for change in decided:
            _carry_out(services, tx, coach, change, checked)
        _look_again(services, tx, coach, decided)


def release_brake(services: Services, coach: str) -> None:
    """The coach says that the many deletions were meant: judge them one by one now."""
    with services.store.write() as tx:
        tx.coaches.set_brake(coach, told_at=0, released=True)
        services.jobs.enqueue(tx, "judge", coach)


def _decide(tx: Any, services: Services, coach: str, gone: frozenset[str]) -> list[changes.Change]:
    now = services.clock()
    doubts = tx.bookings.doubts(coach)
    known = [changes.Known(booking, doubts.get(booking.id)) for booking in tx.bookings.coming(coach, JUDGED, now)]
    # A feed may show an old copy of the very calendar that the event was deleted from: it proves no presence.
    feeds = {row.id for row in tx.mirror.calendars(coach) if "feed" in row.roles}
    seen = [one for one in tx.mirror.seen(coach) if one.calendar not in feeds]
    return changes.decide(known, seen, now, gone, tx.coaches.get(coach).brake_released)


def _look_closer(services: Services, coach: str, decided: Sequence[changes.Change]) -> Checked:
    """Read anew what a drastic change rests on. A calendar that does not answer proves nothing; its doubts stay."""
    gone: frozenset[str] = frozenset()
    doubtful = [change.booking for change in decided if isinstance(change, changes.Verify)]
    if doubtful:
        try:
            sync_all(services, coach, SYNC_SECONDS)
            gone = frozenset(booking.id for booking in doubtful if _is_gone(services, booking))
        except CalendarError:
            gone = frozenset()
    touched = {change.seen.calendar for change in decided if isinstance(change, changes.Moved)}
    touched |= {change.booking.coach_calendar for change in decided if isinstance(change, changes.Cancelled)}
    return Checked(gone, frozenset(calendar for calendar in touched if _is_fresh(services, calendar)))


def _is_gone(services: Services, booking: Booking) -> bool:
    """Whether the event's own address says that nothing is there; raises CalendarError where it says nothing."""
    with services.store.read() as tx:
        row = tx.mirror.get(booking.coach_calendar)
    return row is not None and services.calendars.read(account_of(services, row), booking.coach_href) is None


def _is_fresh(services: Services, calendar: str) -> bool:
    try:
        sync_calendar(services, calendar, SYNC_SECONDS)
    except CalendarError:
        return False
    return True


def _carry_out(services: Services, tx: Any, coach: str, change: changes.Change, checked: Checked) -> None:
    match change:
        case changes.Braked():
            _brake(services, tx, coach)
        case changes.Suspect(booking, doubt):
            tx.bookings.set_doubt(booking.id, doubt)
        case changes.Settled(booking, seen):
            _settle(services, tx, booking, seen)
        case changes.Frozen(booking, why):
            _freeze(services, tx, booking, why)
        case changes.Approved(booking, seen):
            approved = _placed(tx, booking, seen, state=CONFIRMED, hold_until=None)
            tell_approved(services, tx, approved)
        case changes.Moved(booking, seen) if seen.calendar in checked.fresh:
            _move(services, tx, booking, seen)
        case changes.Cancelled(booking) if booking.id in checked.gone or booking.coach_calendar in checked.fresh:
            _cancel(services, tx, booking)


def _look_again(services: Services, tx: Any, coach: str, decided: Sequence[changes.Change]) -> None:
    """Come back when a doubt is old enough, whoever asked for this run; with none left, the brake is ready anew."""
    since = _doubted(tx, services, coach)
    if since:
        left = min(since) + changes.STABLE - services.clock()
        services.jobs.enqueue(tx, "judge", coach, left if left > 0 else changes.STABLE)
        return
    if _braking(tx.coaches.get(coach)) and not any(isinstance(each, changes.Braked) for each in decided):
        tx.coaches.set_brake(coach, told_at=0, released=False)


def _doubted(tx: Any, services: Services, coach: str) -> list[int]:
    """Since when (UTC seconds) something is in doubt about each of her coming bookings."""
    doubts = tx.bookings.doubts(coach)
    if not doubts:
        return []
    coming = tx.bookings.coming(coach, JUDGED, services.clock())
    return [doubts[booking.id].since for booking in coming if booking.id in doubts]


def _braking(row: Any) -> bool:
    """Whether the coach was told of many deletions, or has said that they were meant."""
    return bool(row.told_brake_at or row.brake_released)


def tell_approved(services: Services, tx: Any, booking: Booking) -> None:
    """The letters and the reminder of a booking that the coach just approved."""
    plan_reminder(services, tx, tell(services, tx, booking, letters.APPROVED))


def _brake(services: Services, tx: Any, coach: str) -> None:
    row = tx.coaches.get(coach)
    if not row.told_brake_at:
        tx.coaches.set_brake(coach, told_at=services.clock(), released=False)
        tell_coach(services, tx, coach, letters.BRAKED)


def _settle(services: Services, tx: Any, booking: Booking, seen: Seen) -> None:
    tx.bookings.set_doubt(booking.id, None)
    if booking.state != FROZEN:
        _placed(tx, booking, seen)
        return
    _placed(tx, booking, seen, state=_thawed(booking), reason="")
    if booking.requested:
        # She may have taken the mark off while it was frozen: that is judged once it waits for her again.
        services.jobs.enqueue(tx, "judge", booking.coach)


def _freeze(services: Services, tx: Any, booking: Booking, why: str) -> None:
    tx.bookings.set_doubt(booking.id, None)
    values: dict[str, Any] = {}
    if booking.pending_start is not None:
        # The client's move ends here; where it had reached the event, she is asked about that too.
        hold = deadline_at(services, tx, booking, booking.start)
        values = {"pending_start": None, "pending_end": None, "hold_until": hold}
    frozen = tx.bookings.change(booking, state=FROZEN, reason=why, **values)
    if frozen is not None and booking.state != FROZEN:
        tell(services, tx, frozen, letters.BOOKING_FROZEN)


def _move(services: Services, tx: Any, booking: Booking, seen: Seen) -> None:
    tx.bookings.set_doubt(booking.id, None)
    values: dict[str, Any] = {"state": _thawed(booking), "reason": ""}
    if booking.hold_until is not None:
        values["hold_until"] = min(booking.hold_until, seen.start)
        services.jobs.enqueue(tx, "expire", booking.id, values["hold_until"] - services.clock())
    moved = retime(services, tx, _placed(tx, booking, seen), seen.start, seen.end, **values)
    plan_reminder(services, tx, tell(services, tx, moved, letters.MOVED_BY_COACH, old_start=booking.start))


def _thawed(booking: Booking) -> str:
    """The state without the frost: what it was before, whatever its title says by now."""
    return AWAITING_COACH if booking.requested else CONFIRMED


def _cancel(services: Services, tx: Any, booking: Booking) -> None:
    tx.bookings.set_doubt(booking.id, None)
    ended = tx.bookings.change(booking, state=DECLINED if booking.requested else CANCELLED, hold_until=None)
    if ended is not None:
        tell(services, tx, ended, letters.REQUEST_DECLINED if booking.requested else letters.CANCELLED_IN_CALENDAR)
        enqueue_sweeps(services, tx, ended)


def _placed(tx: Any, booking: Booking, seen: Seen, **values: Any) -> Booking:
    """The booking with its event where it was last seen."""
    where = {"coach_calendar": seen.calendar, "coach_href": seen.href, "coach_etag": seen.etag}
    placed: Booking | None = tx.bookings.change(booking, **where, **values)
    return placed or booking
