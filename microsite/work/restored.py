"""After a restore: the house as it was at the backup, brought together with the world as it is, without a word.

Between the two, letters were sent, events moved, bookings cancelled and erased, and nothing here knows of it. So at
once: what is overdue is purged, letters and jobs of that time are dropped, sessions end, envelopes without their day
key go. Then, once a coach's calendars could be read, her calendar of today decides about each coming booking, and
nobody is written to; only after that everything goes on as ever.
"""

from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

from microsite.core import changes
from microsite.core.bookings import AWAITING_COACH
from microsite.core.bookings import AWAITING_EMAIL
from microsite.core.bookings import CANCELLED
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import CONFIRMING
from microsite.core.bookings import EXPIRED
from microsite.core.bookings import FAILED
from microsite.core.bookings import FROZEN
from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.core.happenings import GONE_SINCE
from microsite.core.happenings import RESTORED
from microsite.core.letters import BRAKED
from microsite.core.mirror import Seen
from microsite.errors import CannotOpen
from microsite.services import Services

from . import machines
from .calendars import bookings_calendar
from .calendars import sync_all
from .purge import purge_now
from .remind import plan_reminder
from .retime import date_of
from .retime import retime
from .sync import account_of
from .tell import tell_coach

SYNC_SECONDS = 20.0
AHEAD = 1000
"""How far the counters of clients' files are moved on: further than any booking's files were since the backup."""
STILL_TRUE = ("sweep",)
"""Jobs that a backup does not make wrong: what no longer held its time then holds none now."""


class Settled(NamedTuple):
    """What was done at once: records purged, letters dropped, envelopes that no key opens, coaches to be compared."""

    purged: int
    letters: int
    envelopes: int
    coaches: int


class Notice(NamedTuple):
    """What the coach must know: the backup's moment, sessions that get no letters, and whether it is all compared."""

    made_at: int
    without_letters: int
    unsettled: bool


def settle(services: Services, made_at: int) -> Settled:
    """Everything that must be done before the restored site answers anybody. Safe to repeat."""
    purged = purge_now(services).records
    with services.store.write() as tx:
        services.jobs.clear(tx, STILL_TRUE)
        letters = tx.letters.drop_queued()
        tx.links.close_desks()
        tx.signins.forget_challenges()
        tx.mirror.forget_all()
        tx.bookings.stand_still(AHEAD)
        closed = [booking for booking in tx.bookings.with_delivery() if not _opens(services, tx, booking)]
        for booking in closed:
            tx.bookings.set_sealed(booking.id, delivery=None)
        machines.belong_here(services, tx)
        rows = tx.coaches.all()
        for row in rows:
            tx.coaches.mark_restored(row.slug, made_at)
            tx.coaches.raise_revision(row.slug)
            tx.happenings.note(row.slug, "", services.clock(), RESTORED)
            services.jobs.enqueue(tx, "judge", row.slug)
    services.store.truncate_log()
    return Settled(purged, letters, len(closed), len(rows))


def reconcile(services: Services, coach: str) -> None:
    """The coach's calendar of today decides about each coming booking. Raises CalendarError while it cannot be read."""
    sync_all(services, coach, SYNC_SECONDS)
    with services.store.read() as tx:
        live = [booking for booking in tx.bookings.live(coach) if booking.pending_start is None]
        seen = _seen(tx, coach)
    coming = [booking for booking in live if booking.end > services.clock()]
    missing = [booking for booking in coming if booking.coach_uid not in seen]
    gone = frozenset(booking.id for booking in missing if _is_gone(services, booking))
    with services.store.change(coach) as tx:
        if _braked(services, tx, coach, missing, coming):
            return
        for booking in live:
            current, found = tx.bookings.get(booking.id), seen.get(booking.coach_uid)
            if current is None or current.version != booking.version:
                continue
            if booking in coming or found:
                _compare(services, tx, current, found, booking.id in gone)
            else:
                _past(tx, current)
        tx.coaches.set_settled(coach)
        # From here on what she does counts again.
        services.jobs.enqueue(tx, "judge", coach)
    services.store.truncate_log()


def notice(services: Services, coach: str) -> Notice | None:
    """What the desk says about a restore, as long as it matters."""
    with services.store.read() as tx:
        row = tx.coaches.get(coach)
        if row is None or not row.restored_from:
            return None
        before = date_of(row.restored_from)
        coming = [booking for booking in tx.bookings.live(coach, services.clock()) if booking.created_on <= before]
        mute = sum(tx.bookings.sealed(booking.id).delivery is None for booking in coming)
    return Notice(row.restored_from, mute, row.unsettled) if mute or row.unsettled else None


def _opens(services: Services, tx: Any, booking: Booking) -> bool:
    try:
        services.sealer.open_delivery(booking.delivery_day, booking.id, tx.bookings.sealed(booking.id).delivery)
    except CannotOpen:
        return False
    return True


def _seen(tx: Any, coach: str) -> dict[str, Seen]:
    """Our events by their UID; a feed may show what was deleted long ago, and proves nothing."""
    feeds = {row.id for row in tx.mirror.calendars(coach) if "feed" in row.roles}
    return {one.uid: one for one in tx.mirror.seen(coach) if one.calendar not in feeds}


def _is_gone(services: Services, booking: Booking) -> bool:
    """Whether the event's own address says that nothing is there; raises CalendarError where it says nothing."""
    with services.store.read() as tx:
        row = tx.mirror.get(booking.coach_calendar)
    row = row or bookings_calendar(services, booking.coach)
    account = account_of(services, row)
    href = booking.coach_href or services.calendars.href_of(account, booking.coach_uid)
    return services.calendars.read(account, href) is None


def _braked(services: Services, tx: Any, coach: str, missing: Sequence[Booking], coming: Sequence[Booking]) -> bool:
    """Too many bookings without their event: it may be the wrong calendar, so nothing is believed until she says so."""
    row = tx.coaches.get(coach)
    written = [booking for booking in coming if booking.coach_href]
    absent = [booking for booking in missing if booking.coach_href]
    if row.brake_released or not changes.brakes(len(absent), len(written)):
        return False
    if not row.told_brake_at:
        tx.coaches.set_brake(coach, told_at=services.clock(), released=False)
        tell_coach(services, tx, coach, BRAKED)
    return True


def _compare(services: Services, tx: Any, booking: Booking, seen: Seen | None, gone: bool) -> None:
    if seen is None:
        if gone:
            _let_go(services, tx, booking)
        return
    where = {"coach_calendar": seen.calendar, "coach_href": seen.href, "coach_etag": seen.etag}
    if seen.odd or seen.cancelled:
        ended = {"state": CANCELLED, "hold_until": None} if seen.cancelled else {"state": FROZEN, "reason": seen.odd}
        tx.bookings.change(booking, **where, **ended)
        return
    state = _state_of(booking, seen)
    values: dict[str, Any] = {**where, "state": state, "reason": ""}
    values["hold_until"] = booking.hold_until if state == AWAITING_COACH else None
    if (seen.start, seen.end) == (booking.start, booking.end):
        kept = tx.bookings.change(booking, **values) or booking
    else:
        kept = retime(services, tx, booking, seen.start, seen.end, **values)
    # An address that the client gives anew gets its reminder.
    plan_reminder(services, tx, kept)


def _state_of(booking: Booking, seen: Seen) -> str:
    """What an event that is there says: its mark, with our reference beside it, tells a request from a booking."""
    if booking.state == AWAITING_COACH or booking.requested:
        approved = not seen.marked and seen.titled_with == booking.ref
        return CONFIRMED if approved else AWAITING_COACH
    return AWAITING_COACH if booking.state in {CONFIRMING, AWAITING_EMAIL} and seen.marked else CONFIRMED


def _let_go(services: Services, tx: Any, booking: Booking) -> None:
    """No event. One that never had any is at most a hold; of any other the client or the coach has taken leave."""
    if booking.state == AWAITING_EMAIL and (booking.hold_until or 0) > services.clock():
        return
    if booking.state in {AWAITING_EMAIL, CONFIRMING} and not booking.coach_href:
        tx.bookings.change(booking, state=FAILED, reason="restored", hold_until=None)
        return
    tx.happenings.note(booking.coach, booking.ref, services.clock(), GONE_SINCE)
    tx.bookings.remove(booking.id)


def _past(tx: Any, booking: Booking) -> None:
    """Over meanwhile, and its event out of sight: it waits for nobody's word any more, and its event is left alone."""
    if booking.state != CONFIRMED:
        after = EXPIRED if booking.requested or booking.state == AWAITING_EMAIL else FAILED
        tx.bookings.change(booking, state=CONFIRMED if booking.state == FROZEN else after, hold_until=None)


def living(services: Services) -> int:
    """How many bookings hold their time."""
    with services.store.read() as tx:
        return len(tx.bookings.in_states(LIVE))
