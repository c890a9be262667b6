"""The contract: what begins with the commit that asks for it, and what follows a job in its own last transaction."""

import threading
from collections.abc import Callable

import pytest

from microsite.errors import TryAgain
from tests.jobs.conftest import Count
from tests.jobs.places import Place
from tests.jobs.process import Journal
from tests.jobs.process import Runner
from tests.waiting import wait_until

Wait = Callable[[], None]


def passing(place: Place, engine: object, *chain: str) -> Callable[[str], None]:
    """A handler that hands on to these kinds, and once more to the last of them if it comes round again."""
    left = list(chain)

    def run(key: str) -> None:
        with place.store.write() as tx:
            engine.hand_on(tx, left.pop(0) if len(left) > 1 else left[0], key)  # type: ignore[attr-defined]

    return run


def begin(place: Place, engine: object, kind: str, key: str) -> None:
    """Ask, in a transaction of its own, for what somebody waits for."""
    with place.store.write() as tx:
        engine.begin(tx, kind, key)  # type: ignore[attr-defined]


def test_a_job_hands_on_to_the_next_and_both_are_done_once(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    count.do["first"] = passing(place, engine, "second")
    count.do["second"] = passing(place, engine, "plain")
    engine.start(count.work)

    begin(place, engine, "first", "a")
    wait_until(lambda: count.ended["plain a"])
    idle()

    assert count.began == {"first a": 1, "second a": 1, "plain a": 1}


def test_what_is_begun_in_a_transaction_that_fails_never_runs_and_holds_no_thread(
    place: Place, count: Count, idle: Wait
) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "plain", "warm")
    wait_until(lambda: count.ended["plain warm"])
    for _ in range(8):
        with pytest.raises(ZeroDivisionError), place.store.write() as tx:
            engine.begin(tx, "plain", "undone")
            raise ZeroDivisionError

    for number in range(4):
        begin(place, engine, "held", str(number))
    wait_until(lambda: sum(count.began.values()) == 5)
    count.held.set()
    idle()

    assert count.began["plain undone"] == 0


def test_where_the_transaction_that_hands_on_fails_the_job_is_not_done(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()

    def stumble(key: str) -> None:
        with place.store.write() as tx:
            engine.hand_on(tx, "plain", key)
            if count.began["first a"] == 1:
                raise TryAgain(1)

    count.do["first"] = stumble
    engine.start(count.work)
    begin(place, engine, "first", "a")
    idle()

    assert count.began == {"first a": 2, "plain a": 1}


def test_a_job_that_was_asked_for_while_it_ran_hands_on_and_runs_again(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    asked = threading.Event()

    def wait_then_pass(key: str) -> None:
        assert asked.wait(30)
        with place.store.write() as tx:
            engine.hand_on(tx, "plain", key)

    count.do["first"] = wait_then_pass
    engine.start(count.work)
    begin(place, engine, "first", "a")
    wait_until(lambda: count.began["first a"])
    place.ask(engine, "first", "a")
    asked.set()

    wait_until(lambda: count.ended["first a"] == 2)
    wait_until(lambda: count.ended["plain a"] >= 1)
    idle()

    assert count.began["first a"] == 2


def test_handing_on_to_a_job_that_runs_just_now_runs_it_once_more(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    count.do["first"] = passing(place, engine, "held")
    engine.start(count.work)
    begin(place, engine, "held", "a")
    wait_until(lambda: count.began["held a"])
    begin(place, engine, "first", "a")
    wait_until(lambda: count.ended["first a"])
    assert count.began["held a"] == 1

    count.held.set()
    wait_until(lambda: count.ended["held a"] == 2)
    idle()

    assert count.at_once == 1


@pytest.mark.parametrize("delays", [(0, 3600), (3600, 0), (0, 0)])
def test_what_one_transaction_begins_and_asks_for_as_well_is_one_job(
    place: Place, count: Count, idle: Wait, delays: tuple[int, int]
) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "plain", "warm")
    wait_until(lambda: count.ended["plain warm"])
    with place.store.write() as tx:
        for delay in delays:
            if delay:
                engine.enqueue(tx, "plain", "a", delay)
            else:
                engine.begin(tx, "plain", "a")

    idle()

    assert count.began["plain a"] == 1


def test_more_than_there_are_threads_for_runs_as_well(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    engine.start(count.work)
    with place.store.write() as tx:
        for number in range(30):
            engine.begin(tx, "plain", str(number))

    idle()

    assert count.began == {f"plain {number}": 1 for number in range(30)}


def test_what_is_begun_where_no_jobs_run_waits_for_whoever_runs_them(place: Place, count: Count, idle: Wait) -> None:
    begin(place, place.engine(), "plain", "a")
    assert place.left() == (1, 0)

    place.engine().start(count.work)
    idle()

    assert count.began == {"plain a": 1}


def test_a_job_that_hands_on_while_the_runner_stops_leaves_the_next_to_whoever_comes(
    place: Place, count: Count, idle: Wait
) -> None:
    engine = place.engine()

    def pass_late(key: str) -> None:
        assert count.held.wait(30)
        with place.store.write() as tx:
            engine.hand_on(tx, "plain", key)

    count.do["first"] = pass_late
    engine.start(count.work)
    begin(place, engine, "first", "a")
    wait_until(lambda: count.began["first a"])
    engine.stop(patience=0.1)
    count.held.set()
    engine.stop()
    assert count.began == {"first a": 1}
    assert place.left() == (1, 0)

    place.engine().start(count.work)
    idle()

    assert count.began == {"first a": 1, "plain a": 1}


def test_a_job_that_was_handed_on_to_is_taken_up_by_the_other_when_its_runner_is_killed(
    place: Place, runner: Callable[..., Runner], journal: Journal
) -> None:
    engine, first = place.engine(), runner()
    place.ask(engine, "pass", "a")
    wait_until(lambda: journal.lines("hold"))
    wait_until(lambda: not any("pass" in str(row) for row in place.rows()))
    second = runner()

    first.kill()

    wait_until(lambda: len(journal.lines("hold")) == 2)
    assert [line.pid for line in journal.lines("hold")] == [first.pid, second.pid]
    journal.release.touch()
    wait_until(lambda: not any("hold" in str(row) for row in place.rows()))
    assert len(journal.lines("pass")) == 1


def test_no_chain_breaks_off_when_its_runner_is_killed_at_any_moment(
    place: Place, runner: Callable[..., Runner], journal: Journal
) -> None:
    engine, keys = place.engine(), {f"chain{number}" for number in range(60)}
    one = runner()
    for key in sorted(keys):
        place.ask(engine, "relay", f"3-{key}")
    for most in (20, 90):
        wait_until(lambda most=most: len(journal.lines("relay")) >= most)
        one.kill()
        one = runner()

    wait_until(lambda: {line.key for line in journal.lines("mark")} == keys, 60, "every chain's end")
