"""Folds SQLite's write-ahead log back into the database beside whoever writes, not inside a visitor's commit.

SQLite does it by itself in the commit that makes the log long: one booking in fifty then waited for the disk three
times instead of once, and everybody in line behind it with it. Here a thread does it, which holds up neither readers
nor writers; SQLite's own turn comes only where that thread does not keep up, so the log stays bounded.
"""

import sqlite3
import threading
from contextlib import closing
from contextlib import suppress
from pathlib import Path

AFTER = 200
"""Transactions of this process after which the log is folded back: three to four thousand pages of bookings."""
BESIDE = 10
"""How often it is folded back beside the writers, until nobody has written meanwhile: then the log can begin anew
without anything that they would have to wait for. Where they never pause, the next turn will do."""
LONG = 8_000
"""Pages of log (32 MB) at which they have to wait while it is folded back."""
BOUND = 16_000
"""Pages of log at which a commit folds it back after all (64 MB)."""
TRIES = 5
"""How often it is tried to begin a long log anew. Nobody may read from it at that moment, and nobody waits for that."""
PAUSE = 0.01
"""Seconds between two tries."""


class Checkpoints:
    """The thread; it begins when there is first something to do.

    `line` is where this process's writers stand in line, `seconds` how long a lock is waited for.
    """

    def __init__(self, path: Path, line: threading.Lock, seconds: float) -> None:
        self._path, self._line, self._seconds = path, line, seconds
        self._wake, self._stopping = threading.Event(), False
        self._thread: threading.Thread | None = None
        self._guard, self._written = threading.Lock(), 0
        # SQLite turns the second of two away at once: then what a purge deleted would stay readable in the log.
        self._alone = threading.Lock()

    def note(self) -> None:
        """A transaction was committed."""
        self._written += 1  # that two threads count one is no harm
        if self._written < AFTER:
            return
        self._written = 0
        with self._guard:
            if self._thread is None and not self._stopping:
                self._thread = threading.Thread(target=self._run, name="checkpoints", daemon=True)
                self._thread.start()
        self._wake.set()

    def close(self) -> None:
        """End the thread; what it is at, it ends first."""
        self._stopping = True
        self._wake.set()
        with self._guard:
            thread = self._thread
        if thread is not None:
            thread.join(self._seconds)

    def truncate(self) -> None:
        """Fold all of the log back and empty it."""
        with self._alone, closing(self._connect(self._seconds)) as conn:
            conn.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def _run(self) -> None:
        while self._wake.wait() and not self._stopping:
            self._wake.clear()
            with suppress(sqlite3.Error):  # a disk that is full or gone is told to whoever writes next
                self._fold()

    def _fold(self) -> None:
        with self._alone, closing(self._connect(0)) as conn:
            for _ in range(BESIDE):
                known = self._written
                _, pages, _ = conn.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()
                with self._line:
                    # Folding what was written meanwhile would be two waits for the disk, here for all in line.
                    if self._written == known and _begun_anew(conn):
                        return
            for _ in range(TRIES if pages >= LONG else 0):
                with self._line:
                    if _begun_anew(conn):
                        return
                self._wake.wait(PAUSE)

    def _connect(self, seconds: float) -> sqlite3.Connection:
        address = f"{self._path.absolute().as_uri()}?mode=rw"
        return sqlite3.connect(address, seconds, isolation_level=None, uri=True)


def _begun_anew(conn: sqlite3.Connection) -> bool:
    """Fold back what is left, which is on the disk before this answers; False where somebody reads from the log."""
    busy: int = conn.execute("PRAGMA wal_checkpoint(RESTART)").fetchone()[0]
    return not busy
