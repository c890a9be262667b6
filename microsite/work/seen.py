"""What was read of a coach, remembered in this process for as long as her revision, asked for each time, is the same.

How fresh her calendars are is asked each time as well. `look` is what others ask; this is its memory.
"""

from array import array
from datetime import date
from typing import Any

import msgspec

from microsite.core.availability import Times
from microsite.core.availability import offer as all_starts
from microsite.core.availability import renewed
from microsite.core.hours import local_day
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.spans import Spans
from microsite.errors import NotFound
from microsite.errors import TimesUnknown
from microsite.services import Services

from .deciding import PAST_SECONDS
from .deciding import known_until
from .deciding import open_time
from .deciding import rules
from .deciding import taken_by


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


class Seen(msgspec.Struct, frozen=True):
    """All that decides about a coach's times at one revision, read at `at` and put in order once.

    `opens` holds the open time of each offer as of a local day of the coach, `starts` what was offered and why, each
    worked out when first asked for. What was offered is handed on to the next revision: most of it will be again.
    """

    at: int
    whole: Any
    busy: Spans
    opens: dict[str, tuple[date, Spans]]
    starts: dict[str, tuple[Times, "array[int]"]]

    @property
    def weight(self) -> int:
        """About how many bytes of memory it takes, rather more than less: starts are yet to come where none are known.

        Many of these spans are one and the same; what was offered before may know a busy time of its own.
        """
        known = [
            self.busy,
            *(row.spans for row in self.whole.spans),
            *(asked.busy for asked, _ in tuple(self.starts.values())),  # others may be adding to them
        ]
        spans = sum({id(each): len(each) for each in known}.values())
        return 12_000 + 8_000 * len(self.whole.settings.offers) + 16 * spans + 500 * len(self.whole.held)


def present(services: Services, slug: str, glance: Any = None) -> tuple[Coach, Seen]:
    """The coach now, and what was seen of her at her present revision; raises NotFound where her page is closed.

    `glance` is what the store answered a moment ago, for who has asked it already.
    """
    now = services.clock()
    glance = glance or services.store.glance(slug, now)
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


def times(coach: Coach, seen: Seen, offer: Offer, now: int) -> Times:
    """What decides about the offer's times now; raises TimesUnknown when a calendar has not answered for too long."""
    if now > coach.known_until:
        raise TimesUnknown("a calendar has not been read lately")
    settings = coach.settings
    held = [taken for row in seen.whole.held for taken in taken_by(row, offer.slug, row.doubt)]
    return Times(_opens(seen, settings, offer, now), seen.busy, held, rules(settings, offer), now)


def starts(coach: Coach, seen: Seen, offer: Offer, now: int) -> "array[int]":
    """The starts that may be booked, rising; raises TimesUnknown."""
    asked = times(coach, seen, offer, now)
    before = seen.starts.get(offer.slug)
    found = renewed(asked, *before) if before else array("q", all_starts(asked))
    seen.starts[offer.slug] = (asked, found)
    return found


def _see(services: Services, slug: str, now: int, before: Seen | None) -> Seen:
    """Read all anew; what a change of the bookings leaves as it was is not worked out again."""
    whole = services.store.whole(slug, now - PAST_SECONDS, before.whole if before else None)
    if whole is None or not whole.open:
        raise NotFound("no such coach")
    busy, opens, offered = None, {}, {}
    if before is not None:
        offered = before.starts
        busy = before.busy if _kept(before.whole, whole, "busy") else None
        opens = before.opens if _kept(before.whole, whole, "open") else {}
    if busy is None:
        busy = Spans().union(*(row.spans for row in whole.spans if row.kind == "busy"))
    seen = Seen(now, whole, busy, opens, offered)
    services.seen.put(slug, seen)
    return seen


def _kept(before: Any, after: Any, kind: str) -> bool:
    """Whether the settings and the calendars of that kind are what they were."""
    old, new = ([row for row in whole.spans if row.kind == kind] for whole in (before, after))
    return bool(before.written == after.written and old == new)


def _opens(seen: Seen, settings: CoachSettings, offer: Offer, now: int) -> Spans:
    today = local_day(now, settings.zoneinfo)
    day, spans = seen.opens.get(offer.slug, (None, None))
    if spans is None or day != today:
        spans = open_time(seen.whole.spans, settings, offer, now)
        seen.opens[offer.slug] = (today, spans)
    return spans
