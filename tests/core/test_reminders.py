"""When a client is reminded."""

import pytest

from microsite.core import reminders
from microsite.core.spans import HOUR

START = 1_800_000_000


@pytest.mark.parametrize(
    ("chosen", "offered", "minutes"),
    [
        (None, 24 * 60, (24 * 60,)),
        (None, 90, (90,)),
        (None, 0, ()),
        ((), 24 * 60, ()),
        ((2, 48), 24 * 60, (48 * 60, 120)),
    ],
    ids=["as offered", "an offer's own time", "an offer without", "none chosen", "two chosen, longest first"],
)
def test_the_clients_choice_goes_before_the_offers(
    chosen: tuple[int, ...] | None, offered: int, minutes: tuple[int, ...]
) -> None:
    assert reminders.ahead(chosen, offered) == minutes


@pytest.mark.parametrize(
    ("hours", "reminded", "due", "following"),
    [
        (49, 0, 0, 48),
        (48, 0, 48, 24),
        (30, 48, 0, 24),
        (30, 0, 48, 24),
        (1, 0, 2, 0),
        (1, 2, 0, 0),
        (0, 0, 0, 0),
    ],
    ids=[
        "before all",
        "just now",
        "sent already",
        "late",
        "one letter for three that are late",
        "all sent",
        "the session has begun",
    ],
)
def test_what_is_due_and_what_comes_next(hours: int, reminded: int, due: int, following: int) -> None:
    def instant(ahead: int) -> int:
        return START - ahead * HOUR if ahead else 0

    minutes = reminders.ahead(reminders.CHOICES, 0)
    found = reminders.turn(START, minutes, instant(reminded), START - hours * HOUR)
    assert found == reminders.Turn(instant(due), instant(following))


def test_the_job_is_asked_for_in_time_for_every_choice() -> None:
    assert reminders.earliest(START, 0, START - 72 * HOUR) == START - 48 * HOUR
    assert reminders.earliest(START, 60 * 60, START - 72 * HOUR) == START - 60 * HOUR
    assert reminders.earliest(START, 24 * 60, START - 3 * HOUR) == START - 2 * HOUR
    assert reminders.earliest(START, 24 * 60, START - HOUR) == 0
