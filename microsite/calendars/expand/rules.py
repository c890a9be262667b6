"""Recurrence rules judged before anything expands them: is it a rule, how often, and until when.

Measured in the research: one FREQ=SECONDLY event did not finish in eight seconds. The expanding itself is done by
recurring-ical-events (`series`).
"""

import re
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import tzinfo
from typing import NamedTuple

from dateutil.rrule import rrulestr  # type: ignore[import-untyped]

from .when import When
from .when import ahead
from .when import read_stamp

DAYS = {"DAILY": 1, "WEEKLY": 7, "MONTHLY": 28, "YEARLY": 365}
OFTEN = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600}
NUMBERS = r"[+-]?\d{1,3}(,[+-]?\d{1,3})*"
PARTS = {
    "FREQ": re.compile("|".join((*DAYS, *OFTEN))),
    "UNTIL": re.compile(r"\d{8}(T\d{6}Z?)?"),
    "COUNT": re.compile(r"[1-9]\d{0,5}"),
    "INTERVAL": re.compile(r"[1-9]\d{0,4}"),
    "WKST": re.compile(r"MO|TU|WE|TH|FR|SA|SU"),
    "BYDAY": re.compile(r"[+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU)(,[+-]?\d{0,2}(MO|TU|WE|TH|FR|SA|SU))*"),
    **{
        name: re.compile(NUMBERS)
        for name in "BYSECOND BYMINUTE BYHOUR BYMONTHDAY BYYEARDAY BYWEEKNO BYMONTH BYSETPOS".split()
    },
}
BY_CLOCK = ("BYHOUR", "BYMINUTE", "BYSECOND")
MAX_LETTERS = 512
MAX_A_DAY = 24
"""As many starts on one day as an hourly rule makes: counted as too often."""
MAX_STEPS = 200_000
"""Periods between the first start and the end of the window; a daily rule since 1601 has 155,000."""


class Rule(NamedTuple):
    """A rule that may be expanded or refused; `parts` are upper-case and each of a known form."""

    parts: dict[str, str]

    @classmethod
    def read(cls, value: str) -> "Rule":
        """Read an RRULE; raises ValueError for anything RFC 5545 3.3.10 does not know (RSCALE other than ours too)."""
        pairs = [part.partition("=")[::2] for part in value.upper().replace(" ", "").strip(";").split(";")]
        parts = dict(pairs)
        if len(value) > MAX_LETTERS or len(parts) < len(pairs) or "FREQ" not in parts:
            raise ValueError("not a rule")
        if parts.get("RSCALE") == "GREGORIAN" and parts.get("SKIP", "OMIT") == "OMIT":
            parts = {name: part for name, part in parts.items() if name not in ("RSCALE", "SKIP")}
        for name, part in parts.items():
            if name not in PARTS or not PARTS[name].fullmatch(part):
                raise ValueError("not a rule")
        return cls(parts)

    def text(self) -> str:
        """The rule again."""
        return ";".join(f"{name}={part}" for name, part in self.parts.items())

    def too_often(self, start: date, window_end: date) -> bool:
        """Whether it must not be expanded: many times a day, or endlessly many steps up to the window."""
        if self.parts["FREQ"] in OFTEN:
            return True
        a_day = 1
        for name in BY_CLOCK:
            a_day *= len(self.parts[name].split(",")) if name in self.parts else 1
        period = DAYS[self.parts["FREQ"]] * int(self.parts.get("INTERVAL", 1))
        return a_day >= MAX_A_DAY or (window_end - start).days // period > MAX_STEPS // a_day

    def last_day(self, start: When, coach: tzinfo) -> date | None:
        """The last day a rule that is too often can reach, or None where it has no known end."""
        if "UNTIL" in self.parts:
            until = read_stamp(self.parts["UNTIL"], start.zone)
            return until.clock(coach, coach).date() if not until.is_date else until.day(coach)
        plain = not any(name.startswith("BY") for name in self.parts)
        if "COUNT" in self.parts and plain and self.parts["FREQ"] in OFTEN:
            steps = (int(self.parts["COUNT"]) - 1) * int(self.parts.get("INTERVAL", 1))
            length = timedelta(seconds=steps * OFTEN[self.parts["FREQ"]])
            try:
                return (start.clock(coach, coach) + length).date()
            except OverflowError:
                return None
        return None

    def on_clock(self, start: When, zone: tzinfo, coach: tzinfo, years: int) -> str:
        """The rule with UNTIL as the series' own clock shows it, `years` ahead, the last moment included.

        A date-only UNTIL of a timed series includes that day, a local one is read in the series' zone; an all-day
        series takes the written day or, where the coach's day is later, that one (midnight written in UTC).
        """
        parts = dict(self.parts)
        until = self._until(start, zone, coach)
        if until is None:
            return self.text()
        del parts["UNTIL"]
        until = ahead(until, years)
        if "COUNT" in parts:
            # RFC 5545 forbids both; apps that write both mean whichever ends first.
            until = _counted(Rule(parts).text(), ahead(start.clock(zone, coach), years), until)
            del parts["COUNT"]
        parts["UNTIL"] = f"{until.year:04}{until:%m%d}" if start.is_date else f"{until.year:04}{until:%m%dT%H%M%S}"
        return Rule(parts).text()

    def _until(self, start: When, zone: tzinfo, coach: tzinfo) -> datetime | None:
        if "UNTIL" not in self.parts:
            return None
        until = read_stamp(self.parts["UNTIL"], start.zone)
        if start.is_date:
            literal = until.value.date() if isinstance(until.value, datetime) else until.value
            return datetime.combine(max(literal, until.day(coach)), time())
        if until.is_date:
            return datetime.combine(until.value, time(23, 59, 59))
        return until.clock(zone, coach)


def _counted(rule: str, first: datetime, until: datetime) -> datetime:
    """The last start that COUNT allows up to `until`."""
    last = first
    for at in rrulestr(rule, dtstart=first):
        if at > until:
            break
        last = at
    return last
