"""The contract: what becomes of a job that cannot be done, now or ever."""

import time
from collections.abc import Callable

import pytest

import microsite.jobs
from microsite.errors import CalendarUnreachable
from microsite.errors import MailDelayed
from microsite.errors import TryAgain
from microsite.jobs import back_off
from microsite.jobs import outcome
from tests.jobs.conftest import Count
from tests.jobs.places import Place
from tests.waiting import wait_until

Wait = Callable[[], None]


@pytest.fixture(name="impatient")
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Three failures instead of thirty, and no pause between them: a test cannot wait for a day."""
    monkeypatch.setattr(microsite.jobs, "MOST_ATTEMPTS", 3)
    monkeypatch.setattr(microsite.jobs, "back_off", lambda _attempts: 0)


def failing(*errors: Exception | None) -> Callable[[str], None]:
    """A handler that fails in these ways, one after the other, and then succeeds."""
    left = list(errors)

    def run(_key: str) -> None:
        error = left.pop(0) if left else None
        if error is not None:
            raise error

    return run


def test_the_back_off_doubles_up_to_an_hour() -> None:
    assert [back_off(attempts) for attempts in (1, 2, 3, 12, 13, 30)] == [1, 2, 4, 2048, 3600, 3600]


def test_trying_again_is_no_failure_however_often_it_is_asked() -> None:
    for _ in range(100):
        assert outcome("plain", TryAgain(7), 2) == (7, 2, "")


@pytest.mark.parametrize("error", [CalendarUnreachable("budi"), MailDelayed("Timeout")])
def test_what_another_machine_keeps_us_waiting_for_is_never_given_up(error: Exception, log: list[str]) -> None:
    attempts = 0
    for _ in range(100):
        wait, attempts, trouble = outcome("letter", error, attempts)
        assert (wait is not None, trouble) == (True, type(error).__name__)
        assert 1 <= wait <= 3600

    assert "budi" not in "".join(log)


def test_a_job_that_asks_for_later_runs_later_and_is_not_counted_as_failed(
    place: Place, count: Count, idle: Wait, log: list[str]
) -> None:
    engine = place.engine()
    count.do["later"] = failing(TryAgain(1), TryAgain(1))
    engine.start(count.work)
    asked = time.time()
    place.ask(engine, "later", "a")

    idle()

    assert count.began["later a"] == 3
    assert time.time() - asked > 1
    assert place.left() == (0, 0)
    assert not any("kind=later" in line for line in log)


def test_a_failure_is_tried_again_and_logged_by_its_type_without_its_words(
    place: Place, count: Count, idle: Wait, log: list[str]
) -> None:
    engine = place.engine()
    count.do["poor"] = failing(ValueError("budi@example.com"), KeyError("budi"))
    engine.start(count.work)
    place.ask(engine, "poor", "a")

    idle()

    assert count.began["poor a"] == 3
    told = [line for line in log if "failed" in line]
    assert ["error=ValueError" in told[0], "error=KeyError" in told[1]] == [True, True]
    assert all("kind=poor" in line for line in told)
    assert "budi" not in "".join(log)


@pytest.mark.usefixtures("impatient")
def test_a_job_that_keeps_failing_is_given_up_and_shown(place: Place, count: Count, idle: Wait, log: list[str]) -> None:
    engine = place.engine()
    count.do["poor"] = failing(*(ValueError("budi") for _ in range(3)))
    engine.start(count.work)
    place.ask(engine, "poor", "a")

    idle()

    assert count.began["poor a"] == 3
    assert place.left() == (0, 1)
    with place.store.read() as tx:
        assert [tuple(row) for row in engine.given_up(tx)] == [("poor", "a", "ValueError")]
        assert engine.known(tx, "poor", "a")
    assert sum("given up" in line for line in log) == 1
    assert "budi" not in "".join(log) + str(place.rows())


@pytest.mark.usefixtures("impatient")
def test_asking_for_a_job_that_was_given_up_gives_it_another_chance(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    count.do["poor"] = failing(*(ValueError() for _ in range(3)))
    engine.start(count.work)
    place.ask(engine, "poor", "a")
    wait_until(lambda: place.left() == (0, 1))

    place.ask(engine, "poor", "a")
    idle()

    assert count.began["poor a"] == 4
    assert place.left() == (0, 0)


@pytest.mark.usefixtures("impatient")
def test_a_job_asked_for_anew_while_its_last_attempt_fails_is_not_given_up(
    place: Place, count: Count, idle: Wait
) -> None:
    engine = place.engine()

    def fail(_key: str) -> None:
        if count.began["poor a"] == 3:
            place.ask(engine, "poor", "a")
        if count.began["poor a"] < 4:
            raise ValueError

    count.do["poor"] = fail
    engine.start(count.work)
    place.ask(engine, "poor", "a")

    wait_until(lambda: count.ended["poor a"] == 4)
    idle()

    with place.store.read() as tx:
        assert not engine.known(tx, "poor", "a")


@pytest.mark.usefixtures("impatient")
def test_a_failing_job_that_is_asked_for_while_it_runs_is_still_one_job(place: Place, count: Count, idle: Wait) -> None:
    """procrastinate's own retry breaks here: the queueing lock is taken, and the row stays running for ever."""
    engine = place.engine()

    def fail_once(_key: str) -> None:
        if count.began["poor a"] == 1:
            place.ask(engine, "poor", "a", 1)
            raise ValueError

    count.do["poor"] = fail_once
    engine.start(count.work)
    place.ask(engine, "poor", "a")

    idle()

    assert count.began["poor a"] == 2


def test_a_kind_that_nobody_knows_waits_for_a_version_that_does(
    place: Place, count: Count, idle: Wait, log: list[str]
) -> None:
    old = place.engine()
    old.start(count.work)
    place.ask(old, "newer", "a")
    place.ask(old, "plain", "b")
    wait_until(lambda: any("UnknownKind" in line for line in log))
    wait_until(lambda: count.ended["plain b"])
    old.stop()
    assert place.left() == (1, 0)

    count.do["newer"] = lambda _key: None
    place.engine().start(count.work)
    idle()

    assert count.began["newer a"] == 1


@pytest.mark.usefixtures("impatient")
def test_a_job_that_ends_its_thread_by_force_is_a_failure_like_others(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()

    def leave(_key: str) -> None:
        if count.began["exit a"] == 1:
            raise SystemExit(3)

    count.do["exit"] = leave
    engine.start(count.work)
    place.ask(engine, "exit", "a")

    idle()

    assert count.began["exit a"] == 2
