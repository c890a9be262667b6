"""The outbox alone: clocks that are wrong, leases of the dead, and its lock file. Collected where stores are SQLite."""

from pathlib import Path

import pytest
from sqlalchemy import Connection
from sqlalchemy import event
from sqlalchemy import text

import microsite.jobs.runner
from microsite.jobs.outbox import Outbox
from microsite.jobs.runner import name_of
from microsite.store import Store
from tests.jobs.conftest import Count
from tests.waiting import wait_until

DAY = 86_400
NOW = 1_795_406_400


class Clocked:
    """An outbox on SQLite with a clock that a test sets."""

    def __init__(self, folder: Path) -> None:
        self.now = NOW
        self.folder = folder
        self.store = Store(f"sqlite:///{folder}/site.db")
        self.store.upgrade()
        self.engine = self.new()

    def new(self) -> Outbox:
        """Another process's engine."""
        return Outbox(self.store, self.folder / "jobs.lock", lambda: self.now)

    def ask(self, key: str, delay: int = 0) -> None:
        """Ask for a job."""
        with self.store.write() as tx:
            self.engine.enqueue(tx, "plain", key, delay)


@pytest.fixture(name="clocked")
def _clocked(tmp_path: Path) -> "Clocked":
    return Clocked(tmp_path)


def test_a_clock_set_back_while_jobs_run_keeps_nothing_waiting(clocked: Clocked, count: Count) -> None:
    clocked.now = NOW + 10 * DAY
    clocked.engine.start(count.work)
    clocked.ask("warm")
    wait_until(lambda: count.ended["plain warm"])
    clocked.ask("soon", 60)
    clocked.ask("far", 20 * DAY)

    clocked.now = NOW
    clocked.ask("fresh")
    wait_until(lambda: count.ended["plain fresh"])
    assert not count.began["plain soon"]
    clocked.now = NOW + 61

    wait_until(lambda: count.ended["plain soon"])
    assert not count.began["plain far"]
    clocked.engine.stop()
    clocked.store.close()


def test_a_clock_set_back_while_the_site_was_down_keeps_nothing_waiting(
    clocked: Clocked, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microsite.jobs.runner, "LOOK_SECONDS", 0.05)
    clocked.now = NOW + 10 * DAY
    clocked.engine.start(count.work)
    clocked.ask("warm")
    wait_until(lambda: count.ended["plain warm"])
    clocked.engine.stop()
    clocked.ask("asked")

    clocked.now = NOW
    clocked.engine = clocked.new()
    clocked.engine.start(count.work)

    wait_until(lambda: count.ended["plain asked"])
    clocked.engine.stop()
    clocked.store.close()


def test_a_lease_from_a_clock_that_was_far_ahead_is_void(clocked: Clocked) -> None:
    clocked.ask("a")
    with clocked.store.write() as tx:
        assert tx.queue.claim("dead machine", NOW, NOW + 365 * DAY, 5)

    with clocked.store.write() as tx:
        assert tx.queue.any_due("living", NOW)
        assert [row.key for row in tx.queue.claim("living", NOW, NOW + 60, 5)] == ["a"]
    clocked.store.close()


def test_a_runner_never_takes_again_what_it_still_works_on(clocked: Clocked) -> None:
    """Where leases could not be renewed for a while, the next look must not start the same job a second time."""
    clocked.ask("a")
    with clocked.store.write() as tx:
        assert tx.queue.claim("me", NOW, NOW + 60, 5)
    with clocked.store.write() as tx:
        assert not tx.queue.any_due("me", NOW + 120)
        assert not tx.queue.claim("me", NOW + 120, NOW + 180, 5)
        assert tx.queue.claim("another", NOW + 120, NOW + 180, 5)
    clocked.store.close()


def test_a_restart_takes_up_at_once_what_this_machine_was_at(clocked: Clocked, count: Count) -> None:
    """The clock stands still here, so no lease ever runs out."""
    clocked.ask("a")
    with clocked.store.write() as tx:
        assert tx.queue.claim(f"{name_of(clocked.folder / 'jobs.lock')}:1234:dead", NOW, NOW + 60, 5)

    clocked.engine.start(count.work)

    wait_until(lambda: count.ended["plain a"])
    clocked.engine.stop()
    clocked.store.close()


def test_one_machines_start_frees_only_what_that_machine_held(clocked: Clocked) -> None:
    clocked.ask("a")
    clocked.ask("b")
    with clocked.store.write() as tx:
        tx.queue.claim("here:1", NOW, NOW + 60, 1)
        tx.queue.claim("here_:1", NOW, NOW + 60, 1)

    with clocked.store.write() as tx:
        tx.queue.release("here")
        assert len(tx.queue.claim("me", NOW, NOW + 60, 5)) == 1
    clocked.store.close()


def test_a_job_that_takes_its_runner_down_every_time_is_given_up(
    clocked: Clocked, count: Count, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(microsite.jobs.runner, "MOST_ATTEMPTS", 3)
    clocked.ask("a")
    for number in range(3):
        with clocked.store.write() as tx:
            assert tx.queue.claim(f"here:{number}", NOW, NOW + 60, 1)
        with clocked.store.write() as tx:
            tx.queue.release("here")

    clocked.engine.start(count.work)

    def given_up() -> object:
        with clocked.store.read() as tx:
            return clocked.engine.given_up(tx)

    assert wait_until(given_up) == [("plain", "a", "Crashed")]
    assert not count.began
    clocked.engine.stop()
    clocked.store.close()


def test_a_chain_of_steps_takes_one_transaction_a_step_and_one_to_end(clocked: Clocked, count: Count) -> None:
    """Each transaction more is a wait for the disk more, and somebody waits for the outcome."""
    engine = Outbox(clocked.store, clocked.folder / "jobs.lock", lambda: clocked.now, lease=3600)
    written: list[str] = []

    def step(kind: str, then: str) -> None:
        def run(key: str) -> None:
            with clocked.store.write() as tx:
                engine.hand_on(tx, then, key)

        count.do[kind] = run

    step("check", "write")
    step("write", "verify")
    step("verify", "plain")
    engine.start(count.work)
    with clocked.store.write() as tx:
        engine.enqueue(tx, "plain", "warm")
    wait_until(lambda: not left(clocked))
    event.listen(clocked.store.engine, "commit", lambda conn: note(conn, written))

    with clocked.store.write() as tx:
        engine.begin(tx, "check", "a")
    wait_until(lambda: count.ended["plain a"])
    wait_until(lambda: not left(clocked))

    assert len(written) == 5
    engine.stop()
    clocked.store.close()


def note(conn: Connection, written: list[str]) -> None:
    """Count a transaction that may write."""
    if conn.get_execution_options().get("immediate"):
        written.append("commit")


def left(clocked: Clocked) -> int:
    """How many jobs wait or run."""
    with clocked.store.read() as tx:
        return int(tx.queue.counts()[0])


def test_a_job_that_is_held_here_and_was_never_begun_is_begun_after_all(clocked: Clocked, count: Count) -> None:
    """A commit that was reported as failed may have taken place: then nobody was told to begin what it held."""
    engine = Outbox(clocked.store, clocked.folder / "jobs.lock", lambda: clocked.now, lease=3)
    engine.start(count.work)
    with clocked.store.write() as tx:
        engine.enqueue(tx, "held", "mine")
    wait_until(lambda: count.began["held mine"])
    with clocked.store.write() as tx:
        owner = tx.conn.execute(text("SELECT owner FROM job WHERE key = 'mine'")).scalar_one()
        assert tx.queue.take("plain", "lost", owner, NOW, NOW + 3)

    wait_until(lambda: count.ended["plain lost"], 30)

    assert count.began["held mine"] == 1
    count.held.set()
    engine.stop()
    clocked.store.close()


def test_the_lock_file_is_readable_by_its_owner_only(clocked: Clocked, count: Count) -> None:
    clocked.engine.start(count.work)
    clocked.ask("a")
    wait_until(lambda: count.ended["plain a"])

    assert (clocked.folder / "jobs.lock").stat().st_mode & 0o777 == 0o600
    clocked.engine.stop()
    clocked.store.close()
