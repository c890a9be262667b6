"""From what the store holds to what the slot engine takes: open time, what a booking holds, an offer's rules. Pure."""

from collections.abc import Iterable
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from microsite.core.availability import Rules
from microsite.core.availability import Taken
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
from microsite.errors import TimesUnknown

PAST_SECONDS = 31 * DAY
"""Bookings that ended longer ago count for nothing, not even for a cap per week."""
ALWAYS = 1 << 62


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


def open_time(rows: Sequence[Any], settings: CoachSettings, offer: Offer, now: int) -> Spans:
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
