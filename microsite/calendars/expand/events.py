"""One VEVENT (or AVAILABLE) as typed times and flags.

Owns what a damaged property means. A `flaw` is a warning code; `damaged` says that a time could not be read, so that
an open-hours event opens nothing while a busy one still blocks what is known of it.
"""

from dataclasses import dataclass
from dataclasses import field
from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import tzinfo

from .lines import Block
from .lines import Line
from .rules import Rule
from .when import Length
from .when import When
from .when import read_stamp
from .zones import Zone
from .zones import Zones

MAX_DATES = 10_000
"""RDATE and EXDATE values of one component; more is an attack."""


@dataclass(slots=True)
class Event:
    """The time properties of one component. `end` is None where neither DTEND nor DURATION is there."""

    start: When
    end: When | None = None
    length: Length | None = None
    rules: list[Rule] = field(default_factory=list)
    bad_rule: bool = False
    rdates: list[When | tuple[When, When | Length]] = field(default_factory=list)
    exdates: list[When] = field(default_factory=list)
    override_of: When | None = None
    this_and_future: bool = False
    status: str = ""
    transparent: bool = False
    sequence: int = 0
    stamp: str = ""
    flaws: set[str] = field(default_factory=set)
    damaged: bool = False

    @property
    def recurring(self) -> bool:
        """Whether it stands for more than its own time."""
        return bool(self.rules or self.rdates or self.bad_rule)

    def span(self, coach: tzinfo) -> tuple[int, int]:
        """Its own time in UTC seconds; a reversed one is turned round, a time without end is empty."""
        start, end = self.start.utc(coach), self.end_utc(coach)
        return min(start, end), max(start, end)

    def end_utc(self, coach: tzinfo) -> int:
        """Where it says it ends, UTC seconds, even if that lies before its start."""
        return self.start.utc_after(self.length, coach) if self.length else self.ends().utc(coach)

    def ends(self) -> When:
        """Where it ends if no DURATION says so: a day lasts a day, even when DTEND repeats DTSTART."""
        if self.start.is_date and (self.end is None or self.end == self.start):
            return When(self.start.value + timedelta(days=1))
        return self.end or self.start

    def order(self) -> str:
        """What sorts events that share a UID: what they say, so that the order in the file changes nothing."""
        return repr(
            (self.start, self.end, self.length, self.rules, self.rdates, self.exdates, self.override_of, self.status)
        )


def read_event(block: Block, zones: Zones, coach: tzinfo) -> Event:
    """Read a component; raises ValueError when it has no readable start."""
    reader = _Reader(block, zones)
    override_of = reader.when("RECURRENCE-ID")
    start = reader.when("DTSTART") or override_of
    if start is None:
        raise ValueError("no start")
    event = Event(start, override_of=override_of, flaws=reader.flaws)
    recurrence_id = block.first("RECURRENCE-ID")
    event.this_and_future = recurrence_id is not None and recurrence_id.param("RANGE").upper() == "THISANDFUTURE"
    event.status = block.text("STATUS").upper() if block.text("STATUS").upper() in ("CANCELLED", "TENTATIVE") else ""
    if block.calendar and block.calendar.text("METHOD").upper() == "CANCEL":
        event.status = "CANCELLED"
    event.transparent = block.text("TRANSP").upper() == "TRANSPARENT"
    event.sequence = int(block.text("SEQUENCE")) if block.text("SEQUENCE")[:9].isdecimal() else 0
    event.stamp = block.text("LAST-MODIFIED") + block.text("DTSTAMP")
    event.end = reader.when("DTEND")
    if event.end is None and block.first("DURATION"):
        event.length = reader.length()
    if reader.damaged or not block.whole:
        _close_the_day(event, block, coach)
    if override_of is None:
        reader.recurrences(event)
    event.damaged = reader.damaged or not block.whole
    event.flaws |= {"unreadable"} if event.damaged else set()
    if event.end_utc(coach) < event.start.utc(coach):
        event.flaws.add("reversed")
    return event


def _close_the_day(event: Event, block: Block, coach: tzinfo) -> None:
    """An end that cannot be read, or was cut off, is taken to be the end of the day on which the event starts."""
    cut_off = not block.whole and not (event.end or event.length)
    if cut_off or (event.end is None and event.length is None and (block.first("DTEND") or block.first("DURATION"))):
        day = event.start.clock(coach, coach).date() if not event.start.is_date else event.start.value
        event.end = When(datetime.combine(day, time()) + timedelta(days=1))


class _Reader:
    """Reads the properties of one component and remembers what was wrong with them."""

    def __init__(self, block: Block, zones: Zones) -> None:
        self._block, self._zones = block, zones
        self.flaws: set[str] = set()
        self.damaged = False

    def when(self, name: str) -> When | None:
        """The time of a property, or None if it is not there or not readable."""
        line = self._block.first(name)
        if line is None:
            return None
        try:
            return self._stamp(line, line.value)
        except ValueError:
            self.damaged = True
            return None

    def length(self) -> Length | None:
        """The DURATION, or None if it is not readable."""
        try:
            return Length.read(self._block.text("DURATION"))
        except ValueError:
            self.damaged = True
            return None

    def recurrences(self, event: Event) -> None:
        """Fill in rules and dates; what cannot be read is left out and flagged."""
        for line in self._block.every("RRULE"):
            try:
                event.rules.append(Rule.read(line.value))
            except ValueError:
                event.bad_rule = True
        if self._block.every("EXRULE"):
            # Gone since RFC 5545: without it a busy series blocks too much, and an open one must open nothing.
            self.damaged = True
        dates = [(line, value) for line in self._block.every("EXDATE") for value in line.value.split(",")]
        extra = [(line, value) for line in self._block.every("RDATE") for value in line.value.split(",")]
        if len(dates) + len(extra) > MAX_DATES:
            event.bad_rule, dates, extra = True, [], []
        for line, value in dates:
            self._collect(event.exdates, line, value)
        for line, value in extra:
            self._collect(event.rdates, line, value)
        if event.bad_rule:
            event.flaws.add("rule")

    def _collect(self, into: "list[When] | list[When | tuple[When, When | Length]]", line: Line, value: str) -> None:
        if not value.strip():
            return
        try:
            first, _, last = value.partition("/")
            start = self._stamp(line, first)
            if not last:
                into.append(start)
            elif line.name == "RDATE":
                period = Length.read(last) if "P" in last.upper() else self._stamp(line, last)
                into.append((start, period))  # type: ignore[arg-type]
        except ValueError:
            self.damaged = True

    def _stamp(self, line: Line, value: str) -> When:
        return read_stamp(value, self._zone(line, value), line.param("VALUE").upper() == "DATE")

    def _zone(self, line: Line, value: str) -> Zone | None:
        """The zone a value is in; an unknown one is flagged, and means the coach's like no zone at all."""
        if "T" not in value.upper() or value.strip().upper().endswith("Z"):
            return None
        tzid = line.param("TZID")
        if tzid:
            zone = self._zones.find(tzid)
            if zone is None:
                self.flaws.add("zone")
            return zone
        feed = self._block.calendar.text("X-WR-TIMEZONE") if self._block.calendar else ""
        return self._zones.find(feed) if feed else None
