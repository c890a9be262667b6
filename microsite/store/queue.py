"""The rows of the outbox engine: what is due, who works on it, and what came of it.

A job is its kind and its key (always an id, never a person). Putting one that waits already makes it run no later than
either asked for; putting one that is being worked on makes it run again (`ticket` tells the two apart). While a job is
worked on its `run_at` is 0, until somebody asks for it anew: so the time of the next run is the one that was asked for.
"""

from collections.abc import Collection
from functools import lru_cache
from typing import Any
from typing import NamedTuple

from sqlalchemy import BindParameter
from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import case
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from .prepared import Prepared
from .tables import job

LONGEST_LEASE = 600
"""Seconds. A lease that ends later than that was given by a clock that has been set back since: it is void."""

SOON = 3600
"""Seconds: the longest back-off."""


class JobRow(NamedTuple):
    """A claimed job; `attempts` is how often it failed (or took its runner down) before."""

    kind: str
    key: str
    ticket: int
    attempts: int


class Queue:
    """Moves jobs along inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def put(self, kind: str, key: str, run_at: int) -> None:
        """Ask for a job at or after `run_at` (UTC seconds)."""
        _put(self._conn.dialect.name).run(self._conn, kind=kind, key=key, run_at=run_at)

    def take(self, kind: str, key: str, owner: str, now: int, lease_until: int) -> JobRow | None:
        """Ask for a job now and hold it at once; None where somebody holds it, who then runs it once more."""
        asked = {"kind": kind, "key": key, "owner": owner, "now": now, "leased_until": lease_until}
        ((ticket, run_at),) = _take(self._conn.dialect.name).rows(self._conn, **asked)
        return JobRow(kind, key, ticket, 0) if run_at == 0 else None

    def any_due(self, owner: str, now: int) -> bool:
        """Whether `claim` would find something."""
        return bool(_ANY_DUE.rows(self._conn, **_at(owner, now)))

    def claim(self, owner: str, now: int, lease_until: int, most: int) -> list[JobRow]:
        """Take up to `most` due jobs that nobody holds, or whose holder let the lease run out."""
        claimed = [JobRow(*row) for row in _DUE.rows(self._conn, most=most, **_at(owner, now))]
        held = {"owner": owner, "leased_until": lease_until, "run_at": 0}
        for row in claimed:
            _CLAIM.run(self._conn, which=row.kind, of=row.key, attempts=row.attempts + 1, **held)
        return claimed

    def renew(self, owner: str, lease_until: int) -> None:
        """Keep everything this owner holds."""
        self._conn.execute(update(job).where(job.c.owner == owner).values(leased_until=lease_until))

    def end(self, row: JobRow, owner: str) -> bool:
        """Done: the job goes. False where it was asked for again meanwhile: then it stays, held as before."""
        return _FINISH.run(self._conn, which=row.kind, of=row.key, by=owner, number=row.ticket) == 1

    def finish(self, row: JobRow, owner: str) -> None:
        """Done: the job goes, unless it was asked for again meanwhile: then it waits."""
        if not self.end(row, owner):
            self._free(row, owner, trouble="")

    def held(self, owner: str) -> list[JobRow]:
        """The jobs that an owner holds."""
        rows = select(job.c.kind, job.c.key, job.c.ticket, job.c.attempts).where(job.c.owner == owner)
        return [JobRow(*row) for row in self._conn.execute(rows)]

    def let_go(self, row: JobRow, owner: str, now: int) -> None:
        """Held, and not begun: it is due, for whoever comes."""
        due = case((job.c.run_at == 0, now), else_=_earlier(self._conn.dialect.name)(job.c.run_at, now))
        self._free(row, owner, attempts=row.attempts, run_at=due)

    def retry(self, row: JobRow, owner: str, run_at: int, trouble: str, attempts: int) -> None:
        """Not done: again at `run_at`, having failed `attempts` times. `trouble` is the type of an error."""
        again = {"owner": "", "leased_until": 0, "trouble": trouble}
        unasked = update(job).where(_held(row, owner), job.c.ticket == row.ticket)
        if self._conn.execute(unasked.values(**again, run_at=run_at, attempts=attempts)).rowcount == 0:
            self._free(row, owner, trouble=trouble, run_at=_earlier(self._conn.dialect.name)(job.c.run_at, run_at))

    def bury(self, row: JobRow, owner: str, trouble: str) -> None:
        """Give up: kept for the operator to see, not run again unless asked for; one asked for meanwhile runs."""
        unasked = update(job).where(_held(row, owner), job.c.ticket == row.ticket)
        given_up = {"owner": "", "leased_until": 0, "dead": True, "trouble": trouble}
        if self._conn.execute(unasked.values(given_up)).rowcount == 0:
            self._free(row, owner, trouble=trouble)

    def release(self, place: str) -> None:
        """At start, under the runner's file lock: whoever held a lease from this place is dead."""
        theirs = job.c.owner.startswith(f"{place}:", autoescape=True)
        self._conn.execute(update(job).where(theirs).values(owner="", leased_until=0))

    def set_clock_back(self, now: int, seconds: int) -> None:
        """The clock was set back by `seconds`: what was to run soon by the wrong clock runs soon by the right one.

        What is further ahead was most likely asked for while the clock was right, and keeps its hour.
        """
        soon = job.c.run_at.between(now + 1, now + seconds + SOON)
        self._conn.execute(update(job).where(soon).values(run_at=job.c.run_at - seconds))

    def clear(self, keep: Collection[str]) -> int:
        """Forget every job but those of some kinds; answers how many."""
        return self._conn.execute(delete(job).where(job.c.kind.not_in(list(keep)))).rowcount

    def known(self, kind: str, key: str) -> bool:
        """Whether there is such a job: waiting, running, or given up."""
        asked = select(job.c.kind).where(job.c.kind == kind, job.c.key == key)
        return self._conn.execute(asked).first() is not None

    def counts(self) -> tuple[int, int]:
        """(jobs that wait or run, jobs given up)."""
        rows = self._conn.execute(select(job.c.dead, func.count()).group_by(job.c.dead))
        numbers = {bool(dead): int(number) for dead, number in rows}
        return numbers.get(False, 0), numbers.get(True, 0)

    def due(self, now: int) -> tuple[int, int]:
        """(jobs that nobody took though their time has come, since when the oldest of them waits; 0 for none)."""
        # What is worked on has `run_at` 0; so has what a dead runner left, and that is as old as its lease.
        waits = and_(job.c.owner == "", job.c.run_at.between(1, now))
        left = and_(job.c.owner != "", job.c.leased_until.between(1, now - 1))
        since = func.min(case((waits, job.c.run_at), else_=job.c.leased_until))
        asked = select(func.count(), since).where(job.c.dead.is_(False), or_(waits, left))
        number, oldest = self._conn.execute(asked).one()
        return int(number), int(oldest or 0)

    def failing(self, kind: str, attempts: int) -> int:
        """How many jobs of a kind failed so often or more."""
        asked = select(func.count()).where(job.c.kind == kind, job.c.attempts >= attempts)
        return self._conn.scalar(asked) or 0

    def given_up(self) -> list[tuple[str, str, str]]:
        """(kind, key, type of the last error) of the jobs that were given up."""
        dead = select(job.c.kind, job.c.key, job.c.trouble).where(job.c.dead.is_(True)).order_by(job.c.kind, job.c.key)
        return [(kind, key, trouble) for kind, key, trouble in self._conn.execute(dead)]

    def _free(self, row: JobRow, owner: str, **values: Any) -> None:
        self._conn.execute(update(job).where(_held(row, owner)).values(owner="", leased_until=0, **values))


@lru_cache(maxsize=2)
def _put(dialect: str) -> Prepared:
    """Ask for a job, or once more for one that is there. Built once: building it costs more than asking it."""
    new = _insert(dialect)(job)
    first_while_running = and_(job.c.owner != "", job.c.run_at == 0)
    earlier = _earlier(dialect)(job.c.run_at, new.excluded.run_at)
    again = new.on_conflict_do_update(
        index_elements=[job.c.kind, job.c.key],
        set_={
            "run_at": case((or_(first_while_running, job.c.dead.is_(True)), new.excluded.run_at), else_=earlier),
            "ticket": job.c.ticket + 1,
            "attempts": 0,
            "dead": False,
        },
    )
    return Prepared(again, "kind", "key", "run_at")


@lru_cache(maxsize=2)
def _take(dialect: str) -> Prepared:
    """Ask for a job and hold it, unless somebody holds it: a held one runs again, as `_put` says."""
    first: dict[str, Any] = {"run_at": 0, "attempts": 1, "owner": bindparam("owner")}
    new = _insert(dialect)(job).values(
        kind=bindparam("kind"), key=bindparam("key"), leased_until=bindparam("leased_until"), **first
    )
    now: BindParameter[int] = bindparam("now")
    idle = job.c.owner == ""
    again = case((job.c.run_at == 0, now), else_=_earlier(dialect)(job.c.run_at, now))
    taken = new.on_conflict_do_update(
        index_elements=[job.c.kind, job.c.key],
        set_={
            "run_at": case((idle, 0), else_=again),
            "ticket": job.c.ticket + 1,
            "attempts": case((idle, 1), else_=0),
            "dead": False,
            "owner": case((idle, new.excluded.owner), else_=job.c.owner),
            "leased_until": case((idle, new.excluded.leased_until), else_=job.c.leased_until),
        },
    )
    return Prepared(taken.returning(job.c.ticket, job.c.run_at))


def _earlier(dialect: str) -> Any:
    return func.min if dialect == "sqlite" else func.least


def _insert(dialect: str) -> Any:
    """How this database says INSERT … ON CONFLICT. The other one's dialect is not loaded: it costs four megabytes."""
    if dialect == "sqlite":
        from sqlalchemy.dialects.sqlite import insert as on_sqlite

        return on_sqlite
    from sqlalchemy.dialects.postgresql import insert as on_postgresql

    return on_postgresql


def _due() -> ColumnElement[bool]:
    # A job whose own lease ran out is still being worked on here: to take it again would run it twice at once.
    now: BindParameter[int] = bindparam("now")
    longest: BindParameter[int] = bindparam("longest")
    lost = and_(job.c.owner != bindparam("me"), or_(job.c.leased_until <= now, job.c.leased_until > longest))
    return and_(job.c.dead.is_(False), job.c.run_at <= now, or_(job.c.owner == "", lost))


def _at(owner: str, now: int) -> dict[str, Any]:
    """The values of `_due`."""
    return {"me": owner, "now": now, "longest": now + LONGEST_LEASE}


def _held(row: JobRow, owner: str) -> ColumnElement[bool]:
    return and_(job.c.kind == row.kind, job.c.key == row.key, job.c.owner == owner)


# Asked at every step of every booking, so built once: building a statement costs more than asking it.
_ANY_DUE = Prepared(select(job.c.kind).where(_due()).limit(1))
_DUE = Prepared(
    select(job.c.kind, job.c.key, job.c.ticket, job.c.attempts)
    .where(_due())
    .order_by(job.c.run_at)
    .limit(bindparam("most"))
    .with_for_update(skip_locked=True)
)
_THIS = and_(job.c.kind == bindparam("which"), job.c.key == bindparam("of"))
_CLAIM = Prepared(update(job).where(_THIS), "owner", "leased_until", "run_at", "attempts")
_FINISH = Prepared(delete(job).where(_THIS, job.c.owner == bindparam("by"), job.c.ticket == bindparam("number")))
