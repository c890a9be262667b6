"""Looking: coaches, offers, and the times that may be offered. No network, no write.

`starts` is what every picker asks, `times` every POST; `sight` decides the same inside the transaction that books, so a
time that is shown can be booked. What the first two read is remembered (`seen`).
"""

from array import array
from typing import Any
from typing import NamedTuple

import msgspec

from microsite.core.availability import Times
from microsite.core.availability import nearest
from microsite.core.availability import offered
from microsite.core.bookings import Booking
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.spans import Spans
from microsite.errors import NotFound
from microsite.errors import TimesUnknown
from microsite.services import Services

from . import seen
from .deciding import PAST_SECONDS
from .deciding import check_mirror as check_mirror
from .deciding import known_until
from .deciding import open_time
from .deciding import rules
from .deciding import taken_by
from .seen import Coach as Coach


class Ground(NamedTuple):
    """What a page with a coach's times stands on: her revision, and for how long (minutes) a calendar may fail."""

    coach: str
    revision: int
    stale_minutes: int


class Sight(msgspec.Struct, frozen=True):
    """What decides about an offer's times, with the names that `explain` needs."""

    times: Times
    busy_by_name: list[tuple[str, Spans]]
    refs: list[str]


def coaches(services: Services) -> list[Coach]:
    """Every coach with an open booking page."""
    with services.store.read() as tx:
        return [_coach(row) for row in tx.coaches.all() if row.open]


def several(services: Services) -> bool:
    """Whether more than one coach lives here, open or not."""
    with services.store.read() as tx:
        return len(tx.coaches.slugs()) > 1


def coach(services: Services, slug: str) -> Coach:
    """One coach with an open booking page; raises NotFound."""
    return seen.present(services, slug)[0]


def house(services: Services, slug: str) -> Coach:
    """The coach of a booking there is, whether her page is open to new ones or not; raises NotFound."""
    with services.store.read() as tx:
        row = tx.coaches.get(slug)
    if row is None:
        raise NotFound("no such coach")
    return _coach(row)


def ground(coach: Coach) -> Ground:
    """What a page made from these times would stand on."""
    return Ground(coach.slug, coach.revision, coach.settings.stale_minutes)


def still(ground: Ground, glance: Any, now: int) -> bool:
    """Whether the ground still holds, by a glance at the coach just taken."""
    if not glance.open or glance.revision != ground.revision:
        return False
    return now <= known_until(glance.oldest_ok, glance.failing_since, ground.stale_minutes)


def offers(coach: Coach) -> list[Offer]:
    """The listed offers that need no invitation."""
    return [offer for offer in coach.settings.offers if offer.listed and not offer.invited]


def times(services: Services, coach: Coach, offer: Offer) -> Times:
    """What decides about the offer's times now; raises TimesUnknown when a calendar has not answered for too long."""
    return seen.times(*seen.present(services, coach.slug), offer, services.clock())


def foreseen(services: Services, coach: Coach, offer: Offer, start: int, now: int) -> bool | None:
    """Whether a start will be offered if nothing changes meanwhile, for `still_offered`; None where that is not known.

    Raises TimesUnknown.
    """
    found = services.seen.get(coach.slug)
    if found is None or found.whole.revision != coach.revision:
        return None
    return offered(seen.times(coach, found, offer, now), start)


def still_offered(tx: Any, coach: Coach, offer: Offer, start: int, now: int, expected: bool | None) -> bool:
    """Whether a start is offered, asked inside the transaction that books, under the coach's lock. Raises TimesUnknown.

    What was `foreseen` stands where her revision has only moved by the one step of this lock: then nobody has changed
    anything that decides. Whoever waits in line for the lock waits the less.
    """
    glance = tx.glance(coach.slug, now)
    if expected is None or glance.revision != coach.revision + 1:
        return offered(sight(tx, coach.slug, coach.settings, offer, now).times, start)
    if now > known_until(glance.oldest_ok, glance.failing_since, coach.settings.stale_minutes):
        raise TimesUnknown("a calendar has not been read lately")
    return expected


def starts(services: Services, coach: Coach, offer: Offer) -> "array[int]":
    """The offer's starts now, rising; raises TimesUnknown likewise."""
    return seen.starts(*seen.present(services, coach.slug), offer, services.clock())


def starts_again(services: Services, coach: Coach, offer: Offer, glance: Any) -> tuple[Coach, "array[int]"] | None:
    """The coach and an offer's starts after something changed, by a glance just taken; None where her settings did.

    Raises NotFound, TimesUnknown and StoreUnreadable.
    """
    now, found = seen.present(services, coach.slug, glance)
    if now.settings is not coach.settings:
        return None
    return now, seen.starts(now, found, offer, services.clock())


def alternatives(services: Services, booking: Booking) -> tuple[int, ...]:
    """The free starts nearest to a booking that did not come about; none where nothing is known or offered."""
    try:
        its_coach = coach(services, booking.coach)
        offer = its_coach.settings.offer(booking.offer)
        return (
            () if offer is None or offer.invited else tuple(nearest(times(services, its_coach, offer), booking.start))
        )
    except (NotFound, TimesUnknown):
        return ()


def sight(
    tx: Any, slug: str, settings: CoachSettings, offer: Offer, now: int, without: str = "", fresh: bool = False
) -> Sight:
    """The same inside a transaction. `without` is a booking to leave out; `fresh` says the mirror was just synced."""
    if not fresh:
        check_mirror(tx.mirror.calendars(slug), settings, now)
    rows = tx.mirror.spans(slug)
    opens = open_time(rows, settings, offer, now)
    busy = [(row.name or row.calendar, row.spans) for row in rows if row.kind == "busy"]
    live = [booking for booking in tx.bookings.live(slug, now - PAST_SECONDS) if booking.id != without]
    merged = Spans().union(*(spans for _, spans in busy))
    doubts = tx.bookings.doubts(slug)
    held = [(taken, booking.ref) for booking in live for taken in taken_by(booking, offer.slug, doubts.get(booking.id))]
    return Sight(
        Times(opens, merged, [taken for taken, _ in held], rules(settings, offer), now), busy, [ref for _, ref in held]
    )


def _coach(row: Any) -> Coach:
    return Coach(row.slug, row.settings, row.revision, row.demo, row.open, row.portrait)
