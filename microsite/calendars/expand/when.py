"""One date or time of a calendar: as it was written, as UTC seconds, on another zone's clock."""

import re
from datetime import UTC as PLAIN_UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import tzinfo
from typing import NamedTuple
from typing import TypeVar

from .zones import UTC
from .zones import Zone

Day = TypeVar("Day", bound=date)
LAST_YEAR = 9_998
STAMP = re.compile(r"(\d{4})(\d{2})(\d{2})(?:T(\d{2})(\d{2})(\d{2})(Z?))?", re.IGNORECASE)
DURATION = re.compile(
    r"([+-]?)P(?:(\d{1,6})W|(?:(\d{1,6})D)?(?:T(?:(\d{1,7})H)?(?:(\d{1,8})M)?(?:(\d{1,9})S)?)?)", re.IGNORECASE
)


class Length(NamedTuple):
    """A DURATION: days by the calendar, the rest by the clock (RFC 5545 3.3.6), which differ when the clock changes."""

    days: int
    exact: int

    @classmethod
    def read(cls, value: str) -> "Length":
        """Read a DURATION; raises ValueError."""
        found = DURATION.fullmatch(value.strip())
        if found is None or value.strip().upper().endswith(("P", "T")):
            raise ValueError("not a duration")
        weeks, days, hours, minutes, seconds = (int(part or 0) for part in found.groups()[1:])
        sign = -1 if found[1] == "-" else 1
        return cls(sign * (weeks * 7 + days), sign * (hours * 3600 + minutes * 60 + seconds))

    @property
    def delta(self) -> timedelta:
        """The length on a clock that never changes."""
        return timedelta(days=self.days, seconds=self.exact)


class When(NamedTuple):
    """A date, or a clock time in a zone; no zone means floating, which is read in the coach's."""

    value: date | datetime
    zone: Zone | None = None

    @property
    def is_date(self) -> bool:
        """Whether this is a day without a time."""
        return not isinstance(self.value, datetime)

    def utc(self, coach: tzinfo) -> int:
        """UTC seconds; a day begins at the coach's midnight."""
        return instant(self.value, self.zone.tz if self.zone else coach)

    def clock(self, zone: tzinfo, coach: tzinfo) -> datetime:
        """What the clocks of a zone show then."""
        own = self.zone.tz if self.zone else coach
        if isinstance(self.value, datetime) and own is zone:
            return self.value
        return datetime.fromtimestamp(self.utc(coach), PLAIN_UTC).astimezone(zone).replace(tzinfo=None)

    def day(self, coach: tzinfo) -> date:
        """The day that is meant: the written one, but a UTC time that is no midnight means the coach's day."""
        if not isinstance(self.value, datetime):
            return self.value
        if self.zone is UTC and self.value.time() != time():
            return self.clock(coach, coach).date()
        return self.value.date()

    def utc_after(self, length: Length, coach: tzinfo) -> int:
        """UTC seconds of a length later: days on the calendar first, then the rest by the clock that never changes."""
        return instant(self.value + timedelta(days=length.days), self.zone.tz if self.zone else coach) + length.exact


def instant(value: date | datetime, zone: tzinfo) -> int:
    """UTC seconds of a clock time; one that the clock skips uses the offset before the gap (RFC 5545 3.3.5)."""
    clock = value if isinstance(value, datetime) else datetime.combine(value, time())
    return int(clock.replace(tzinfo=zone).timestamp())


def ahead(value: Day, years: int) -> Day:
    """The same date or time some cycles of 400 years later (or earlier), held before the end of all calendars."""
    if value.year + years > LAST_YEAR:
        return value.replace(year=LAST_YEAR, month=12, day=31)
    return value.replace(year=value.year + years)


def read_stamp(value: str, zone: Zone | None, as_date: bool = False) -> When:
    """A DATE or DATE-TIME; raises ValueError. A final Z wins over any zone named beside it."""
    found = STAMP.fullmatch(value.strip())
    if found is None:
        raise ValueError("neither a date nor a time")
    day = date(int(found[1]), int(found[2]), int(found[3]))
    if found[4] is None or as_date:
        return When(day)
    # 60 is a leap second in RFC 5545 3.3.12; no clock here knows it.
    clock = time(int(found[4]), int(found[5]), min(int(found[6]), 59))
    return When(datetime.combine(day, clock), UTC if found[7] else zone)
