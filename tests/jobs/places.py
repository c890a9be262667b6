"""Where an engine can stand: outbox or procrastinate, SQLite or PostgreSQL. All of one `Place` share its database."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import text

from microsite.errors import StoreUnreadable
from microsite.jobs import Engine
from microsite.jobs.outbox import Outbox
from microsite.store import Store

ANSWER = 1
BEAT = 1.0
LEASE = 4
"""Seconds. A worker without a beat for three, or a lease that ran out, counts as dead."""
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
    """A database and the engines on it. `folder` is one machine's folder: its runners share a lock."""

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
        new = engine_of(self.name, self.store, self.url, folder or self.folder)
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


def engine_of(name: str, store: Store, url: str, folder: Path) -> Engine:
    """A new engine, quicker to notice the dead than in real life."""
    if name.startswith("outbox"):
        return Outbox(store, folder / "jobs.lock", clock, lease=LEASE)
    from microsite.jobs.procrastinate import Procrastinate

    return Procrastinate(store, url, clock, beat=BEAT, answer=ANSWER)
