"""What the coach did in her calendar app, decided from what we know and what is there now. Pure.

Compared are start, end, STATUS:CANCELLED and the pending mark, nothing else: titles, alarms, colours and notes are
hers. Nothing drastic follows from one look: a new time or an absence must stand for two minutes, an absence is believed
only after a direct look at the event, and when many vanish at once nothing is believed until the coach says so.
"""

from collections.abc import Iterable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Literal

import msgspec

from .bookings import AWAITING_COACH
from .bookings import FROZEN
from .bookings import Booking
from .mirror import Seen
from .spans import MINUTE
from .spans import Span

STABLE = 2 * MINUTE
BRAKE_COUNT = 3
BRAKE_SHARE = 0.2

Kind = Literal["gone", "moved", "cancelled"]


class Doubt(msgspec.Struct, frozen=True):
    """Something seen that must last: since when, and for a move to which time."""

    kind: Kind
    since: int
    start: int = 0
    end: int = 0


class Known(msgspec.Struct, frozen=True):
    """A booking with the doubt that was noted about it, if any."""

    booking: Booking
    doubt: Doubt | None = None


class Moved(msgspec.Struct, frozen=True):
    """The coach moved it, and the new time has stood still."""

    booking: Booking
    seen: Seen


class Approved(msgspec.Struct, frozen=True):
    """She took the question mark off."""

    booking: Booking
    seen: Seen


class Cancelled(msgspec.Struct, frozen=True):
    """She marked it cancelled, or deleted it and a direct look agreed. A pending one is thereby declined."""

    booking: Booking


class Suspect(msgspec.Struct, frozen=True):
    """Note this doubt and look again."""

    booking: Booking
    doubt: Doubt


class Verify(msgspec.Struct, frozen=True):
    """It has been absent long enough: look at the event itself before believing it."""

    booking: Booking


class Frozen(msgspec.Struct, frozen=True):
    """She did something we do not guess about; ask her. `why` is a word for the desk."""

    booking: Booking
    why: str


class Settled(msgspec.Struct, frozen=True):
    """All is as we know it (again): forget the doubt, thaw what was frozen, remember where the event is."""

    booking: Booking
    seen: Seen


class Braked(msgspec.Struct, frozen=True):
    """Too many vanished at once to believe it."""

    count: int


Change = Moved | Approved | Cancelled | Suspect | Verify | Frozen | Settled | Braked


def decide(
    known: Sequence[Known],
    seen: Iterable[Seen],
    now: int,
    confirmed_gone: frozenset[str] = frozenset(),
    brake_released: bool = False,
) -> list[Change]:
    """What follows for each future booking whose event was written; nothing where nothing changed.

    `confirmed_gone` holds ids of bookings whose event a direct look did not find after all calendars were synced.
    A second run over the outcome of the first yields nothing new.
    """
    by_uid: dict[str, list[Seen]] = {}
    for one in seen:
        by_uid.setdefault(one.uid, []).append(one)
    future = [each for each in known if each.booking.coach_href and each.booking.end > now]
    gone = [each for each in future if each.booking.coach_uid not in by_uid]
    if brakes(len(gone), len(future)) and not brake_released:
        return [Braked(len(gone))]
    busy = [each.booking for each in future]
    changes = [_judge(each, by_uid, busy, now, confirmed_gone) for each in future]
    return [change for change in changes if change is not None]


def brakes(gone: int, future: int) -> bool:
    """More than three and more than a fifth of the future bookings vanished together."""
    return gone > BRAKE_COUNT and gone > BRAKE_SHARE * future


def _judge(
    each: Known, by_uid: Mapping[str, list[Seen]], others: Sequence[Booking], now: int, confirmed_gone: frozenset[str]
) -> Change | None:
    booking, doubt = each.booking, each.doubt
    found = _which(booking, by_uid.get(booking.coach_uid, []))
    if found is None:
        if booking.id in confirmed_gone:
            return Cancelled(booking)
        return _lasting(booking, doubt, Doubt("gone", now), now, Verify(booking))
    if found.odd:
        return _freeze(booking, found.odd)
    if found.cancelled:
        return _lasting(booking, doubt, Doubt("cancelled", now), now, Cancelled(booking))
    if (found.start, found.end) != (booking.start, booking.end) and booking.pending_start is None:
        return _moved(booking, doubt, found, others, now)
    if booking.state == AWAITING_COACH and not found.marked and found.titled_with == booking.ref:
        return Approved(booking, found)
    elsewhere = (found.href, found.etag, found.calendar) != (
        booking.coach_href,
        booking.coach_etag,
        booking.coach_calendar,
    )
    if doubt is not None or booking.state == FROZEN or elsewhere:
        return Settled(booking, found)
    return None


def _moved(booking: Booking, doubt: Doubt | None, found: Seen, others: Sequence[Booking], now: int) -> Change | None:
    if found.start <= now:
        return _freeze(booking, "past")
    span = Span(found.start, found.end)
    if any(o.id != booking.id and span.overlaps(Span(o.start, o.end)) for o in others):
        return _freeze(booking, "overlap")
    return _lasting(booking, doubt, Doubt("moved", now, found.start, found.end), now, Moved(booking, found))


def _lasting(booking: Booking, doubt: Doubt | None, fresh: Doubt, now: int, then: Change) -> Change | None:
    """Note the doubt, wait while it lasts, then act on it; another doubt than before begins anew."""
    same = doubt is not None and (doubt.kind, doubt.start, doubt.end) == (fresh.kind, fresh.start, fresh.end)
    # A doubt from the future was noted by a clock that has been set back since: it must not wait that long again.
    if doubt is None or not same or doubt.since > now:
        return Suspect(booking, fresh)
    return then if now - doubt.since >= STABLE else None


def _freeze(booking: Booking, why: str) -> Change | None:
    already = booking.state == FROZEN and booking.reason == why
    return None if already else Frozen(booking, why)


def _which(booking: Booking, candidates: Sequence[Seen]) -> Seen | None:
    """Of several events with our UID, the one where we know it to be; another only once that one is gone."""
    here = [one for one in candidates if (one.calendar, one.href) == (booking.coach_calendar, booking.coach_href)]
    found = here or list(candidates)
    return found[0] if found else None
