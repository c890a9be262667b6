"""A series into the times it takes: recurring-ical-events does the expanding, on the series' own clock.

The library identifies an occurrence by its UTC time *and* its local time, both without a zone. With starts at 9:00 and
16:00 in Jakarta (UTC+7), an EXDATE or override of 16:00 (09:00 UTC) would also hit the 9:00 one. So it is given
zone-less times, the clock of the zone the series starts in, on which RFC 5545 defines the rule anyway.
"""

from collections.abc import Iterator
from collections.abc import Sequence
from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import time
from datetime import timedelta
from datetime import tzinfo
from typing import Any
from typing import NamedTuple

import icalendar
import recurring_ical_events
from icalendar.prop import vDDDLists
from icalendar.prop import vDDDTypes
from icalendar.prop import vRecur

from .events import Event
from .when import LAST_YEAR
from .when import Day
from .when import When
from .when import ahead
from .when import instant

MAX_INSTANCES = 2_000
"""Instances of one series inside the window; from there on the time is closed."""
CYCLE = 400
"""Years after which dates and weekdays repeat exactly."""
FAULTS = (
    ValueError, TypeError, LookupError, AttributeError, AssertionError, ArithmeticError, RuntimeError,
)  # fmt: skip
"""What parsers and dateutil raise on values nobody thought of; one bad object must never stop a sync."""

Marker = tuple[int, int, Event]
"""A time taken (UTC seconds) and the component that says whether it blocks."""


class Window(NamedTuple):
    """Where instances are looked for (UTC seconds), and the coach's zone."""

    start: int
    end: int
    coach: tzinfo

    def day(self, at: int) -> date:
        """The coach's day of an instant."""
        return datetime.fromtimestamp(at, UTC).astimezone(self.coach).date()


class Expanded(NamedTuple):
    """The instances inside the window; from `closed_from` on nothing more is known (None: all is known)."""

    instances: list[Marker]
    closed_from: int | None = None


def expand(master: Event, overrides: Sequence[Event], window: Window) -> Expanded:
    """The instances of a series that touch the window; raises one of FAULTS where the library cannot expand it."""
    clock = _Clock(master, window)
    events = [master, *overrides]
    calendar = icalendar.Calendar()
    for number, event in enumerate(events):
        calendar.add_component(clock.component(event, number))
    found: list[Marker] = []
    latest = window.start
    for series in recurring_ical_events.CalendarQuery(calendar).series:
        for occurrence in series.between(*clock.window(clock.slack())):
            component = occurrence.as_component(False)
            event = events[int(component["X-NUMBER"])]
            start, end = clock.span(event, component["DTSTART"].dt, component["DTEND"].dt)
            if start < window.end and end > window.start:
                latest = max(latest, start)
                found.append((start, end, event))
            if len(found) > MAX_INSTANCES:
                known = len(master.rules) == 1 and not master.rdates
                rest = [(*override.span(window.coach), override) for override in overrides]
                return Expanded(found + rest, latest if known else window.start)
    return Expanded(found)


class _Clock:
    """Between instants and the zone-less clock of one series.

    The clock runs some cycles of 400 years ahead: dateutil looks for a start until the year 9999, and a rule that never
    has one (30 February, daily) would take three seconds; from 9600 on it is a few hundredths.
    """

    def __init__(self, master: Event, window: Window) -> None:
        self._master, self._window, self._coach = master, window, window.coach
        self._zone = master.start.zone.tz if master.start.zone else window.coach
        self._ahead = (LAST_YEAR - window.day(window.end).year) // CYCLE * CYCLE

    def window(self, slack: timedelta) -> tuple[datetime, datetime]:
        """The window on this clock, a little wider: what does not touch it is dropped later."""
        start, end = (datetime.fromtimestamp(at, UTC).replace(tzinfo=None) for at in self._window[:2])
        return self._shift(start - timedelta(days=2) - slack), self._shift(end + timedelta(days=2))

    def slack(self) -> timedelta:
        """How much longer an RDATE period is than its series; the library looks back by the series' length only."""
        return max((end - start for start, end in self._periods()), default=timedelta())

    def component(self, event: Event, number: int) -> Any:
        """An event as the library shall see it."""
        start, end = self._ends(event)
        component: Any = icalendar.Event()
        component.add("UID", "series")
        component["X-NUMBER"] = str(number)
        component["SEQUENCE"] = event.sequence
        component["DTSTART"], component["DTEND"] = vDDDTypes(self._shift(start)), vDDDTypes(self._shift(end))
        if event.override_of is not None:
            params = {"RANGE": "THISANDFUTURE"} if event.this_and_future else {}
            component["RECURRENCE-ID"] = vDDDTypes(self._shift(self._identity(event.override_of)), params=params)
            return component
        texts = [rule.on_clock(event.start, self._zone, self._coach, self._ahead) for rule in event.rules]
        if texts:
            component["RRULE"] = [vRecur.from_ical(text) for text in texts]
        exdates = [self._exdate(when) for when in event.exdates]
        if exdates:
            component["EXDATE"] = vDDDLists([self._shift(value) for value in exdates])
        singles = [self._identity(rdate) for rdate in event.rdates if isinstance(rdate, When)]
        rdates: list[Any] = [self._shift(value) for value in singles]
        rdates += [(self._shift(start), self._shift(end)) for start, end in self._periods()]
        if rdates:
            component["RDATE"] = vDDDLists(rdates)
        return component

    def span(self, event: Event, start: date | datetime, end: date | datetime) -> tuple[int, int]:
        """UTC seconds of an instance that the library found."""
        first, last = ahead(start, -self._ahead), ahead(end, -self._ahead)
        if isinstance(first, datetime) != isinstance(last, datetime):
            first, last = _with_time(first), _with_time(last)
        zone = self._zone if isinstance(first, datetime) else self._coach
        begins = instant(first, zone)
        if event.length and event.length.exact > 0 and last - first == event.length.delta:
            return begins, When(first).utc_after(event.length, zone)
        if _skipped(first, zone):
            return begins, begins + int((last - first).total_seconds())
        return begins, instant(last, zone)

    def _ends(self, event: Event) -> tuple[date | datetime, date | datetime]:
        if event.start.is_date and event.ends().is_date and not (event.length and event.length.exact):
            start, end = event.start.value, event.ends().value
            if event.length:
                end = start + timedelta(days=event.length.days)
            return min(start, end), max(start, end)
        start = event.start.clock(self._zone, self._coach)
        end = start + event.length.delta if event.length else event.ends().clock(self._zone, self._coach)
        return min(start, end), max(start, end)

    def _identity(self, when: When) -> date | datetime:
        """A RECURRENCE-ID or RDATE in the form its series has."""
        if self._master.start.is_date:
            return when.day(self._coach)
        if when.is_date:
            return datetime.combine(when.value, self._master.start.clock(self._zone, self._coach).time())
        return when.clock(self._zone, self._coach)

    def _exdate(self, when: When) -> date | datetime:
        """An EXDATE; one that is a bare date takes that whole day out of a timed series."""
        if self._master.start.is_date or when.is_date:
            return when.day(self._coach)
        return when.clock(self._zone, self._coach)

    def _shift(self, value: Day) -> Day:
        return ahead(value, self._ahead)

    def _periods(self) -> Iterator[tuple[datetime, datetime]]:
        for rdate in self._master.rdates:
            if not isinstance(rdate, When):
                first, last = rdate
                end = last.utc(self._coach) if isinstance(last, When) else first.utc_after(last, self._coach)
                start = first.clock(self._zone, self._coach)
                stop = datetime.fromtimestamp(end, UTC).astimezone(self._zone).replace(tzinfo=None)
                yield min(start, stop), max(start, stop)


def _with_time(value: date | datetime) -> datetime:
    return value if isinstance(value, datetime) else datetime.combine(value, time())


def _skipped(value: date | datetime, zone: tzinfo) -> bool:
    """Whether clocks in the zone never show this time."""
    if not isinstance(value, datetime):
        return False
    back = value.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
    return back.replace(tzinfo=None) != value
