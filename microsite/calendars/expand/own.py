"""Our own bookings' events as the coach left them: time, cancelled or not, and what the title still says.

`core.changes` judges; here is only what was seen. The title itself goes no further.
"""

import re
from zoneinfo import ZoneInfo

from microsite.core.mirror import Seen

from .events import Event
from .events import read_event
from .lines import Block
from .series import FAULTS
from .zones import Zones

REFERENCE = re.compile(r"(?<![^\W_])[A-Z2-9]{4,}(?![^\W_])")
ESCAPED = re.compile(r"\\(.)")


def title(block: Block) -> str:
    """The SUMMARY without its escapes (RFC 5545 3.3.11)."""
    return ESCAPED.sub(lambda found: "\n" if found[1] in "nN" else found[1], block.text("SUMMARY"))


def see(uid: str, blocks: list[Block], zones: Zones, coach: ZoneInfo) -> Seen:
    """One of our events; `href` and `etag` are filled in by the caller."""
    events = [block for block in blocks if block.kind == "VEVENT"]
    main = next((block for block in events if not block.first("RECURRENCE-ID")), events[0] if events else None)
    if main is None:
        return Seen(uid=uid, href="", etag="", odd="unreadable")
    try:
        event = read_event(main, zones, coach)
        start, end = event.span(coach)
    except FAULTS:
        return Seen(uid=uid, href="", etag="", odd="unreadable")
    text = title(main)
    references = REFERENCE.findall(text)
    recurring = len(events) > 1 or event.recurring or event.override_of is not None
    odd = "recurring" if recurring else "all-day" if event.start.is_date else "unreadable" if _unsure(event) else ""
    return Seen(
        uid=uid,
        href="",
        etag="",
        start=start,
        end=end,
        cancelled=event.status == "CANCELLED",
        marked=text.lstrip().startswith("?"),
        titled_with=references[-1] if references else "",
        odd=odd,  # type: ignore[arg-type]
    )


def _unsure(event: Event) -> bool:
    """Whether its time may not be what the coach sees: damaged, reversed, or in a zone nobody knows."""
    return event.damaged or bool(event.flaws)
