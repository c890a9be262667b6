"""Calendar bytes into the few content lines that say when something is; all else is dropped before anything parses it.

Owns unfolding (RFC 5545 3.1), the nesting of components and the cap on their number. What a value means is decided
in `events` and `zones`. Titles are the only text that passes, and `events` decides on them and drops them.
"""

import codecs
import re
from dataclasses import dataclass
from dataclasses import field
from typing import NamedTuple

MAX_COMPONENTS = 10_000
"""More components than this in one object or feed is an attack or a mistake (alarms and zones count too)."""

TIMES = frozenset(
    "UID DTSTART DTEND DURATION RRULE RDATE EXDATE EXRULE RECURRENCE-ID STATUS TRANSP SEQUENCE DTSTAMP LAST-MODIFIED"
    " SUMMARY".split()
)
KEPT = {
    "VCALENDAR": frozenset({"METHOD", "X-WR-TIMEZONE"}),
    "VEVENT": TIMES,
    "AVAILABLE": TIMES,
    "VAVAILABILITY": frozenset({"UID", "DTSTART", "DTEND", "DURATION", "BUSYTYPE", "PRIORITY"}),
    "VFREEBUSY": frozenset({"UID", "FREEBUSY"}),
    "VTIMEZONE": frozenset({"TZID", "X-LIC-LOCATION"}),
    "STANDARD": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"}),
    "DAYLIGHT": frozenset({"DTSTART", "TZOFFSETFROM", "TZOFFSETTO", "RRULE", "RDATE"}),
}
ZONED = frozenset({"DTSTART", "DTEND", "RDATE", "EXDATE", "RECURRENCE-ID"})
NAME = re.compile(r"[A-Za-z0-9-]+(?=[;:])")
FIRST_COLON = re.compile(r'(?:[^":]|"[^"]*")*:')
UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class TooManyComponents(ValueError):
    """The object or feed holds more components than are read."""


class Line(NamedTuple):
    """A property: upper-case name, raw parameters (with their leading semicolons), raw value."""

    name: str
    params: str
    value: str

    def param(self, name: str) -> str:
        """A parameter's value without its quotes, or nothing; commas and colons in it are taken as they stand."""
        found = re.search(rf';{name}=(?:"([^"]*)"|([^;]*))', self.params, re.IGNORECASE)
        return (found[1] or found[2] or "").strip() if found else ""


@dataclass(slots=True)
class Block:
    """A component, with the zones and the calendar's own properties that apply to it. `whole` is false when cut off."""

    kind: str
    lines: list[Line] = field(default_factory=list)
    inner: "list[Block]" = field(default_factory=list)
    calendar: "Block | None" = None
    whole: bool = False

    def first(self, name: str) -> Line | None:
        """The first property of that name: where there are too many, the first one counts."""
        return next((line for line in self.lines if line.name == name), None)

    def text(self, name: str) -> str:
        """The first value of that name, stripped, or nothing."""
        line = self.first(name)
        return line.value.strip() if line else ""

    def every(self, name: str) -> list[Line]:
        """All properties of that name."""
        return [line for line in self.lines if line.name == name]

    def within(self, kind: str) -> "list[Block]":
        """The direct parts of that kind."""
        return [block for block in self.inner if block.kind == kind]


def calendars(ics: bytes) -> list[Block]:
    """The VCALENDARs of a file, each with the components inside; raises TooManyComponents."""
    found: list[Block] = []
    stack: list[Block] = []
    count = 0
    for raw in _unfolded(ics):
        line = _line(raw)
        if line is None:
            continue
        if line.name == "BEGIN":
            count += 1
            if count > MAX_COMPONENTS:
                raise TooManyComponents
            _begin(line.value.strip().upper(), stack, found)
        elif line.name == "END":
            _end(line.value.strip().upper(), stack)
        elif stack and line.name in KEPT.get(stack[-1].kind, ()):
            stack[-1].lines.append(line)
    return found


def _begin(kind: str, stack: list[Block], found: list[Block]) -> None:
    block = Block(kind, calendar=stack[0] if stack else None)
    if stack:
        stack[-1].inner.append(block)
    elif kind == "VCALENDAR":
        found.append(block)
    stack.append(block)


def _end(kind: str, stack: list[Block]) -> None:
    """Close the innermost component of that kind; one that was left open inside it stays marked as cut off."""
    if kind in {block.kind for block in stack}:
        while (block := stack.pop()).kind != kind:
            pass
        block.whole = True


def _unfolded(ics: bytes) -> list[str]:
    """Lines as written before folding; any line end is understood, wrong bytes are replaced (only titles hold any)."""
    encoding = "utf-16" if ics.startswith(UTF16) else "utf-8-sig"
    text = ics.decode(encoding, "replace").replace("\0", "").replace("\r\n", "\n").replace("\r", "\n")
    return re.sub(r"\n[ \t]", "", text).split("\n")


def _line(raw: str) -> Line | None:
    name = NAME.match(raw)
    if name is None:
        return None
    key = name[0].upper()
    if key in ZONED:
        # No time holds a colon, but Outlook writes zone names with one, unquoted: the last one separates.
        split = raw.rfind(":")
    else:
        colon = FIRST_COLON.match(raw)
        split = colon.end() - 1 if colon else raw.find(":")
    if split < name.end():
        return None
    return Line(key, raw[name.end() : split], raw[split + 1 :])
