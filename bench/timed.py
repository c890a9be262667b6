"""What a change of the store costs: its time, its processor time, and the pages that SQLite writes for it."""

import sqlite3
import time
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from typing import Any

from microsite.store import Store


class TimedStore:
    """A store that notes how long each of its changes took (seconds, every wait included) and worked (CPU)."""

    def __init__(self, store: Any) -> None:
        self._store = store
        self.took: list[float] = []
        self.worked: list[float] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._store, name)

    def forget(self) -> None:
        """Begin anew."""
        self.took.clear()
        self.worked.clear()

    @contextmanager
    def change(self, coach: str) -> Iterator[Any]:
        """As the store's own."""
        began, idle = time.perf_counter(), time.thread_time()
        with self._store.change(coach) as tx:
            yield tx
        self.took.append(time.perf_counter() - began)
        self.worked.append(time.thread_time() - idle)


def log_pages(store: Store, bookings: Iterable[bool]) -> list[int]:
    """Pages that each booking writes into the log, which it waits for. `bookings` makes one for each True it yields."""
    written, folded = [], "PRAGMA wal_checkpoint(PASSIVE)"
    with closing(sqlite3.connect(str(store.file))) as beside:
        beside.execute(folded)
        for booked in bookings:
            # What is folded back is begun anew by who writes next: so the log holds what she wrote, and nothing else.
            _, pages, _ = beside.execute(folded).fetchone()
            if booked and pages > 0:  # none where somebody else was just folding it
                written.append(pages)
    return written
