"""Looking: coaches, offers, and the times that may be offered. No network, no write.

`times` is what every picker, every POST and `explain` share, so a time that is shown can be booked.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec

from microsite.core.availability import Rules
from microsite.core.availability import Taken
from microsite.core.availability import Times
from microsite.core.availability import nearest
from microsite.core.bookings import Booking
from microsite.core.hours import local_day
from microsite.core.hours import open_spans
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import dated_windows
from microsite.core.settings import weekly_windows
from microsite.core.spans import MINUTE
from microsite.core.spans import Spans
from microsite.errors import NotFound
from microsite.errors import TimesUnknown
from microsite.services import Services


class Coach(msgspec.Struct, frozen=True):
    """A coach as the pages see her. `open` says whether her booking page takes bookings,
    `portrait` is the name of her picture or nothing.
    """

    slug: str
    settings: CoachSettings
    revision: int
    demo: bool
    open: bool
    portrait: str = ""


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
    with services.store.read() as tx:
        row = tx.coaches.get(slug)
    if row is None or not row.open:
        raise NotFound("no such coach")
    return _coach(row)


def house(services: Services, slug: str) -> Coach:
    """The coach of a booking there is, whether her page is open to new ones or not; raises NotFound."""
    with services.store.read() as tx:
        row = tx.coaches.get(slug)
    if row is None:
        raise NotFound("no such coach")
    return _coach(row)


def offers(coach: Coach) -> list[Offer]:
    """The listed offers that need no invitation."""
    return [offer for offer in coach.settings.offers if offer.listed and not offer.invited]


def times(services: Services, coach: Coach, offer: Offer) -> Times:
    """What decides about the offer's times now; raises TimesUnknown when a calendar has not answered for too long."""
    with services.store.read() as tx:
        return sight(tx, coach.slug, coach.settings, offer, services.clock()).times


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
    opens = _open(rows, settings, offer, now)
    busy = [(row.name or row.calendar, row.spans) for row in rows if row.kind == "busy"]
    live = [booking for booking in tx.bookings.live(slug, now - 31 * 86400) if booking.id != without]
    merged = Spans().union(*(spans for _, spans in busy))
    held = [(taken, booking.ref) for booking in live for taken in taken_by(booking, offer.slug)]
    return Sight(
        Times(opens, merged, [taken for taken, _ in held], rules(settings, offer), now), busy, [ref for _, ref in held]
    )


def check_mirror(calendars: Sequence[Any], settings: CoachSettings, now: int) -> None:
    """Raise TimesUnknown where a calendar was never read, or has failed for longer than the settings allow."""
    for calendar in calendars:
        never = calendar.last_ok_at == 0
        failing = calendar.first_failed_at and now - calendar.first_failed_at > settings.stale_minutes * MINUTE
        if never or failing:
            raise TimesUnknown("a calendar has not been read lately")


def taken_by(booking: Booking, offer: str) -> Iterable[Taken]:
    """What a live booking holds: its time, and while it moves also the time it moves to."""
    spans = [(booking.start, booking.end)]
    if booking.pending_start is not None and booking.pending_end is not None:
        spans.append((booking.pending_start, booking.pending_end))
    return [Taken(start, end, booking.before, booking.after, booking.offer == offer) for start, end in spans]


def rules(settings: CoachSettings, offer: Offer) -> Rules:
    """The offer's rules for the slot engine."""
    return Rules(
        minutes=offer.minutes,
        step=offer.step,
        before=offer.before,
        after=offer.after,
        notice=offer.notice,
        horizon=offer.horizon_days,
        zone=settings.zoneinfo,
        per_day=offer.per_day,
        per_week=offer.per_week,
        coach_per_day=settings.per_day,
        coach_per_week=settings.per_week,
    )


def _open(rows: Sequence[Any], settings: CoachSettings, offer: Offer, now: int) -> Spans:
    """Open time: the open-hours events for everyone and for this offer, and the weekly hours of the settings."""
    from_events = [row.spans for row in rows if row.kind == "open" and row.serves in {"", offer.slug}]
    weekly = settings.hours if offer.hours is None else offer.hours
    if offer.hours is not None:
        from_events = []
    if not weekly and not settings.exceptions:
        return Spans().union(*from_events)
    today = local_day(now, settings.zoneinfo)
    last = today + timedelta(days=offer.horizon_days + 1)
    exceptions = dated_windows(settings.exceptions)
    from_settings = open_spans(weekly_windows(weekly), exceptions, settings.zoneinfo, today - timedelta(days=1), last)
    return from_settings.union(*from_events)


def _coach(row: Any) -> Coach:
    return Coach(row.slug, row.settings, row.revision, row.demo, row.open, row.portrait)
