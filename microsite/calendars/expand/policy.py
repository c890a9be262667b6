"""What blocks and what opens: the policy for the components that share one UID. `series` does the expanding."""

from collections.abc import Sequence
from datetime import datetime
from datetime import time
from datetime import timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from microsite.core.mirror import ReadingRules
from microsite.core.mirror import Seen

from . import own
from .events import Event
from .events import read_event
from .lines import Block
from .series import FAULTS
from .series import Window
from .series import expand
from .when import instant
from .zones import Zones

Piece = tuple[int, int]


class Outcome(NamedTuple):
    """What one UID came to, before it is packed."""

    spans: Sequence[Piece]
    flaws: set[str]
    serves: str = ""
    seen: Seen | None = None

    def and_(self, other: "Outcome") -> "Outcome":
        """Both together; the first that serves an offer, or is ours, counts."""
        return Outcome(
            [*self.spans, *other.spans],
            self.flaws | other.flaws,
            self.serves or other.serves,
            self.seen or other.seen,
        )


def window_of(rules: ReadingRules) -> Window:
    """The window and the coach's zone."""
    return Window(rules.start, rules.end, ZoneInfo(rules.zone))


def read_events(blocks: Sequence[Block], zones: Zones, rules: ReadingRules) -> Outcome:
    """What the VEVENTs (or AVAILABLEs) of one UID come to."""
    coach = ZoneInfo(rules.zone)
    events: list[Event] = []
    flaws: set[str] = set()
    for block in blocks:
        try:
            events.append(read_event(block, zones, coach))
        except FAULTS:
            flaws.add("unreadable")
    outcome = settle(events, rules)
    titles = [own.title(block) for block in blocks if not block.first("RECURRENCE-ID")] or [""]
    return outcome._replace(flaws=outcome.flaws | flaws, serves=served(titles, rules))


def settle(events: Sequence[Event], rules: ReadingRules) -> Outcome:
    """What events of one UID come to."""
    flaws = {flaw for event in events for flaw in event.flaws}
    if rules.kind == "open" and any(event.damaged or "reversed" in event.flaws for event in events):
        return Outcome([], flaws)
    masters, overrides = current(events, ZoneInfo(rules.zone))
    spans: list[Piece] = []
    for master in masters or (None,):
        pieces, found = _times(master, overrides, rules)
        spans += pieces
        flaws |= found
    return Outcome(spans, flaws)


def current(events: Sequence[Event], coach: ZoneInfo) -> tuple[list[Event], list[Event]]:
    """Masters and overrides that count, in an order that does not depend on the file's.

    Of several masters the highest SEQUENCE counts; equal ones are different events that share a UID by mistake, and
    all block. Of several overrides of one instance the one with the highest SEQUENCE counts, then the latest written.
    """
    masters = [event for event in events if event.override_of is None]
    newest = max((event.sequence for event in masters), default=0)
    masters = [event for event in masters if event.sequence == newest]
    overrides = [event for event in events if event.override_of is not None]
    overrides.sort(key=lambda event: (event.sequence, event.stamp, event.order()))
    latest = {event.override_of.utc(coach): event for event in overrides if event.override_of}
    return sorted(masters, key=Event.order), list(latest.values())


def _times(master: Event | None, overrides: list[Event], rules: ReadingRules) -> tuple[list[Piece], set[str]]:
    """What one master with its overrides takes or opens, and what was wrong with it."""
    window = window_of(rules)
    singles = [event for event in ([master] if master else []) + overrides if _counts(event, rules)]
    alone = [event.span(window.coach) for event in singles]
    if master is None or not (master.recurring or overrides):
        return alone, set()
    fallback = alone if rules.kind == "busy" else []
    if master.bad_rule:
        return fallback, {"rule"}
    if any(rule.too_often(master.start.day(window.coach), window.day(window.end)) for rule in master.rules):
        days = _whole_days(master, window) if fallback and _counts(master, rules) else []
        return [*fallback, *days], {"too-often"}
    try:
        expanded = expand(master, overrides, window)
    except FAULTS:
        return fallback, {"rule"}
    pieces = [(start, end) for start, end, event in expanded.instances if _counts(event, rules)]
    if expanded.closed_from is None:
        return pieces, set()
    if rules.kind == "busy":
        return [*pieces, (expanded.closed_from, window.end)], {"too-many"}
    return [piece for piece in pieces if piece[1] <= expanded.closed_from], {"too-many"}


def _counts(event: Event, rules: ReadingRules) -> bool:
    """Whether the event blocks or opens: never when cancelled; to block, not transparent, and tentative by choice."""
    if event.status == "CANCELLED":
        return False
    if rules.kind == "open":
        return True
    return not event.transparent and (event.status != "TENTATIVE" or rules.tentative_blocks)


def _whole_days(master: Event, window: Window) -> list[Piece]:
    """Every local day from the first to the last day of rules that are not expanded."""
    first = max(master.start.day(window.coach), window.day(window.start))
    last_days = [rule.last_day(master.start, window.coach) for rule in master.rules]
    last = window.day(window.end)
    if None not in last_days:
        last = min(last, max(day for day in last_days if day is not None))
    if last < first:
        return []
    after = datetime.combine(last, time()) + timedelta(days=1)
    return [(instant(first, window.coach), instant(after, window.coach))]


def served(titles: Sequence[str], rules: ReadingRules) -> str:
    """The offer that all these titles name, or nothing: then any offer may use the time."""
    offers = {rules.serves.get(" ".join(title.casefold().split()), "") for title in titles}
    return offers.pop() if len(offers) == 1 else ""
