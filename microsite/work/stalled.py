"""Taking up what stands still: a booking without its job, a letter without its job, a coach who was not told.

Jobs are asked for in the transactions that need them, so in a healthy house this finds nothing; it is what makes a
restored backup or a lost job harmless.
"""

from typing import Any

from microsite.core.bookings import CONFIRMING
from microsite.core.letters import CALENDAR_UNREACHABLE
from microsite.core.spans import MINUTE
from microsite.services import Services

from .tell import tell_coach


def take_up(services: Services, _key: str = "") -> None:
    """The periodic job."""
    now = services.clock()
    with services.store.read() as tx:
        stuck = [booking for booking in tx.bookings.in_states([CONFIRMING]) if not _has_job(services, tx, booking.id)]
        letters = [letter for letter in tx.letters.all_queued() if not services.jobs.known(tx, "letter", letter)]
        untold = [row for row in tx.coaches.all() if not row.told_unreachable_at and _unreachable(tx, row, now)]
    if not (stuck or letters or untold):
        return
    with services.store.write() as tx:
        for booking in stuck:
            services.jobs.enqueue(tx, "book.check", booking.id)
        for letter in letters:
            services.jobs.enqueue(tx, "letter", letter)
        for row in untold:
            tx.coaches.set_told_unreachable(row.slug, now)
            tell_coach(services, tx, row.slug, CALENDAR_UNREACHABLE)


def _has_job(services: Services, tx: Any, booking_id: str) -> bool:
    return any(services.jobs.known(tx, kind, booking_id) for kind in ("book.check", "book.write", "book.verify"))


def _unreachable(tx: Any, row: Any, now: int) -> bool:
    limit = row.settings.stale_minutes * MINUTE
    return any(
        calendar.first_failed_at and now - calendar.first_failed_at > limit
        for calendar in tx.mirror.calendars(row.slug)
    )
