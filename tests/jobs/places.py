"""Where an engine can stand: outbox or procrastinate, SQLite or PostgreSQL. All of one `Place` share its database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from typing import NamedTuple

import psycopg
from sqlalchemy import text

from microsite.errors import StoreUnreadable
from microsite.jobs import Engine
from microsite.jobs.outbox import Outbox
from microsite.store import Store


class Pace(NamedTuple):
    """Seconds. A worker without a beat for three, or a lease that ran out, counts as dead."""

    beat: float
    lease: int


QUICK = Pace(1.0, 4)
"""Where runners are killed: those who stand still for longer than that are taken for dead, as they may be."""
CALM = Pace(5.0, 15)
"""Where nobody is killed: no machine stands still for so long that a living one is taken for dead."""
ON_SQLITE = ("outbox on SQLite",)
ON_POSTGRES = ("outbox on PostgreSQL", "procrastinate on PostgreSQL")


def clock() -> int:
    """The real one: runners of other processes go by it too."""
    return int(time.time())


class Breakable(Store):
    """A store that can be made to answer nothing, as one on a full or vanished disk."""

    broken = False

    @contextmanager
    def read(self) -> Iterator[Any]:
        """As Store, unless broken."""
        self._check()
        with super().read() as tx:
            yield tx

    @contextmanager
    def write(self) -> Iterator[Any]:
        """As Store, unless broken."""
        self._check()
        with super().write() as tx:
            yield tx

    def _check(self) -> None:
        if self.broken:
            raise StoreUnreadable("the disk is gone")


class Place:
    """A database and the engines on it. `folder` is one machine's folder: its runners share a lock.

    `answer` is the seconds within which the database has to answer an engine in this process.
    """

    pace, answer = QUICK, 5

    def __init__(self, name: str, url: str, folder: Path) -> None:
        self.name, self.url, self.folder = name, url, folder
        self.store = Breakable(url.replace("postgresql:", "postgresql+psycopg:"))
        self.store.upgrade()
        self.engines: list[Engine] = []

    @property
    def outbox(self) -> bool:
        """Whether its engine is the outbox."""
        return self.name.startswith("outbox")

    def engine(self, folder: Path | None = None) -> Engine:
        """An engine in this process, stopped with the test."""
        new = engine_of(self.name, self.store, self.url, folder or self.folder, self.pace, self.answer)
        self.engines.append(new)
        return new

    def ask(self, engine: Engine, kind: str, key: str = "", delay: int = 0) -> None:
        """Ask for a job in a transaction of its own."""
        with self.store.write() as tx:
            engine.enqueue(tx, kind, key, delay)

    def left(self) -> tuple[int, int]:
        """(waiting or running, given up)."""
        engine = self.engines[0]
        with self.store.read() as tx:
            return tuple(engine.counts(tx))

    def rows(self) -> list[dict[str, Any]]:
        """What the queue keeps, as the database shows it."""
        table = "job" if self.outbox else "procrastinate_jobs"
        with self.store.read() as tx:
            return [dict(row) for row in tx.conn.execute(text(f"SELECT * FROM {table}")).mappings()]

    def oversleep(self) -> None:
        """As if every runner had given no sign of life for an hour: what is seen of one that slept with its machine."""
        late = (
            "UPDATE job SET leased_until = leased_until - 3600 WHERE owner <> ''"
            if self.outbox
            else "UPDATE procrastinate_workers SET last_heartbeat = last_heartbeat - interval '1 hour'"
        )
        with self.store.write() as tx:
            tx.conn.execute(text(late))

    def sign_of_life(self, kind: str) -> float:
        """The last one of whoever runs the one job of a kind: until when it is leased, or its worker's last beat."""
        last = (
            "SELECT leased_until FROM job WHERE kind = :kind AND owner <> ''"
            if self.outbox
            else "SELECT extract(epoch FROM last_heartbeat) FROM procrastinate_workers worker"
            " JOIN procrastinate_jobs ON worker_id = worker.id WHERE status = 'doing' AND args->>'kind' = :kind"
        )
        with self.store.read() as tx:
            return float(tx.conn.execute(text(last), {"kind": kind}).scalars().one())

    @contextmanager
    def outage(self) -> Iterator[None]:
        """The database does not answer, and whoever was connected is thrown out."""
        if self.store.sqlite:
            self.store.broken = True
            yield
            self.store.broken = False
            return
        name = self.url.rsplit("/", 1)[1]
        with psycopg.connect(self.url.replace(name, "postgres"), autocommit=True) as conn:
            conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false".encode())
            conn.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name])
            yield
            conn.execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true".encode())

    def close(self) -> None:
        """Stop what was started."""
        self.store.broken = False
        for engine in self.engines:
            engine.stop()
        self.store.close()


def engine_of(name: str, store: Store, url: str, folder: Path, pace: Pace, answer: int = 5) -> Engine:
    """A new engine, quicker to notice the dead than in real life."""
    if name.startswith("outbox"):
        return Outbox(store, folder / "jobs.lock", clock, lease=pace.lease)
    from microsite.jobs.procrastinate import Procrastinate

    return Procrastinate(store, url, clock, beat=pace.beat, answer=answer)
