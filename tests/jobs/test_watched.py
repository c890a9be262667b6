"""The contract: what whoever watches the machine is told of jobs, by every engine on every database."""

import time
from collections.abc import Callable

from microsite.errors import MailDelayed
from microsite.errors import StoreUnreadable
from microsite.jobs import MOST_ATTEMPTS
from microsite.jobs import outcome
from tests.jobs.conftest import Count
from tests.jobs.places import Place
from tests.waiting import wait_until


def test_what_is_due_and_since_when(place: Place) -> None:
    engine = place.engine()
    with place.store.read() as tx:
        assert engine.due(tx) == (0, 0)
    before = int(time.time())
    place.ask(engine, "plain", "now")
    place.ask(engine, "plain", "too")
    place.ask(engine, "plain", "later", delay=3600)

    with place.store.read() as tx:
        number, since = engine.due(tx)

    assert number == 2
    assert before - 1 <= since <= int(time.time())


def test_what_is_being_done_is_not_due(place: Place, count: Count, idle: Callable[[], None]) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "held", "a")
    wait_until(lambda: count.began["held a"])

    with place.store.read() as tx:
        assert engine.due(tx).number == 0
    count.held.set()
    idle()


def test_jobs_that_failed_often_are_counted_by_kind(place: Place, count: Count) -> None:
    def delayed(_key: str) -> None:
        raise MailDelayed("ConnectionRefusedError")

    count.do["letter"] = delayed
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "letter", "a")

    def failing(kind: str, attempts: int) -> int:
        with place.store.read() as tx:
            return engine.failing(tx, kind, attempts)

    wait_until(lambda: failing("letter", 2), what="two failures")
    assert failing("letter", 20) == failing("plain", 1) == 0


def test_a_full_disk_never_uses_up_the_attempts_of_a_job() -> None:
    attempts = 0
    for _ in range(3 * MOST_ATTEMPTS):
        came = outcome("letter", StoreUnreadable("the disk is full", "site.db", "disk-full"), attempts)
        assert not came.given_up
        assert came.wait is not None
        attempts = came.attempts
    assert came.wait <= 3600
