"""How often calendars are asked: by changes, by looks, by how many an installation has; and a host that is down."""

from typing import NamedTuple

import pytest

from microsite.core.polling import COLD
from microsite.core.polling import HOT
from microsite.core.polling import WARM
from microsite.core.polling import after_success
from microsite.core.polling import is_down
from microsite.core.polling import look_asks
from microsite.core.polling import pace
from microsite.core.polling import wait_after_outage


class Known(NamedTuple):
    """A calendar as polling sees it."""

    problem: str = ""
    failures: int = 0
    first_failed_at: int = 0
    last_ok_at: int = 0
    backoff_until: int = 0
    next_poll_at: int = 10_000


@pytest.mark.parametrize(
    ("calendars", "looked_at", "quiet", "words"),
    [
        (3, HOT, WARM, "one coach: quick to notice"),
        (14_400, HOT, WARM, "a practice of thousands is no different"),
        (200_000, WARM, 3333, "a hundred thousand coaches: sixty questions a second where nothing happens"),
        (10_000_000, WARM, COLD, "never rarer than four times a day"),
    ],
)
def test_the_more_calendars_there_are_the_less_often_each_is_asked(
    calendars: int, looked_at: int, quiet: int, words: str
) -> None:
    assert pace(calendars) == (looked_at, quiet), words


def test_a_change_halves_the_interval_and_quiet_stretches_it_up_to_the_pace() -> None:
    assert after_success(800, changed=True, jitter=0.5).interval == 400
    assert after_success(800, changed=False, jitter=0.5).interval == 1200
    assert after_success(800, changed=False, jitter=0.5, quiet=900).interval == 900
    assert after_success(HOT, changed=True, jitter=0.5).interval == HOT
    assert after_success(COLD, changed=False, jitter=0.5).interval == COLD


def test_two_polls_of_the_same_interval_drift_apart() -> None:
    assert after_success(1000, changed=False, jitter=0.0).wait == 1200
    assert after_success(1000, changed=False, jitter=0.99).wait > 1750


def test_a_look_asks_for_what_is_old_may_be_asked_and_is_not_asked_soon_anyway() -> None:
    small, large = pace(3), pace(200_000)
    assert look_asks(Known(last_ok_at=1000), small) == (1000 + HOT, 10_000 - HOT)
    assert look_asks(Known(last_ok_at=1000), large) == (1000 + WARM, 10_000 - HOT)
    assert look_asks(Known(last_ok_at=1000, backoff_until=5000), small)[0] == 5000


def silent(first_failed_at: int, last_ok_at: int = 0) -> Known:
    """A calendar whose last three questions were not answered."""
    return Known("CalendarUnreachable", 3, first_failed_at, last_ok_at)


@pytest.mark.parametrize(
    ("calendars", "down", "words"),
    [
        ([], False, "nothing is known"),
        ([silent(500)], False, "one may be that account's own trouble"),
        ([silent(500), silent(510), Known(last_ok_at=490)], True, "two fell silent after the last success"),
        ([silent(500), silent(510), Known(last_ok_at=600)], False, "another was answered since"),
        (
            [silent(100), silent(500), silent(510), Known(last_ok_at=490)],
            True,
            "one that has failed for long does not hide that all are silent now",
        ),
        (
            [Known("CalendarRefused", 9, 500), silent(500), Known(last_ok_at=490)],
            False,
            "a wrong password says nothing about the host",
        ),
    ],
)
def test_a_host_is_down_when_two_fell_silent_and_nobody_was_answered_since(
    calendars: list[Known], down: bool, words: str
) -> None:
    assert is_down(calendars) is down, words


def test_a_host_that_answers_again_is_not_asked_for_all_of_its_calendars_at_once() -> None:
    waits = [wait_after_outage(place) for place in range(2000)]
    assert waits[:20] == [0] * 20
    assert max(waits.count(second) for second in set(waits)) == 20
    assert waits == sorted(waits)
