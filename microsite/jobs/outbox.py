"""The embedded engine: jobs are rows beside the bookings, leased to one runner, worked on by a few threads.

One runner at a time holds the file lock; a second process waits as a spare. A wake-up after commit makes an empty
queue answer in milliseconds, and a look once a second catches what other processes asked for.
"""

import fcntl
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from functools import partial
from pathlib import Path
from typing import Any
from typing import Protocol

from microsite.errors import TryAgain

from . import MOST_ATTEMPTS
from . import Every
from . import Work
from . import back_off

LEASE_SECONDS = 60
LOOK_SECONDS = 1.0
log = logging.getLogger("microsite.jobs")


class QueueStore(Protocol):
    """The part of the store that this engine needs."""

    def read(self) -> AbstractContextManager[Any]:
        """A transaction that only looks."""

    def write(self) -> AbstractContextManager[Any]:
        """A transaction that changes the queue."""


class Outbox:
    """The engine. `lock` is the runner's lock file; `clock` answers UTC seconds."""

    def __init__(self, store: QueueStore, lock: Path, clock: Callable[[], int], threads: int = 4) -> None:
        self._store, self._lock_path, self._clock, self._threads = store, lock, clock, threads
        self._owner = f"{socket.gethostname()}:{os.getpid()}"
        self._woken, self._stopping = threading.Event(), threading.Event()
        self._running: set[Future[None]] = set()
        self._guard = threading.Lock()
        self._thread: threading.Thread | None = None

    def enqueue(self, tx: Any, kind: str, key: str, delay: int = 0) -> None:
        """Ask for a job in the caller's transaction, and wake the runner once it is committed."""
        tx.queue.put(kind, key, self._clock() + delay)
        if not delay:
            tx.after.append(self._woken.set)

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
        # Opened for as long as the process lives: closing the file would drop the lock.
        with self._lock_path.open("w") as lock:
            if not self._take(lock.fileno()):
                return
            with self._store.write() as tx:
                tx.queue.release_all()
            with ThreadPoolExecutor(self._threads, "job") as pool:
                self._loop(work, pool)

    def _take(self, descriptor: int) -> bool:
        while not self._stopping.is_set():
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                self._stopping.wait(LOOK_SECONDS)
            else:
                return True
        return False

    def _loop(self, work: Work, pool: ThreadPoolExecutor) -> None:
        due = {every: 0.0 for every in work.every}
        renewed = time.monotonic()
        while not self._stopping.is_set():
            self._woken.clear()
            self._ask_for(due)
            if time.monotonic() - renewed > LEASE_SECONDS / 3:
                renewed = time.monotonic()
                self._renew()
            if not self._claim(work, pool):
                self._woken.wait(LOOK_SECONDS)

    def _ask_for(self, due: dict[Every, float]) -> None:
        now = time.monotonic()
        late = [every for every, at in due.items() if at <= now]
        if late:
            with self._store.write() as tx:
                for every in late:
                    tx.queue.put(every.kind, "", self._clock())
                    due[every] = now + every.seconds

    def _renew(self) -> None:
        if self._running:
            with self._store.write() as tx:
                tx.queue.renew(self._owner, self._clock() + LEASE_SECONDS)

    def _claim(self, work: Work, pool: ThreadPoolExecutor) -> bool:
        """Start what is due; False where there was nothing to start."""
        free = self._threads - len(self._running)
        now = self._clock()
        with self._store.read() as tx:
            at = tx.queue.next_due()
        if free <= 0 or at is None or at > now:
            return False
        with self._store.write() as tx:
            rows = tx.queue.claim(self._owner, now, now + LEASE_SECONDS, free)
        for row in rows:
            future = pool.submit(work.handlers[row.kind], row.key)
            with self._guard:
                self._running.add(future)
            future.add_done_callback(partial(self._settle, row))
        return bool(rows)

    def _settle(self, row: Any, future: "Future[None]") -> None:
        error = future.exception()
        with self._store.write() as tx:
            if error is None:
                tx.queue.finish(row, self._owner)
            elif isinstance(error, TryAgain):
                tx.queue.retry(row, self._owner, self._clock() + error.seconds, "")
            elif row.attempts + 1 >= MOST_ATTEMPTS:
                tx.queue.bury(row, self._owner, type(error).__name__)
            else:
                wait = back_off(row.attempts + 1)
                tx.queue.retry(row, self._owner, self._clock() + wait, type(error).__name__)
        if error is not None and not isinstance(error, TryAgain):
            log.error("a job failed and will be tried again", exc_info=error, extra={"kind": row.kind})
        with self._guard:
            self._running.discard(future)
        self._woken.set()
