"""VAVAILABILITY (RFC 7953) into open spans: each AVAILABLE is expanded as if it were a VEVENT.

Several of them in one file are laid over one another by PRIORITY (RFC 7953 4): 1 is the highest, 0 or none the lowest;
inside its own bounds a higher one replaces what lower ones opened, equal ones open together. Where the higher one is
BUSY-TENTATIVE outside its AVAILABLE parts, and tentative does not block, what a lower one opens stays open.
An AVAILABLE without an end opens nothing.
"""

from collections import defaultdict
from collections.abc import Sequence
from itertools import groupby
from zoneinfo import ZoneInfo

import msgspec

from microsite.core.mirror import ReadingRules
from microsite.core.spans import Spans

from .lines import Block
from .policy import Outcome
from .policy import read_events
from .series import FAULTS
from .when import Length
from .when import When
from .when import read_stamp
from .zones import Zones


def read_availabilities(blocks: Sequence[Block], zones: Zones, rules: ReadingRules) -> Outcome:
    """What the VAVAILABILITYs of one file open together; one whose bounds cannot be read opens nothing."""
    outcome = Outcome([], set())
    layers: list[tuple[int, Spans, Spans]] = []
    for block in blocks:
        try:
            bounds = _bounds(block, zones, rules)
        except FAULTS:
            outcome = outcome.and_(Outcome([], {"unreadable"}))
            continue
        inside = _available(block, zones, rules)
        soft = block.text("BUSYTYPE").upper() == "BUSY-TENTATIVE" and not rules.tentative_blocks
        layers.append((_rank(block), Spans() if soft else bounds, _common(Spans.of(inside.spans), bounds)))
        outcome = outcome.and_(inside._replace(spans=[]))
    return outcome._replace(spans=list(_laid(layers)))


def _laid(layers: list[tuple[int, Spans, Spans]]) -> Spans:
    """Lay the layers (rank, what it closes first, what it opens) over one another, the lowest first."""
    opened = Spans()
    for _, same in groupby(sorted(layers, key=lambda layer: layer[0]), key=lambda layer: layer[0]):
        level = list(same)
        for _, closes, _ in level:
            opened = opened.subtract(closes)
        opened = opened.union(*(opens for _, _, opens in level))
    return opened


def _rank(block: Block) -> int:
    """0 for no PRIORITY, then rising with importance: 9 is rank 1, 1 is rank 9."""
    text = block.text("PRIORITY")
    return 10 - int(text) if text in tuple("123456789") else 0


def _available(block: Block, zones: Zones, rules: ReadingRules) -> Outcome:
    """All AVAILABLE parts, unpacked from their own windows; a transparent or tentative one opens all the same."""
    groups: dict[str, list[Block]] = defaultdict(list)
    for part in block.within("AVAILABLE"):
        groups[part.text("UID")].append(part)
    outcome = Outcome([], set())
    served: set[str] = set()
    for _, parts in sorted(groups.items()):
        one = read_events(parts, zones, msgspec.structs.replace(rules, kind="open"))
        served.add(one.serves)
        outcome = outcome.and_(one)
    # A Reading serves one offer or any: parts for different offers would each open for the other's.
    return outcome._replace(serves=served.pop() if len(served) == 1 else "")


def _bounds(block: Block, zones: Zones, rules: ReadingRules) -> Spans:
    """The time a VAVAILABILITY speaks for; no DTSTART or no end means without limit."""
    coach = ZoneInfo(rules.zone)
    start, end = _when(block, "DTSTART", zones), _when(block, "DTEND", zones)
    low = start.utc(coach) if start else rules.start
    high = end.utc(coach) if end else max(rules.end, low)
    if start and end is None and block.first("DURATION"):
        high = start.utc_after(Length.read(block.text("DURATION")), coach)
    return Spans.of([(low, high)])


def _when(block: Block, name: str, zones: Zones) -> When | None:
    line = block.first(name)
    if line is None:
        return None
    when = read_stamp(line.value, zones.find(line.param("TZID")) if line.param("TZID") else None)
    if line.param("TZID") and when.zone is None and not when.is_date:
        raise ValueError("unknown zone")
    return when


def _common(spans: Spans, bounds: Spans) -> Spans:
    return Spans.of(span for bound in bounds for span in spans.clip(*bound))
