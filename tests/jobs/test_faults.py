"""The contract: a database that goes away for a while."""

import threading
from collections.abc import Callable

import pytest

from tests.jobs.conftest import Count
from tests.jobs.places import Place
from tests.waiting import wait_until

Wait = Callable[[], None]


@pytest.fixture(name="hurried", autouse=True)
def _hurried(place: Place) -> None:
    """Each waits for a database that does not answer for a second, and not for five."""
    place.answer = 1


def test_a_job_that_ends_while_the_database_is_away_is_done_once(
    place: Place, count: Count, idle: Wait, log: list[str]
) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "held", "a")
    wait_until(lambda: count.began["held a"])

    with place.outage():
        count.held.set()
        wait_until(lambda: any("cannot be reached" in line for line in log))
    idle()
    place.ask(engine, "plain", "b")
    idle()

    assert (count.ended["held a"], count.ended["plain b"]) == (1, 1)


def test_a_job_that_fails_while_the_database_is_away_is_tried_again(
    place: Place, count: Count, idle: Wait, log: list[str]
) -> None:
    engine = place.engine()

    def fail_once(_key: str) -> None:
        if count.began["poor a"] == 1:
            assert count.held.wait(120)
            raise ValueError

    count.do["poor"] = fail_once
    engine.start(count.work)
    place.ask(engine, "poor", "a")
    wait_until(lambda: count.began["poor a"])

    with place.outage():
        count.held.set()
        wait_until(lambda: any("cannot be reached" in line for line in log))
    idle()

    assert count.ended["poor a"] >= 2
    assert place.left() == (0, 0)


def test_a_runner_that_starts_while_the_database_is_away_waits_for_it(
    place: Place, count: Count, idle: Wait, log: list[str]
) -> None:
    engine = place.engine()
    place.ask(engine, "plain", "a")
    with place.outage():
        engine.start(count.work)
        wait_until(lambda: any("cannot be reached" in line for line in log))

    idle()

    assert count.ended["plain a"] == 1


def test_a_runner_can_be_stopped_while_the_database_is_away(place: Place, count: Count, log: list[str]) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "plain", "a")
    wait_until(lambda: count.ended["plain a"])
    with place.outage():
        wait_until(lambda: any("cannot be reached" in line for line in log))
        engine.stop()
        assert not [one for one in threading.enumerate() if one.name == "jobs"]
