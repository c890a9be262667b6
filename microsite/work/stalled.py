"""Taking up what stands still: a booking without its job, a letter without its job, a coach who was not told.

Jobs are asked for in the transactions that need them, so in a healthy house this finds nothing; it is what makes a
restored backup or a lost job harmless.
"""

from typing import Any

from microsite.core.bookings import CONFIRMING
from microsite.core.bookings import FROZEN
from microsite.core.bookings import LIVE
from microsite.core.bookings import PENDING
from microsite.core.bookings import Booking
from microsite.core.letters import CALENDAR_UNREACHABLE
from microsite.core.spans import MINUTE
from microsite.services import Services

from .tell import tell_coach

CHAINS = {
    "book.check": ("book.check", "book.write", "book.verify"),
    "move.check": ("move.check", "move.write", "move.verify", "move.back"),
}


def take_up(services: Services, _key: str = "") -> None:
    """The periodic job."""
    now = services.clock()
    with services.store.read() as tx:
        # What came out of a backup is compared with the calendar before anything else goes on.
        unsettled = set(tx.coaches.unsettled())
        waiting = {coach for coach in unsettled if not services.jobs.known(tx, "judge", coach)}
        stuck = [
            (step, booking.id)
            for booking in tx.bookings.in_states(LIVE)
            if booking.coach not in unsettled
            for step in _next_steps(booking)
            if not _has_job(services, tx, step, booking.id)
        ]
        # A frozen booking may be judged otherwise because another one went out of its way.
        frozen = {booking.coach for booking in tx.bookings.in_states([FROZEN]) if booking.end > now}
        letters = [letter for letter in tx.letters.all_queued() if not services.jobs.known(tx, "letter", letter)]
        untold = [row for row in tx.coaches.untold() if _unreachable(tx, row, now)]
    if not (stuck or frozen or waiting or letters or untold):
        return
    with services.store.write() as tx:
        for step, booking_id in stuck:
            services.jobs.enqueue(tx, step, booking_id)
        for coach in frozen | waiting:
            services.jobs.enqueue(tx, "judge", coach)
        for letter in letters:
            services.jobs.enqueue(tx, "letter", letter)
        for row in untold:
            tx.coaches.set_told_unreachable(row.slug, now)
            tell_coach(services, tx, row.slug, CALENDAR_UNREACHABLE)


def _next_steps(booking: Booking) -> list[str]:
    """The jobs without which a live booking would stay as it is for ever."""
    if booking.state == CONFIRMING:
        return ["book.check"]
    moving = ["move.check"] if booking.pending_start is not None and booking.state != FROZEN else []
    deadline = ["expire"] if booking.state in PENDING or booking.requested else []
    return moving + deadline


def _has_job(services: Services, tx: Any, step: str, booking_id: str) -> bool:
    chain = CHAINS.get(step, (step,))
    return any(services.jobs.known(tx, kind, booking_id) for kind in chain)


def _unreachable(tx: Any, row: Any, now: int) -> bool:
    limit = row.settings.stale_minutes * MINUTE
    return any(
        calendar.first_failed_at and now - calendar.first_failed_at > limit
        for calendar in tx.mirror.calendars(row.slug)
    )
