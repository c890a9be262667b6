"""Zone names of any calendar app into zones: IANA, Windows, vendor-prefixed, and VTIMEZONE definitions.

An object's own definition is used only where its name says nothing. It gets a name made from its content, because
icalendar keeps every definition it has met under its TZID for the whole process: two apps that both say «Custom»
would otherwise share one zone.
"""

import re
from collections.abc import Iterable
from datetime import datetime
from datetime import tzinfo
from functools import lru_cache
from hashlib import sha256
from typing import Any
from typing import NamedTuple
from zoneinfo import ZoneInfo
from zoneinfo import available_timezones

import icalendar
from icalendar.timezone.windows_to_olson import WINDOWS_TO_OLSON

from .lines import Block

MAX_OWN = 50
"""Own definitions read from one file; no real calendar comes near it."""
ODD_NAMES = {"z": "UTC", "tzone://microsoft/utc": "UTC"}
VALUES = {
    "DTSTART": re.compile(r"\d{8}T\d{6}"),
    "TZOFFSETFROM": re.compile(r"[+-]\d{4}(\d{2})?"),
    "TZOFFSETTO": re.compile(r"[+-]\d{4}(\d{2})?"),
    # A rule of seconds since 1601 would never end: changes of the clock come by the year.
    "RRULE": re.compile(r"FREQ=YEARLY(;(UNTIL|COUNT|INTERVAL|BYMONTH|BYDAY|BYMONTHDAY|WKST)=[0-9A-Z,+-]{1,40}){0,6}"),
    "RDATE": re.compile(r"\d{8}T\d{6}(,\d{8}T\d{6}){0,400}"),
}


class Zone(NamedTuple):
    """A zone, and the name it goes by here."""

    name: str
    tz: tzinfo


UTC = Zone("UTC", ZoneInfo("UTC"))


class Zones:
    """The zones that one file knows."""

    def __init__(self, definitions: Iterable[Block]) -> None:
        self._definitions: dict[str, Block] = {}
        for block in definitions:
            if len(self._definitions) < MAX_OWN:
                self._definitions.setdefault(_unquoted(block.text("TZID")), block)
        self._found: dict[str, Zone | None] = {}

    def find(self, tzid: str) -> Zone | None:
        """The zone of that name, or None where neither the name nor a definition says which."""
        if tzid not in self._found:
            self._found[tzid] = self._look_up(tzid)
        return self._found[tzid]

    def _look_up(self, tzid: str) -> Zone | None:
        name = iana(tzid)
        block = self._definitions.get(tzid)
        if name is None and block is not None:
            name = iana(block.text("X-LIC-LOCATION"))
        if name is not None:
            return Zone(name, ZoneInfo(name))
        return _defined(block) if block is not None else None


@lru_cache(maxsize=1024)
def iana(tzid: str) -> str | None:
    """The IANA name behind an IANA, Windows or vendor-prefixed zone name (RFC 5545 3.2.19), in any case of letters."""
    known = _names()
    plain = tzid.strip().strip("/").casefold()
    parts = plain.split("/")
    for name in (plain, *("/".join(parts[n:]) for n in range(1, len(parts) - 1))):
        if name in known:
            return known[name]
    return None


@lru_cache(maxsize=1)
def _names() -> dict[str, str]:
    zones = available_timezones() - {"Factory", "localtime", "posixrules"}
    windows = {name.casefold(): zone for name, zone in WINDOWS_TO_OLSON.items() if zone in zones}
    return windows | {name.casefold(): name for name in zones} | ODD_NAMES


def _unquoted(tzid: str) -> str:
    return tzid.strip().strip('"')


def _defined(block: Block) -> Zone | None:
    """The zone that a VTIMEZONE defines, rebuilt from checked values only, or None if it is damaged or dangerous."""
    parts = [_observance(part) for part in block.inner if part.kind in ("STANDARD", "DAYLIGHT")]
    if not parts or not all(parts) or len(parts) > 2 * MAX_OWN:
        return None
    body = "".join(parts)
    name = "own-" + sha256(body.encode()).hexdigest()[:16]
    definition = f"BEGIN:VTIMEZONE\r\nTZID:{name}\r\n{body}END:VTIMEZONE\r\n"
    try:
        component: Any = icalendar.Timezone.from_ical(definition)
        tz: tzinfo = component.to_tz(lookup_tzid=False)
        for year in (1970, 2025, 2030):
            datetime(year, 7, 1, tzinfo=tz).utcoffset()
    except (ValueError, TypeError, LookupError, AttributeError, OverflowError):
        return None
    return Zone(name, tz)


def _observance(part: Block) -> str:
    lines = [(line.name, line.value.strip().upper().rstrip(";")) for line in part.lines]
    names = {name for name, _ in lines}
    if not {"DTSTART", "TZOFFSETFROM", "TZOFFSETTO"} <= names:
        return ""
    if not all(VALUES[name].fullmatch(value) for name, value in lines):
        return ""
    body = "".join(f"{name}:{value}\r\n" for name, value in lines)
    return f"BEGIN:{part.kind}\r\n{body}END:{part.kind}\r\n"
