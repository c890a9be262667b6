"""The contract: runners that come, go, die, and work side by side."""

import random
import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from microsite.jobs import Every
from tests.jobs.conftest import Count
from tests.jobs.places import CALM
from tests.jobs.places import Place
from tests.jobs.process import Journal
from tests.jobs.process import Runner
from tests.waiting import wait_until

Start = Callable[..., Runner]
JOBS = 60
PATIENCE = 9.0
"""Seconds: less than `stop` waits for a job when it is not told how long."""


def test_stop_waits_for_what_runs_and_takes_no_more(place: Place, count: Count) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "held", "a")
    wait_until(lambda: count.began["held a"])
    stopping = threading.Thread(target=engine.stop, args=(60,))
    stopping.start()
    wait_until(engine._stopping.is_set)  # type: ignore[attr-defined]
    place.ask(engine, "plain", "b")

    stopping.join(1)
    assert stopping.is_alive()
    count.held.set()
    stopping.join(60)

    assert not stopping.is_alive()
    assert count.ended == {"held a": 1}
    assert place.left() == (1, 0)


def test_stop_is_not_kept_for_ever_by_a_job_that_hangs(place: Place, count: Count) -> None:
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "held", "a")
    wait_until(lambda: count.began["held a"])

    begun = time.monotonic()
    engine.stop(patience=0.5)

    assert time.monotonic() - begun < PATIENCE, "it took the time that it takes when it is not told how much"
    assert not count.ended
    count.held.set()
    engine.stop()


def test_an_idle_engine_stops_quickly_and_starts_again(place: Place, count: Count, idle: Callable[[], None]) -> None:
    engine = place.engine()
    for number in range(3):
        engine.start(count.work)
        place.ask(engine, "plain", str(number))
        idle()
        begun = time.monotonic()
        engine.stop()
        assert time.monotonic() - begun < PATIENCE, "it took all the time that a job may have"
        assert not [one.name for one in threading.enumerate() if one.name.startswith("job")]

    assert count.began.total() == 3
    assert place.store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]


def test_stopping_what_never_started_is_nothing(place: Place) -> None:
    place.engine().stop()


def test_periodic_jobs_come_round(place: Place, count: Count) -> None:
    engine = place.engine()
    count.do["round"] = lambda _key: None

    engine.start(count.work._replace(every=[Every(1, "round"), Every(3600, "plain")]))

    wait_until(lambda: count.ended["round"] >= 3)
    assert count.at_once == 1
    assert count.began["plain"] <= 1


def test_periodic_jobs_come_round_once_where_there_are_two_runners(
    place: Place, runner: Start, journal: Journal
) -> None:
    place.pace = CALM
    runner()
    runner()
    begun = time.monotonic()
    before = len(journal.lines("tick"))

    wait_until(lambda: len(journal.lines("tick")) >= before + 5)

    # Each of two would make it ten in the same time.
    assert len(journal.lines("tick")) - before <= time.monotonic() - begun + 2


def test_a_job_whose_runner_is_killed_is_taken_up_by_the_other(
    place: Place, runner: Start, journal: Journal, idle: Callable[[], None]
) -> None:
    engine, first = place.engine(), runner()
    place.ask(engine, "hold", "a")
    wait_until(lambda: journal.lines("hold"))
    second = runner()

    first.kill()

    wait_until(lambda: len(journal.lines("hold")) == 2)
    assert [line.pid for line in journal.lines("hold")] == [first.pid, second.pid]
    journal.release.touch()
    wait_until(lambda: not any(row.get("key") == "a" or "hold" in str(row.get("lock")) for row in place.rows()))


def test_a_runner_that_slept_with_its_machine_does_not_begin_again_what_it_is_at(place: Place, count: Count) -> None:
    """It could count itself among the dead when it woke up, and ran its own jobs a second time beside the first."""
    engine = place.engine()
    engine.start(count.work)
    place.ask(engine, "held", "a")
    wait_until(lambda: count.began["held a"])

    for number in range(6):
        place.oversleep()
        place.ask(engine, "plain", str(number))
        wait_until(lambda number=number: count.ended[f"plain {number}"])
        # Its look for the dead comes now before its next sign of life, now after.
        threading.Event().wait(random.uniform(0.3, 0.9) * place.pace.beat)

    assert count.began["held a"] == 1
    count.held.set()
    wait_until(lambda: place.left() == (0, 0))
    assert count.at_once == 1


def test_a_job_whose_runner_is_killed_is_taken_up_after_a_restart(
    place: Place, runner: Start, journal: Journal
) -> None:
    engine, first = place.engine(), runner()
    place.ask(engine, "hold", "a")
    place.ask(engine, "mark", "b", 2)
    wait_until(lambda: journal.lines("hold"))
    first.kill()

    again = runner()

    wait_until(lambda: len(journal.lines("hold")) == 2)
    wait_until(lambda: journal.lines("mark"))
    assert journal.lines("hold")[1].pid == again.pid


def test_a_killed_runners_job_that_was_asked_for_meanwhile_is_one_job(
    place: Place, runner: Start, journal: Journal
) -> None:
    engine, first = place.engine(), runner()
    place.ask(engine, "hold", "a")
    wait_until(lambda: journal.lines("hold"))
    place.ask(engine, "hold", "a")
    first.kill()
    journal.release.touch()

    runner()

    wait_until(lambda: len(journal.lines("hold")) >= 2)
    wait_until(lambda: not any(row.get("key") == "a" or "hold" in str(row.get("lock")) for row in place.rows()))
    assert len(journal.lines("hold")) == 2


def test_no_job_is_lost_between_two_runners_of_which_one_is_killed(
    place: Place, runner: Start, journal: Journal, tmp_path: Path
) -> None:
    """Two machines: each has a lock file of its own, so neither waits for the other."""
    (tmp_path / "other").mkdir()
    engine = place.engine()
    runners = [runner(), runner(tmp_path / "other")]
    keys = [f"job{number}" for number in range(JOBS)]
    for key in keys[: JOBS // 2]:
        place.ask(engine, "mark", key)
    random.choice(runners).kill()
    for key in keys[JOBS // 2 :]:
        place.ask(engine, "mark", key)

    wait_until(lambda: {line.key for line in journal.lines("mark")} == set(keys), 90, "every job")


def test_two_machines_share_the_work_and_do_each_job_once(
    place: Place, runner: Start, journal: Journal, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    place.pace = CALM
    engine = place.engine()
    keys = [f"job{number}" for number in range(JOBS)]
    one = runner()
    place.ask(engine, "hold", "long")
    wait_until(lambda: journal.lines("hold"))
    runner(tmp_path / "other")
    for key in keys:
        place.ask(engine, "mark", key)

    wait_until(lambda: len(journal.lines("mark")) >= JOBS, 90, "every job")

    assert Counter(line.key for line in journal.lines("mark")) == dict.fromkeys(keys, 1)
    # The start of the second did not take from the first what it was at; and its lease is renewed under it.
    held = place.sign_of_life("hold")
    wait_until(lambda: place.sign_of_life("hold") > held, what="another sign of life")
    assert [line.pid for line in journal.lines("hold")] == [one.pid]
