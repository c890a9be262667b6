"""The coach's desk: one-time links to it, what is coming, and what she may do with one booking.

How she signs in is `signin`; her keys are `keys`, her settings `settings`.
"""

from microsite.core.bookings import AWAITING_COACH
from microsite.core.bookings import CANCELLED
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.core.letters import CANCELLED_AT_DESK
from microsite.core.letters import MOVE_ASKED
from microsite.core.people import Secret
from microsite.core.spans import HOUR
from microsite.core.spans import MINUTE
from microsite.errors import NotFound
from microsite.errors import NotPossibleNow
from microsite.errors import TooOften
from microsite.services import Services

from .look import Coach
from .signin import LINK
from .signin import open_session
from .sweep import enqueue_sweeps
from .tell import tell

LINK_SECONDS = 15 * MINUTE
ASKABLE = frozenset({CONFIRMED, AWAITING_COACH})
FIRST_SECONDS = 24 * HOUR
"""A new coach gets her first link from somebody else; it opens nothing yet, for she has no bookings."""
WELCOME_SECONDS = 30 * 24 * HOUR
"""The demo's link lies in a file that only the operator can read, so it may wait a month."""


def new_link(services: Services, coach: str, seconds: int = LINK_SECONDS) -> Secret:
    """A one-time link token to a coach's desk; raises NotFound for no such coach."""
    token: Secret = services.sealer.new_token()
    with services.store.write() as tx:
        if tx.coaches.get(coach) is None:
            raise NotFound("no such coach")
        tx.links.add(services.sealer.lookup(token), coach, None, LINK, services.clock() + seconds)
    return token


def link_works(services: Services, token: str) -> bool:
    """Whether a one-time link is still unspent; looking does not spend it, because mail scanners look too."""
    with services.store.read() as tx:
        return tx.links.get(services.sealer.lookup(Secret(token)), LINK, services.clock()) is not None


def consume_link(services: Services, token: str) -> Secret:
    """Spend a one-time link for a session token; raises NotFound where it was spent, expired or unknown."""
    with services.store.write() as tx:
        link = tx.links.use(services.sealer.lookup(Secret(token)), LINK, services.clock())
        if link is None:
            raise NotFound("no such link")
        return open_session(services, tx, link.coach)


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


def by_ref(services: Services, coach: Coach, ref: str) -> Booking:
    """The coach's booking of that reference; raises NotFound."""
    with services.store.read() as tx:
        booking: Booking | None = tx.bookings.by_ref(coach.slug, ref)
    if booking is None:
        raise NotFound("no such booking")
    return booking


def ask_to_move(services: Services, coach: Coach, booking_id: str) -> None:
    """Ask the client by a letter to choose another time; the booking stays as it is. Raises NotPossibleNow."""
    with services.store.change(coach.slug) as tx:
        booking: Booking = tx.bookings.need(booking_id)
        if booking.coach != coach.slug or booking.state not in ASKABLE or booking.start <= services.clock():
            raise NotPossibleNow("only a coming session with a settled time can be moved")
        if tx.bookings.sealed(booking_id).delivery is None:
            raise NotPossibleNow("there is no address to write to")
        if any(row.kind == "move-asked" and row.start == booking.start for row in tx.letters.of(booking_id)):
            raise TooOften("the client was asked about this time already")
        tell(services, tx, booking, MOVE_ASKED)


def writable(services: Services, bookings: list[Booking]) -> frozenset[str]:
    """The ids of those bookings whose client can be written to by letter."""
    with services.store.read() as tx:
        return frozenset(each.id for each in bookings if tx.bookings.sealed(each.id).delivery is not None)


def braked(services: Services, coach: Coach) -> bool:
    """Whether many deletions in the calendar wait for the coach's word."""
    with services.store.read() as tx:
        row = tx.coaches.get(coach.slug)
    return row is not None and bool(row.told_brake_at) and not row.brake_released


def coming(services: Services, coach: Coach) -> list[Booking]:
    """The coach's bookings that hold their time and have not ended, by start."""
    with services.store.read() as tx:
        bookings: list[Booking] = tx.bookings.coming(coach.slug, LIVE, services.clock())
    return bookings
