"""Calendar objects into spans of time, and nothing else: every title, place and person is dropped here.

`read` takes one object of a CalDAV collection, `read_feed` a whole ICS file, `read_availability` an RFC 7953 document.
The calendar client fetches, `core.spans` does the algebra, the store keeps.

A wholly unreadable object yields no span: it names no time, so there is nothing of its own to block, and blocking
everything would let one bad file close the site. It is reported as `unreadable`, and the coach is told.
"""

from collections import defaultdict
from hashlib import sha256

import msgspec

from microsite.core.mirror import Reading
from microsite.core.mirror import ReadingRules
from microsite.errors import CalendarMissing
from microsite.errors import CalendarUnsafe

from .lines import Block
from .lines import TooManyComponents
from .lines import calendars
from .objects import WARNINGS
from .objects import read_blocks
from .zones import Zones

__all__ = ["WARNINGS", "read", "read_availability", "read_feed"]

READ = ("VEVENT", "VFREEBUSY", "VAVAILABILITY")
"""What tells about time; VTODO, VJOURNAL and the rest are ignored."""


def read(href: str, etag: str, ics: bytes, rules: ReadingRules) -> Reading:
    """What one calendar object comes to inside [rules.start, rules.end); never raises for what is in it."""
    try:
        found = calendars(ics)
    except TooManyComponents:
        found = []
    if not found:
        return Reading(href=href, etag=etag, uid="", spans=b"", warning="unreadable")
    return read_blocks(_of_interest(found), _zones(found), rules, href, etag)


def read_availability(ics: bytes, rules: ReadingRules, href: str = "", etag: str = "") -> Reading:
    """What a VAVAILABILITY document (RFC 7953) opens, whatever `rules.kind` says."""
    return read(href, etag, ics, msgspec.structs.replace(rules, kind="open"))


def read_feed(ics: bytes, etag: str, rules: ReadingRules) -> list[Reading]:
    """One Reading for each UID of an ICS file, with an href made from the UID.

    Raises CalendarMissing for a file that is no calendar or is cut off (a login page, half a download: what it does not
    name must not count as free), CalendarUnsafe for one with too many components.
    """
    try:
        found = calendars(ics)
    except TooManyComponents as error:
        raise CalendarUnsafe("the feed holds more components than are read") from error
    if not found or not all(calendar.whole for calendar in found):
        raise CalendarMissing("the feed is not a whole calendar")
    zones = _zones(found)
    groups: dict[str, list[Block]] = defaultdict(list)
    for number, block in enumerate(_of_interest(found)):
        groups[block.text("UID") or f"no-uid-{number}"].append(block)
    return [read_blocks(blocks, zones, rules, _href(uid), etag) for uid, blocks in sorted(groups.items())]


def _of_interest(found: list[Block]) -> list[Block]:
    return [block for calendar in found for block in calendar.inner if block.kind in READ]


def _zones(found: list[Block]) -> Zones:
    return Zones(block for calendar in found for block in calendar.within("VTIMEZONE"))


def _href(uid: str) -> str:
    """A feed's entries have no address: the UID stands in, hashed because it may be anything."""
    return "feed-" + sha256(uid.encode()).hexdigest()[:32]
