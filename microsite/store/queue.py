"""The rows of the outbox engine: what is due, who works on it, and what came of it.

A job is its kind and its key (always an id, never a person). Putting one that waits already makes it run no later than
either asked for; putting one that is being worked on makes it run again (`ticket` tells the two apart).
"""

from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects import sqlite

from .tables import job


class JobRow(NamedTuple):
    """A claimed job."""

    kind: str
    key: str
    ticket: int
    attempts: int


class Queue:
    """Moves jobs along inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn
        self._insert = sqlite.insert if conn.dialect.name == "sqlite" else postgresql.insert

    def put(self, kind: str, key: str, run_at: int) -> None:
        """Ask for a job at or after `run_at` (UTC seconds)."""
        new = self._insert(job).values(kind=kind, key=key, run_at=run_at)
        earlier = func.min if self._conn.dialect.name == "sqlite" else func.least
        self._conn.execute(
            new.on_conflict_do_update(
                index_elements=[job.c.kind, job.c.key],
                set_={
                    "run_at": earlier(job.c.run_at, new.excluded.run_at),
                    "ticket": job.c.ticket + 1,
                    "attempts": 0,
                    "dead": False,
                },
            )
        )

    def claim(self, owner: str, now: int, lease_until: int, most: int) -> list[JobRow]:
        """Take up to `most` due jobs that nobody holds (or whose holder let the lease run out)."""
        due = (
            select(job.c.kind, job.c.key, job.c.ticket, job.c.attempts)
            .where(job.c.dead.is_(False), job.c.run_at <= now, job.c.leased_until <= now)
            .order_by(job.c.run_at)
            .limit(most)
            .with_for_update(skip_locked=True)
        )
        claimed = [JobRow(*row) for row in self._conn.execute(due)]
        for row in claimed:
            self._conn.execute(
                update(job)
                .where(job.c.kind == row.kind, job.c.key == row.key)
                .values(owner=owner, leased_until=lease_until, attempts=row.attempts + 1)
            )
        return claimed

    def renew(self, owner: str, lease_until: int) -> None:
        """Keep everything this owner holds."""
        self._conn.execute(update(job).where(job.c.owner == owner).values(leased_until=lease_until))

    def finish(self, row: JobRow, owner: str) -> None:
        """Done: the job goes, unless it was asked for again meanwhile."""
        mine = (job.c.kind == row.kind) & (job.c.key == row.key) & (job.c.owner == owner)
        if self._conn.execute(delete(job).where(mine, job.c.ticket == row.ticket)).rowcount == 0:
            self._conn.execute(update(job).where(mine).values(owner="", leased_until=0))

    def retry(self, row: JobRow, owner: str, run_at: int, trouble: str) -> None:
        """Not done: again at `run_at`. `trouble` is the type of an error, never its words."""
        mine = (job.c.kind == row.kind) & (job.c.key == row.key) & (job.c.owner == owner)
        unasked = update(job).where(mine, job.c.ticket == row.ticket)
        if self._conn.execute(unasked.values(owner="", leased_until=0, run_at=run_at, trouble=trouble)).rowcount == 0:
            self._conn.execute(update(job).where(mine).values(owner="", leased_until=0, trouble=trouble))

    def bury(self, row: JobRow, owner: str, trouble: str) -> None:
        """Give up: kept for the operator to see, never run again unless asked for."""
        mine = (job.c.kind == row.kind) & (job.c.key == row.key) & (job.c.owner == owner)
        self._conn.execute(update(job).where(mine).values(owner="", leased_until=0, dead=True, trouble=trouble))

    def release_all(self) -> None:
        """At start, under the runner's file lock: whoever held a lease here is dead."""
        self._conn.execute(update(job).where(job.c.owner != "").values(owner="", leased_until=0))

    def next_due(self) -> int | None:
        """When the next free job is due."""
        due: int | None = self._conn.scalar(
            select(func.min(job.c.run_at)).where(job.c.dead.is_(False), job.c.owner == "")
        )
        return due

    def waiting(self, kind: str, key: str) -> bool:
        """Whether that job is waiting or running."""
        asked = select(job.c.kind).where(job.c.kind == kind, job.c.key == key, job.c.dead.is_(False))
        return self._conn.execute(asked).first() is not None

    def counts(self) -> tuple[int, int]:
        """(jobs that wait or run, jobs given up)."""
        dead = self._conn.scalar(select(func.count()).select_from(job).where(job.c.dead.is_(True))) or 0
        every = self._conn.scalar(select(func.count()).select_from(job)) or 0
        return every - dead, dead
