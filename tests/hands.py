"""Working on the queue by hand, one job at a time, at the hour that a test's clock shows; for either engine."""

from abc import ABC
from abc import abstractmethod
from typing import Any
from typing import NamedTuple

from sqlalchemy import text

from microsite.jobs import Outcome
from microsite.jobs.outbox import Outbox
from microsite.services import Services

PLACE = "test"
LEASE = 60
"""Seconds after which the jobs of a runner that gives no sign of life are anybody's."""


class Taken(NamedTuple):
    """A job that was taken; `row` is the engine's own, `attempts` how often it failed before."""

    kind: str
    key: str
    row: Any
    attempts: int = 0


class Hands(ABC):
    """Takes due jobs, and settles them as the engine would."""

    def __init__(self, services: Services) -> None:
        self.services = services

    def take(self) -> Taken | None:
        """The next due job."""
        found = self.take_some(1)
        return found[0] if found else None

    def again(self, job: Taken, seconds: int) -> None:
        """It asked to be run later."""
        self.settle(job, Outcome(max(seconds, 1), job.attempts))

    def done(self, job: Taken) -> None:
        """It ended well."""
        self.settle(job, Outcome(None, 0))

    @abstractmethod
    def take_some(self, most: int) -> list[Taken]:
        """The next due jobs."""

    @abstractmethod
    def settle(self, job: Taken, came: Outcome) -> None:
        """What came of it."""

    @abstractmethod
    def begin_anew(self, services: Services, clean: bool) -> None:
        """Another runner in place of this one. Unless `clean`, what this one held waits until it counts as dead."""

    @abstractmethod
    def release(self) -> None:
        """Whatever is held is held by the dead."""

    @abstractmethod
    def set_clock_back(self, seconds: int) -> None:
        """The clock was set back by so much, and the runner sees it."""

    @abstractmethod
    def forget_all(self) -> None:
        """Lose every job."""

    @abstractmethod
    def waiting(self) -> list[str]:
        """What waits or runs, for a failing test to show: each begins with the kind in quotes."""


class OutboxHands(Hands):
    """The outbox's rows."""

    number = 1

    @property
    def me(self) -> str:
        """Who holds."""
        return f"{PLACE}:{self.number}"

    def take_some(self, most: int) -> list[Taken]:
        """The next due jobs."""
        now = self.services.clock()
        with self.services.store.write() as tx:
            rows = tx.queue.claim(self.me, now, now + LEASE, most)
        return [Taken(row.kind, row.key, row, row.attempts) for row in rows]

    def settle(self, job: Taken, came: Outcome) -> None:
        """What came of it."""
        with self.services.store.write() as tx:
            if came.wait is None:
                tx.queue.finish(job.row, self.me)
            else:
                at = self.services.clock() + came.wait
                tx.queue.retry(job.row, self.me, at, came.trouble, came.attempts)

    def begin_anew(self, services: Services, clean: bool) -> None:
        """Another runner in place of this one."""
        self.services = services
        if clean:
            self.release()
        else:
            self.number += 1

    def release(self) -> None:
        """Whatever is held is held by the dead."""
        with self.services.store.write() as tx:
            tx.queue.release(PLACE)

    def set_clock_back(self, seconds: int) -> None:
        """The clock was set back by so much, and the runner sees it."""
        with self.services.store.write() as tx:
            tx.queue.set_clock_back(self.services.clock(), seconds)

    def forget_all(self) -> None:
        """Lose every job."""
        with self.services.store.write() as tx:
            tx.conn.execute(text("DELETE FROM job"))

    def waiting(self) -> list[str]:
        """What waits or runs."""
        rows = text("SELECT kind, key, run_at, owner, attempts, trouble FROM job ORDER BY run_at")
        with self.services.store.read() as tx:
            return [str(tuple(row)) for row in tx.conn.execute(rows)]


class ProcrastinateHands(Hands):
    """procrastinate's rows. Its own workers go by the database's clock, which no test can set: hence this."""

    WORKER = "INSERT INTO procrastinate_workers (last_heartbeat) VALUES (now()) RETURNING id"
    TAKE = """
    UPDATE procrastinate_jobs SET status = 'doing', worker_id = :worker WHERE id = (
        SELECT id FROM procrastinate_jobs asked WHERE status = 'todo'
           AND (scheduled_at IS NULL OR scheduled_at <= to_timestamp(:now))
           AND NOT EXISTS (SELECT 1 FROM procrastinate_jobs held WHERE held.status = 'doing' AND held.lock = asked.lock)
         ORDER BY scheduled_at NULLS FIRST, id LIMIT 1)
    RETURNING id, args"""

    def __init__(self, services: Services) -> None:
        super().__init__(services)
        self._worker: int | None = None
        self._dead_since: dict[int, int] = {}
        with services.store.read() as tx:
            for (worker,) in tx.conn.execute(text("SELECT id FROM procrastinate_workers")):
                self._dead_since[worker] = 0  # of a process before this one

    def take_some(self, most: int) -> list[Taken]:
        """The next due jobs."""
        self._rescue()
        found = []
        with self.services.store.write() as tx:
            if self._worker is None:
                self._worker = tx.conn.scalar(text(self.WORKER))
            values = {"now": self.services.clock(), "worker": self._worker}
            while len(found) < most and (row := tx.conn.execute(text(self.TAKE), values).first()):
                found.append(Taken(row.args["kind"], row.args["key"], row.id, row.args.get("attempts", 0)))
        return found

    def settle(self, job: Taken, came: Outcome) -> None:
        """What came of it."""
        with self.services.store.write() as tx:
            if came.wait is not None:
                at = self.services.clock() + came.wait
                self.services.jobs.ask(tx, job.kind, job.key, at, came.attempts)  # type: ignore[attr-defined]
            tx.conn.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job.row})

    def begin_anew(self, services: Services, clean: bool) -> None:
        """Another runner in place of this one."""
        self.services = services
        if self._worker is not None:
            self._dead_since[self._worker] = 0 if clean else services.clock()
        self._worker = None

    def release(self) -> None:
        """Whatever is held is held by the dead."""
        with self.services.store.write() as tx:
            tx.conn.execute(text("DELETE FROM procrastinate_workers"))
            tx.broker.rescue(frozenset())
        self._worker = None

    def _rescue(self) -> None:
        gone = [worker for worker, since in self._dead_since.items() if since + LEASE <= self.services.clock()]
        if gone:
            with self.services.store.write() as tx:
                for worker in gone:
                    tx.conn.execute(text("DELETE FROM procrastinate_workers WHERE id = :id"), {"id": worker})
                    del self._dead_since[worker]
                tx.broker.rescue(frozenset())

    def set_clock_back(self, seconds: int) -> None:
        """Its runners go by the database's clock."""

    def forget_all(self) -> None:
        """Lose every job."""
        with self.services.store.write() as tx:
            tx.conn.execute(text("DELETE FROM procrastinate_jobs"))

    def waiting(self) -> list[str]:
        """What waits or runs."""
        rows = text("SELECT args, status, scheduled_at FROM procrastinate_jobs ORDER BY id")
        with self.services.store.read() as tx:
            found = [(row.args["kind"], row.args["key"], row.status, row.scheduled_at) for row in tx.conn.execute(rows)]
        return [str(row) for row in found]


def hands_of(services: Services) -> Hands:
    """Hands for the engine of these services."""
    return OutboxHands(services) if isinstance(services.jobs, Outbox) else ProcrastinateHands(services)
