"""The contract: what asking for a job means. One set of tests for every engine and database."""

import json
import threading
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from concurrent.futures import wait
from contextlib import suppress

import pytest

from tests.jobs.conftest import Count
from tests.jobs.places import Place
from tests.waiting import wait_until

Wait = Callable[[], None]


def test_a_commit_leaves_one_job_and_a_rollback_none(place: Place) -> None:
    engine = place.engine()
    with pytest.raises(ZeroDivisionError), place.store.write() as tx:
        engine.enqueue(tx, "plain", "a")
        raise ZeroDivisionError
    assert place.left() == (0, 0)

    with place.store.write() as tx:
        engine.enqueue(tx, "plain", "a")

    assert place.left() == (1, 0)


def test_a_job_asked_for_in_a_transaction_that_fails_never_runs(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    engine.start(count.work)
    with pytest.raises(ZeroDivisionError), place.store.write() as tx:
        engine.enqueue(tx, "plain", "undone")
        raise ZeroDivisionError
    place.ask(engine, "plain", "done")

    wait_until(lambda: count.ended["plain done"])
    idle()

    assert count.began == {"plain done": 1}


def test_a_job_asked_for_is_known_until_it_is_done(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "held", "a")
    wait_until(lambda: count.began["held a"])
    with place.store.read() as tx:
        assert engine.known(tx, "held", "a")
        assert not engine.known(tx, "held", "b")

    count.held.set()
    idle()

    with place.store.read() as tx:
        assert not engine.known(tx, "held", "a")


def test_asking_twice_while_it_waits_is_one_job(place: Place, count: Count, idle: Wait) -> None:
    engine = place.engine()
    place.ask(engine, "plain", "a")
    place.ask(engine, "plain", "a")
    with place.store.write() as tx:
        engine.enqueue(tx, "plain", "b")
        engine.enqueue(tx, "plain", "b")
    assert place.left() == (2, 0)

    engine.start(count.work)
    idle()

    assert count.began == {"plain a": 1, "plain b": 1}


@pytest.mark.parametrize("delays", [(3600, 0), (0, 3600), (3600, 1), (1, 3600)])
def test_a_waiting_job_runs_no_later_than_the_earliest_asked_for(
    place: Place, count: Count, idle: Wait, delays: tuple[int, int]
) -> None:
    engine = place.engine()
    engine.start(count.work)
    with place.store.write() as tx:
        for delay in delays:
            engine.enqueue(tx, "plain", "a", delay)

    idle()

    assert count.began == {"plain a": 1}


def test_a_waiting_job_that_is_asked_for_at_once_wakes_the_runner(place: Place, count: Count) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "plain", "warm")
    wait_until(lambda: count.ended["plain warm"])
    place.ask(engine, "plain", "a", 3600)

    place.ask(engine, "plain", "a")

    wait_until(lambda: count.ended["plain a"])


def test_a_delay_is_waited_for(place: Place, count: Count) -> None:
    began: dict[str, float] = {}
    count.do["noted"] = lambda key: began.update({key: time.time()})
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "noted", "much later", 3600)
    asked = time.time()
    place.ask(engine, "noted", "later", 2)
    place.ask(engine, "noted", "now")

    wait_until(lambda: {"now", "later"} <= set(began))

    # Clocks count whole seconds: a delay of two may be anything above one.
    assert began["later"] - asked > 1
    assert set(began) == {"now", "later"}


def test_asking_again_while_it_runs_runs_it_again_but_never_twice_at_once(
    place: Place, count: Count, idle: Wait
) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "held", "a")
    wait_until(lambda: count.began["held a"])
    place.ask(engine, "held", "a")
    place.ask(engine, "held", "a")
    place.ask(engine, "plain", "other")
    wait_until(lambda: count.ended["plain other"])
    assert count.began["held a"] == 1

    count.held.set()
    idle()

    assert count.began["held a"] == 2
    assert count.at_once == 1


def test_asking_again_with_a_delay_while_it_runs_waits_for_the_delay(place: Place, count: Count, idle: Wait) -> None:
    """A judgement that asks for itself in two minutes once ran in a circle without a pause."""
    engine = place.engine()
    began: list[float] = []

    def once_more(_key: str) -> None:
        began.append(time.time())
        if len(began) == 1:
            place.ask(engine, "circle", "a", 2)

    count.do["circle"] = once_more
    engine.start(count.work)
    place.ask(engine, "circle", "a")

    wait_until(lambda: len(began) == 2)
    idle()

    assert began[1] - began[0] > 1
    assert len(began) == 2


def test_a_job_cannot_run_before_the_transaction_that_asked_again_is_committed(place: Place, count: Count) -> None:
    engine = place.engine()
    place.ask(engine, "plain", "a")
    place.ask(engine, "plain", "other")
    with place.store.write() as tx:
        engine.enqueue(tx, "plain", "a")
        engine.start(count.work)
        if place.store.sqlite:  # nobody else can write meanwhile, so no other job can run either
            threading.Event().wait(1.5)
        else:
            wait_until(lambda: count.ended["plain other"], what="what waits beside it")
        assert not count.began["plain a"]

    wait_until(lambda: count.ended["plain a"])


@pytest.mark.parametrize("commits", [True, False])
def test_two_transactions_that_ask_for_the_same_job_at_once_both_keep_what_they_wrote(
    place: Place, count: Count, idle: Wait, commits: bool
) -> None:
    engine = place.engine()
    entered = threading.Event()

    def second() -> None:
        entered.set()
        with place.store.write() as tx:
            engine.enqueue(tx, "plain", "second's own")
            engine.enqueue(tx, "plain", "shared")

    with suppress(ZeroDivisionError), ThreadPoolExecutor(1) as pool:
        with place.store.write() as tx:
            engine.enqueue(tx, "plain", "shared")
            other = pool.submit(second)
            assert entered.wait(60)
            # Not over before this one is: it waits for the same row, or for the one writer's turn.
            assert not wait([other], timeout=0.5).done
            if not commits:
                raise ZeroDivisionError
        other.result(60)

    engine.start(count.work)
    idle()
    assert count.began == {"plain shared": 1, "plain second's own": 1}


def test_jobs_carry_ids_and_nothing_else(place: Place) -> None:
    engine = place.engine()
    place.ask(engine, "letter", "0123abcd")
    place.ask(engine, "sweep", "3 4567ef /dav/sari/bookings/89.ics", 60)

    (one, two) = place.rows()

    if place.outbox:
        columns = {"kind", "key", "run_at", "ticket", "attempts", "dead", "owner", "leased_until", "trouble"}
        assert set(one) == columns
        assert (one["kind"], one["key"], one["owner"], one["trouble"]) == ("letter", "0123abcd", "", "")
    else:
        assert one["args"] == {"kind": "letter", "key": "0123abcd", "attempts": 0}
        assert two["args"] == {"kind": "sweep", "key": "3 4567ef /dav/sari/bookings/89.ics", "attempts": 0}
        plain = {name: value for name, value in one.items() if name not in ("args", "status")}
        assert json.dumps(plain, default=str).count("0123abcd") == 2  # its two locks
