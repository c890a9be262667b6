"""Working on the queue by hand, one job at a time, at the hour that a test's clock shows; for either engine."""

from typing import Any
from typing import NamedTuple
from typing import Protocol

from sqlalchemy import text

from microsite.jobs.outbox import Outbox
from microsite.services import Services

ME = "test"


class Taken(NamedTuple):
    """A job that was taken; `row` is the engine's own."""

    kind: str
    key: str
    row: Any


class Hands(Protocol):
    """Takes due jobs, and settles them as the engine would."""

    def take(self) -> Taken | None:
        """The next due job."""

    def again(self, job: Taken, seconds: int) -> None:
        """It asked to be run later."""

    def done(self, job: Taken) -> None:
        """It ended well."""


class OutboxHands:
    """The outbox's rows."""

    def __init__(self, services: Services) -> None:
        self._store, self._clock = services.store, services.clock

    def take(self) -> Taken | None:
        """The next due job."""
        with self._store.write() as tx:
            rows = tx.queue.claim(ME, self._clock(), self._clock() + 60, 1)
        return Taken(rows[0].kind, rows[0].key, rows[0]) if rows else None

    def again(self, job: Taken, seconds: int) -> None:
        """It asked to be run later."""
        with self._store.write() as tx:
            tx.queue.retry(job.row, ME, self._clock() + max(seconds, 1), "", job.row.attempts)

    def done(self, job: Taken) -> None:
        """It ended well."""
        with self._store.write() as tx:
            tx.queue.finish(job.row, ME)


class ProcrastinateHands:
    """procrastinate's rows. Its own workers go by the database's clock, which no test can set: hence this."""

    TAKE = """
    UPDATE procrastinate_jobs SET status = 'doing' WHERE id = (
        SELECT id FROM procrastinate_jobs WHERE status = 'todo'
           AND (scheduled_at IS NULL OR scheduled_at <= to_timestamp(:now))
         ORDER BY scheduled_at NULLS FIRST, id LIMIT 1)
    RETURNING id, args"""

    def __init__(self, services: Services) -> None:
        self._store, self._clock, self._jobs = services.store, services.clock, services.jobs

    def take(self) -> Taken | None:
        """The next due job."""
        with self._store.write() as tx:
            found = tx.conn.execute(text(self.TAKE), {"now": self._clock()}).first()
        return Taken(found.args["kind"], found.args["key"], found.id) if found else None

    def again(self, job: Taken, seconds: int) -> None:
        """It asked to be run later."""
        with self._store.write() as tx:
            self._jobs.enqueue(tx, job.kind, job.key, max(seconds, 1))
        self.done(job)

    def done(self, job: Taken) -> None:
        """It ended well."""
        with self._store.write() as tx:
            tx.conn.execute(text("DELETE FROM procrastinate_jobs WHERE id = :id"), {"id": job.row})


def hands_of(services: Services) -> Hands:
    """Hands for the engine of these services."""
    return OutboxHands(services) if isinstance(services.jobs, Outbox) else ProcrastinateHands(services)
