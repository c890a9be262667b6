"""One calendar object (or one UID of a feed) into a Reading.

`policy` decides about events, `own` looks at our bookings, `vavailability` reads RFC 7953; here they are put together.
"""

from collections import defaultdict
from collections.abc import Iterable
from collections.abc import Sequence
from zoneinfo import ZoneInfo

import msgspec

from microsite.core.mirror import Reading
from microsite.core.mirror import ReadingRules
from microsite.core.spans import Spans

from . import own
from .events import Event
from .lines import Block
from .policy import Outcome
from .policy import read_events
from .policy import settle
from .series import FAULTS
from .vavailability import read_availabilities
from .when import Length
from .when import read_stamp
from .zones import UTC
from .zones import Zones

WARNINGS = ("unreadable", "too-often", "too-many", "rule", "reversed", "zone")
"""Warning codes, the gravest first: an object with several reports the first of these."""


def read_blocks(blocks: Sequence[Block], zones: Zones, rules: ReadingRules, href: str, etag: str) -> Reading:
    """The Reading of the components of one object; usually they share one UID, but nobody guarantees it."""
    groups: dict[str, list[Block]] = defaultdict(list)
    for block in blocks:
        groups[block.text("UID")].append(block)
    outcome = Outcome([], set())
    for uid, group in sorted(groups.items()):
        outcome = outcome.and_(_group(uid, group, zones, rules))
    if rules.kind == "open":
        outcome = outcome.and_(
            read_availabilities([block for block in blocks if block.kind == "VAVAILABILITY"], zones, rules)
        )
    seen = msgspec.structs.replace(outcome.seen, href=href, etag=etag) if outcome.seen else None
    return Reading(
        href=href,
        etag=etag,
        uid=seen.uid if seen else min(groups, default=""),
        spans=Spans.of(outcome.spans).clip(rules.start, rules.end).pack(),
        serves=outcome.serves,
        warning=gravest(outcome.flaws),
        seen=seen,
    )


def gravest(flaws: Iterable[str]) -> str:
    """The one warning to show, or nothing."""
    return min(flaws, key=WARNINGS.index, default="")


def _group(uid: str, blocks: list[Block], zones: Zones, rules: ReadingRules) -> Outcome:
    if uid and uid in rules.own_uids:
        return Outcome([], set(), seen=own.see(uid, blocks, zones, ZoneInfo(rules.zone)))
    outcome = Outcome([], set())
    if rules.kind == "busy":
        for block in blocks:
            if block.kind == "VFREEBUSY":
                outcome = outcome.and_(_free_busy(block, rules))
    events = [block for block in blocks if block.kind == "VEVENT"]
    return outcome.and_(read_events(events, zones, rules)) if events else outcome


def _free_busy(block: Block, rules: ReadingRules) -> Outcome:
    """The busy periods of a VFREEBUSY (RFC 5545 3.8.2.6) as so many events; an unknown kind of busy is busy."""
    events: list[Event] = []
    flaws: set[str] = set()
    for line in block.every("FREEBUSY"):
        kind = line.param("FBTYPE").upper()
        status = "TENTATIVE" if kind == "BUSY-TENTATIVE" else ""
        for period in line.value.split(",") if kind != "FREE" else ():
            first, _, last = period.partition("/")
            try:
                event = Event(read_stamp(first, UTC), status=status)
                if "P" in last.upper():
                    event.length = Length.read(last)
                else:
                    event.end = read_stamp(last, UTC)
                events.append(event)
            except FAULTS:
                flaws.add("unreadable")
    return settle(events, rules).and_(Outcome([], flaws))
