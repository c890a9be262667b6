"""The calendar is the console: what the coach does in her calendar app is in the picker at once.

At once is two seconds on a machine that goes on. One that stands still for some makes single changes late, not most of
them; and all of them come long before the next turn of asking the calendar would bring them, which is minutes away.
"""

import time
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from caldav.lib.error import AuthorizationError

from tests.conftest import Site
from tests.flow.coach import CalendarApp
from tests.flow.visitor import Visitor
from tests.flow.visitor import slot_of
from tests.waiting import wait_until

SESSION = "/sari/sesi/"
SECONDS = 2.0
HOUR = timedelta(hours=1)


class AtOnce:
    """Changes, and how long the picker took to follow each."""

    def __init__(self) -> None:
        self.took: list[float] = []

    def __call__(self, change: Callable[[], object], seen: Callable[[], bool]) -> object:
        """Do something in the app; the time is taken from the end of its last request until the picker shows it."""
        assert not seen(), "the picker shows it before anything was done"
        done = change()
        since = time.monotonic()
        wait_until(seen, what="the picker following")
        self.took.append(time.monotonic() - since)
        return done


@pytest.fixture(name="at_once", scope="module")
def _at_once() -> Iterator[AtOnce]:
    """For all tests of this file; in the end a third of their changes must have been seen within two seconds."""
    kept = AtOnce()
    yield kept
    assert sorted(kept.took)[len(kept.took) // 3] <= SECONDS, kept.took


@pytest.fixture(name="sunday")
def _sunday() -> datetime:
    """Ten in the morning in Jakarta on a Sunday two to three weeks away, when the demo coach is closed."""
    day = datetime.now(UTC).replace(hour=3, minute=0, second=0, microsecond=0)
    return day + timedelta(days=14 + (6 - day.weekday()) % 7)


class Picker:
    """What a visitor sees on a day."""

    def __init__(self, visitor: Visitor) -> None:
        self.visitor = visitor

    def offers(self, start: datetime) -> bool:
        """Whether this start can be chosen."""
        return slot_of(start) in self.visitor.get(SESSION, day=f"{start:%Y-%m-%d}", tz="UTC").slots


@pytest.fixture(name="picker")
def _picker(visitor: Visitor) -> Picker:
    """The picker of the 60-minute session."""
    return Picker(visitor)


def test_open_hours_added_in_the_app_are_offered(
    app: CalendarApp, picker: Picker, sunday: datetime, at_once: AtOnce
) -> None:
    at_once(
        lambda: app.add("open", "Buka", sunday, sunday + 2 * HOUR),
        lambda: picker.offers(sunday) and picker.offers(sunday + HOUR),
    )

    assert not picker.offers(sunday + 2 * HOUR)


def test_the_picker_follows_an_appointment_that_comes_moves_and_goes(
    app: CalendarApp, picker: Picker, sunday: datetime, at_once: AtOnce
) -> None:
    day = sunday + timedelta(days=7)
    late = day + 6 * HOUR
    app.add("open", "Buka", day, day + 2 * HOUR)
    at_once(lambda: app.add("open", "Buka", late, late + 2 * HOUR), lambda: picker.offers(day) and picker.offers(late))

    appointment = at_once(
        lambda: app.add("private", "Dokter gigi", day, day + 2 * HOUR), lambda: not picker.offers(day)
    )
    assert picker.offers(late)

    at_once(
        lambda: app.move(appointment, "Dokter gigi", late, late + 2 * HOUR),
        lambda: picker.offers(day) and not picker.offers(late),
    )

    at_once(lambda: appointment.delete(), lambda: picker.offers(late))
    assert picker.offers(day)


def test_open_hours_taken_away_are_offered_no_more(
    app: CalendarApp, picker: Picker, sunday: datetime, at_once: AtOnce
) -> None:
    day = sunday + timedelta(days=14)
    hours = at_once(lambda: app.add("open", "Buka", day, day + 2 * HOUR), lambda: picker.offers(day))

    at_once(lambda: hours.delete(), lambda: not picker.offers(day))


def test_a_calendar_app_with_a_wrong_password_sees_nothing(site: Site) -> None:
    with pytest.raises(AuthorizationError):
        CalendarApp(site.welcome["caldav-url"], site.welcome["caldav-user"], "wrong")
