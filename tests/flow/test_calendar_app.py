"""The calendar is the console: what the coach does in her calendar app is in the picker within two seconds."""

import threading
import time
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from datetime import timedelta

import pytest
from caldav.lib.error import AuthorizationError

from tests.conftest import Site
from tests.flow.coach import CalendarApp
from tests.flow.visitor import Visitor
from tests.flow.visitor import slot_of

SESSION = "/sari/sesi/"
SECONDS = 2.0
HOUR = timedelta(hours=1)


def within_two_seconds(change: Callable[[], object], seen: Callable[[], bool]) -> object:
    """Do something in the app; from the end of its last request, the picker has two seconds to show it."""
    assert not seen(), "the picker shows it before anything was done"
    done = change()
    since = time.monotonic()
    while not seen():
        assert time.monotonic() - since <= SECONDS, f"the picker did not follow within {SECONDS} s"
        threading.Event().wait(0.02)
    assert time.monotonic() - since <= SECONDS
    return done


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


def test_open_hours_added_in_the_app_are_offered(app: CalendarApp, picker: Picker, sunday: datetime) -> None:
    within_two_seconds(
        lambda: app.add("open", "Buka", sunday, sunday + 2 * HOUR),
        lambda: picker.offers(sunday) and picker.offers(sunday + HOUR),
    )

    assert not picker.offers(sunday + 2 * HOUR)


def test_the_picker_follows_an_appointment_that_comes_moves_and_goes(
    app: CalendarApp, picker: Picker, sunday: datetime
) -> None:
    day = sunday + timedelta(days=7)
    late = day + 6 * HOUR
    app.add("open", "Buka", day, day + 2 * HOUR)
    within_two_seconds(
        lambda: app.add("open", "Buka", late, late + 2 * HOUR), lambda: picker.offers(day) and picker.offers(late)
    )

    appointment = within_two_seconds(
        lambda: app.add("private", "Dokter gigi", day, day + 2 * HOUR), lambda: not picker.offers(day)
    )
    assert picker.offers(late)

    within_two_seconds(
        lambda: app.move(appointment, "Dokter gigi", late, late + 2 * HOUR),
        lambda: picker.offers(day) and not picker.offers(late),
    )

    within_two_seconds(lambda: appointment.delete(), lambda: picker.offers(late))
    assert picker.offers(day)


def test_open_hours_taken_away_are_offered_no_more(app: CalendarApp, picker: Picker, sunday: datetime) -> None:
    day = sunday + timedelta(days=14)
    hours = within_two_seconds(lambda: app.add("open", "Buka", day, day + 2 * HOUR), lambda: picker.offers(day))

    within_two_seconds(lambda: hours.delete(), lambda: not picker.offers(day))


def test_a_calendar_app_with_a_wrong_password_sees_nothing(site: Site) -> None:
    with pytest.raises(AuthorizationError):
        CalendarApp(site.welcome["caldav-url"], site.welcome["caldav-user"], "wrong")
