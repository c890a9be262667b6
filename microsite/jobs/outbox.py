"""The embedded engine: jobs are rows beside the bookings; this asks for them, `runner` works on them.

One runner at a time holds the file lock; a second process waits as a spare. What somebody waits for begins with the
commit that asks for it, a wake-up after commit makes an empty queue answer in some hundredths of a second, and a look
once a second catches what other processes asked for.
"""

import fcntl
import os
import threading
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from . import Counts
from . import Due
from . import GivenUp
from . import Work
from . import log
from .held import is_taken
from .held import taken_by
from .runner import LEASE_SECONDS
from .runner import LOOK_SECONDS
from .runner import QueueStore
from .runner import Runner


class Outbox:
    """The engine. `lock` is the runner's lock file; `clock` answers UTC seconds; `lease` is in seconds."""

    def __init__(
        self,
        store: QueueStore,
        lock: Path,
        clock: Callable[[], int],
        threads: int = 4,
        lease: int = LEASE_SECONDS,
    ) -> None:
        self._store, self._lock, self._clock, self._threads, self._lease = store, lock, clock, threads, lease
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._thread: threading.Thread | None = None
        self._runner: Runner | None = None

    def enqueue(self, tx: Any, kind: str, key: str, delay: int = 0) -> None:
        """Ask for a job in the caller's transaction, and wake the runner once it is committed."""
        if is_taken(tx, kind, key):
            return  # it begins with the commit: no later than that could be asked for
        tx.queue.put(kind, key, self._clock() + max(delay, 0))
        if delay <= 0:
            tx.after.append(self._woken.set)

    def begin(self, tx: Any, kind: str, key: str) -> None:
        """Ask for a job that begins with the commit, where jobs run here and a thread is free; else as `enqueue`."""
        runner = self._runner
        if is_taken(tx, kind, key) or (runner is not None and runner.take(tx, kind, key)):
            return
        self.enqueue(tx, kind, key)

    def hand_on(self, tx: Any, kind: str, key: str) -> None:
        """End the job that calls this and begin that other one, in the caller's transaction and in the same thread."""
        runner = self._runner
        if runner is None or not runner.hand_on(tx, kind, key):
            self.enqueue(tx, kind, key)

    def known(self, tx: Any, kind: str, key: str) -> bool:
        """Whether there is such a job: waiting, running, or given up."""
        return bool(tx.queue.known(kind, key))

    def counts(self, tx: Any) -> Counts:
        """How many jobs there are."""
        return Counts(*tx.queue.counts())

    def due(self, tx: Any) -> Due:
        """What waits though its time has come."""
        return Due(*tx.queue.due(self._clock()))

    def failing(self, tx: Any, kind: str, attempts: int) -> int:
        """How many jobs of a kind failed so often or more."""
        return int(tx.queue.failing(kind, attempts))

    def given_up(self, tx: Any) -> Sequence[GivenUp]:
        """Every job that was given up."""
        return [GivenUp(*row) for row in tx.queue.given_up()]

    def clear(self, tx: Any, keep: Collection[str]) -> None:
        """Forget every job but those of some kinds."""
        tx.queue.clear(keep)
        begin = taken_by(tx)
        if begin is not None:
            begin.rows = [row for row in begin.rows if row.kind in keep]

    def start(self, work: Work) -> None:
        """Run jobs in the background until `stop`."""
        self._stopping.clear()
        self._thread = threading.Thread(target=self._run, args=(work,), name="jobs", daemon=True)
        self._thread.start()

    def stop(self, patience: float = 10.0) -> None:
        """Take no more jobs and wait for the ones that run."""
        self._stopping.set()
        self._woken.set()
        if self._thread is not None:
            self._thread.join(patience)

    def _run(self, work: Work) -> None:
        # Open for as long as jobs run: closing the file would drop the lock.
        descriptor = os.open(self._lock, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            if self._take(descriptor):
                self._runner = Runner(
                    self._store, self._lock, self._clock, self._woken, self._stopping, self._threads, self._lease
                )
                self._runner.run(work)
        finally:
            self._runner = None
            os.close(descriptor)
            if not self._stopping.is_set():
                log.critical("the job runner has ended; restart the site")

    def _take(self, descriptor: int) -> bool:
        while not self._stopping.is_set():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._stopping.wait(LOOK_SECONDS)
            else:
                return True
        return False
