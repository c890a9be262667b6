"""The coach's desk: a one-time link becomes a session; a session sees what is coming, by time, offer and reference."""

from typing import Any

from microsite.core.bookings import CANCELLED
from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.core.happenings import DESK_OPENED
from microsite.core.letters import CANCELLED_AT_DESK
from microsite.core.people import Secret
from microsite.core.spans import HOUR
from microsite.core.spans import MINUTE
from microsite.errors import NotFound
from microsite.errors import NotPossibleNow
from microsite.services import Services

from .look import Coach
from .sweep import enqueue_sweeps
from .tell import tell

LINK_SECONDS = 15 * MINUTE
WELCOME_SECONDS = 30 * 24 * HOUR
"""The demo's link lies in a file that only the operator can read, so it may wait a month."""
SESSION_SECONDS = 12 * HOUR


def new_link(services: Services, coach: str, seconds: int = LINK_SECONDS) -> Secret:
    """A one-time link token to a coach's desk; raises NotFound for no such coach."""
    token: Secret = services.sealer.new_token()
    with services.store.write() as tx:
        if tx.coaches.get(coach) is None:
            raise NotFound("no such coach")
        tx.links.add(services.sealer.lookup(token), coach, None, "desk-link", services.clock() + seconds)
    return token


def link_works(services: Services, token: str) -> bool:
    """Whether a one-time link is still unspent; looking does not spend it, because mail scanners look too."""
    with services.store.read() as tx:
        return tx.links.get(services.sealer.lookup(Secret(token)), "desk-link", services.clock()) is not None


def consume_link(services: Services, token: str) -> Secret:
    """Spend a one-time link for a session token; raises NotFound where it was spent, expired or unknown."""
    now = services.clock()
    session: Secret = services.sealer.new_token()
    with services.store.write() as tx:
        link = tx.links.use(services.sealer.lookup(Secret(token)), "desk-link", now)
        if link is None:
            raise NotFound("no such link")
        tx.links.add(services.sealer.lookup(session), link.coach, None, "desk-session", now + SESSION_SECONDS)
        tx.happenings.note(link.coach, "", now, DESK_OPENED)
    return session


def session_coach(services: Services, session_token: str) -> Coach:
    """The coach of a desk session; raises NotFound."""
    with services.store.read() as tx:
        link = tx.links.get(services.sealer.lookup(Secret(session_token)), "desk-session", services.clock())
        row: Any = tx.coaches.get(link.coach) if link else None
    if row is None:
        raise NotFound("no such session")
    return Coach(row.slug, row.settings, row.revision, row.demo, row.open)


def cancel_at_desk(services: Services, coach: Coach, booking_id: str) -> Booking:
    """The coach cancels at her desk; there is no notice window for her. Raises NotFound, NotPossibleNow."""
    with services.store.change(coach.slug) as tx:
        booking: Booking = tx.bookings.need(booking_id)
        live = booking.coach == coach.slug and booking.state in LIVE
        cancelled: Booking | None = tx.bookings.change(booking, state=CANCELLED, hold_until=None) if live else None
        if cancelled is None:
            raise NotPossibleNow("only a booking that holds its time can be cancelled")
        cancelled = tell(services, tx, cancelled, CANCELLED_AT_DESK)
        enqueue_sweeps(services, tx, cancelled)
    return cancelled


def coming(services: Services, coach: Coach) -> list[Booking]:
    """The coach's bookings that hold their time and have not ended, by start."""
    with services.store.read() as tx:
        bookings: list[Booking] = tx.bookings.coming(coach.slug, LIVE, services.clock())
    return bookings
