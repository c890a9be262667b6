"""Looking: coaches, offers, and the times that may be offered. No network, no write.

`times` is what every picker and every POST asks first; `sight` decides the same inside the transaction that books, so a
time that is shown can be booked. What `times` read is remembered in this process for as long as the coach's revision,
asked for each time, stays the same; how fresh her calendars are is asked each time as well.
"""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import date
from datetime import timedelta
from typing import Any
from typing import NamedTuple

import msgspec

from microsite.core.availability import Rules
from microsite.core.availability import Taken
from microsite.core.availability import Times
from microsite.core.availability import nearest
from microsite.core.bookings import Booking
from microsite.core.changes import Doubt
from microsite.core.hours import local_day
from microsite.core.hours import open_spans
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import dated_windows
from microsite.core.settings import weekly_windows
from microsite.core.spans import DAY
from microsite.core.spans import MINUTE
from microsite.core.spans import Spans
from microsite.errors import NotFound
from microsite.errors import TimesUnknown
from microsite.services import Services

PAST_SECONDS = 31 * DAY
"""Bookings that ended longer ago count for nothing, not even for a cap per week."""
ALWAYS = 1 << 62


class Coach(msgspec.Struct, frozen=True):
    """A coach as the pages see her. `open` says whether her booking page takes bookings, `portrait` names her picture.

    Up to `known_until` (UTC seconds) her calendars may be relied on; 0 where nobody looked. `old` says that one of them
    was read too long ago for a page.
    """

    slug: str
    settings: CoachSettings
    revision: int
    demo: bool
    open: bool
    portrait: str = ""
    known_until: int = 0
    old: bool = False


class Ground(NamedTuple):
    """What a page with a coach's times stands on: her revision, and for how long (minutes) a calendar may fail."""

    coach: str
    revision: int
    stale_minutes: int


class Seen(msgspec.Struct, frozen=True):
    """All that decides about a coach's times at one revision, read at `at` and put in order once.

    `opens` holds the open time of each offer as of a local day of the coach, worked out when first asked for.
    """

    at: int
    whole: Any
    busy: Spans
    opens: dict[str, tuple[date, Spans]]

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes."""
        spans = len(self.busy) + sum(len(row.spans) for row in self.whole.spans)
        return 20_000 + 16 * spans + 500 * len(self.whole.held)


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
    return _look(services, slug)[0]


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


def still(services: Services, ground: Ground, now: int) -> Any:
    """The coach at a glance where the ground still holds, else None. Raises StoreUnreadable."""
    glance = services.store.glance(ground.coach, now)
    if glance is None or not glance.open or glance.revision != ground.revision:
        return None
    return glance if now <= known_until(glance.oldest_ok, glance.failing_since, ground.stale_minutes) else None


def offers(coach: Coach) -> list[Offer]:
    """The listed offers that need no invitation."""
    return [offer for offer in coach.settings.offers if offer.listed and not offer.invited]


def times(services: Services, coach: Coach, offer: Offer) -> Times:
    """What decides about the offer's times now; raises TimesUnknown when a calendar has not answered for too long."""
    found, seen = _look(services, coach.slug)
    now = services.clock()
    if now > found.known_until:
        raise TimesUnknown("a calendar has not been read lately")
    settings = found.settings
    held = [taken for row in seen.whole.held for taken in taken_by(row, offer.slug, row.doubt)]
    return Times(_opens(seen, settings, offer, now), seen.busy, held, rules(settings, offer), now)


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
    live = [booking for booking in tx.bookings.live(slug, now - PAST_SECONDS) if booking.id != without]
    merged = Spans().union(*(spans for _, spans in busy))
    doubts = tx.bookings.doubts(slug)
    held = [(taken, booking.ref) for booking in live for taken in taken_by(booking, offer.slug, doubts.get(booking.id))]
    return Sight(
        Times(opens, merged, [taken for taken, _ in held], rules(settings, offer), now), busy, [ref for _, ref in held]
    )


def check_mirror(calendars: Sequence[Any], settings: CoachSettings, now: int) -> None:
    """Raise TimesUnknown where a calendar was never read, or has failed for longer than the settings allow."""
    failing = [row.first_failed_at for row in calendars if row.first_failed_at]
    oldest_ok = min((row.last_ok_at for row in calendars), default=None)
    if now > known_until(oldest_ok, min(failing, default=None), settings.stale_minutes):
        raise TimesUnknown("a calendar has not been read lately")


def known_until(oldest_ok: int | None, failing_since: int | None, stale_minutes: int) -> int:
    """Until when times may be shown, by the same rule; 0 where a calendar was never read."""
    if oldest_ok == 0:
        return 0
    return ALWAYS if failing_since is None else failing_since + stale_minutes * MINUTE


def taken_by(booking: Any, offer: str, doubt: Doubt | None = None) -> Iterable[Taken]:
    """What a live booking holds: its time, and while it moves also the time it moves to.

    A coach's drag counts from the moment it is seen, not only once it is believed: in those two minutes nobody else may
    be given that time.
    """
    spans = [(booking.start, booking.end)]
    if booking.pending_start is not None and booking.pending_end is not None:
        spans.append((booking.pending_start, booking.pending_end))
    if doubt is not None and doubt.kind == "moved":
        spans.append((doubt.start, doubt.end))
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


def _look(services: Services, slug: str) -> tuple[Coach, Seen]:
    """The coach now, and what was seen of her at her present revision; raises NotFound where her page is closed."""
    now = services.clock()
    glance = services.store.glance(slug, now)
    if glance is None or not glance.open:
        raise NotFound("no such coach")
    seen = services.seen.get(slug)
    # A clock that was set back may bring bookings into view that were long past.
    if seen is None or seen.whole.revision != glance.revision or now < seen.at:
        seen = _see(services, slug, now, seen)
    whole = seen.whole
    until = known_until(glance.oldest_ok, glance.failing_since, whole.settings.stale_minutes)
    facts = (whole.settings, whole.revision, whole.demo, whole.open, whole.portrait)
    return Coach(slug, *facts, until, bool(glance.old)), seen


def _see(services: Services, slug: str, now: int, before: Seen | None) -> Seen:
    """Read all anew; what a change of the bookings leaves as it was is not worked out again."""
    whole = services.store.whole(slug, now - PAST_SECONDS)
    if whole is None or not whole.open:
        raise NotFound("no such coach")
    if before and (before.whole.settings, before.whole.spans) == (whole.settings, whole.spans):
        seen = Seen(now, whole, before.busy, before.opens)
    else:
        seen = Seen(now, whole, Spans().union(*(row.spans for row in whole.spans if row.kind == "busy")), {})
    services.seen.put(slug, seen)
    return seen


def _opens(seen: Seen, settings: CoachSettings, offer: Offer, now: int) -> Spans:
    today = local_day(now, settings.zoneinfo)
    day, spans = seen.opens.get(offer.slug, (None, None))
    if spans is None or day != today:
        spans = _open(seen.whole.spans, settings, offer, now)
        seen.opens[offer.slug] = (today, spans)
    return spans


def _coach(row: Any) -> Coach:
    return Coach(row.slug, row.settings, row.revision, row.demo, row.open, row.portrait)
