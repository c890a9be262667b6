"""The loop of the embedded engine: claims what is due, hands it to a few threads, writes down what came of it.

Only this loop's own thread touches the queue. A database that does not answer for a while stops nothing: what could not
be written is written later. Whoever asks for jobs, and the lock that leaves one runner to a machine, are in `outbox`.
"""

import hashlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from contextlib import suppress
from functools import partial
from pathlib import Path
from queue import SimpleQueue
from typing import Any
from typing import Protocol

from microsite.errors import StoreUnreadable

from . import MOST_ATTEMPTS
from . import Every
from . import Outcome
from . import Work
from . import log
from . import outcome

LEASE_SECONDS = 60
LOOK_SECONDS = 1.0
CLOCK_SLACK = 5
"""Seconds by which a clock may be corrected without anything being done about it."""
LAST_TRIES = 5


class QueueStore(Protocol):
    """The part of the store that this engine needs."""

    def read(self) -> AbstractContextManager[Any]:
        """A transaction that only looks."""

    def write(self) -> AbstractContextManager[Any]:
        """A transaction that changes the queue."""


class Runner:
    """Works on jobs until told to stop. `place` is the file whose lock the caller holds."""

    def __init__(
        self,
        store: QueueStore,
        place: Path,
        clock: Callable[[], int],
        woken: threading.Event,
        threads: int,
        lease: int,
    ) -> None:
        self._store, self._file, self._clock, self._woken = store, place, clock, woken
        self._threads, self._lease = threads, lease
        self._place = name_of(place)
        self._owner = f"{self._place}:{os.getpid()}:{secrets.token_hex(4)}"
        self._released = False
        self._running = 0
        self._ended: SimpleQueue[tuple[Any, Future[None]]] = SimpleQueue()
        self._unwritten: list[tuple[Any, Outcome]] = []
        self._seen = 0
        self._renew_at = 0.0

    def run(self, work: Work, stopping: threading.Event) -> None:
        """Work until `stopping`; then wait for the jobs that run and write down what came of them."""
        self._seen = _read_time(self._file)
        due = {every: 0.0 for every in work.every}
        with ThreadPoolExecutor(self._threads, "job") as pool:
            while not stopping.is_set():
                self._woken.clear()
                try:
                    busy = self._turn(work, due, pool)
                except StoreUnreadable:
                    log.warning("the job queue cannot be reached; trying again")
                    stopping.wait(LOOK_SECONDS)
                else:
                    if not busy and not stopping.is_set():
                        self._woken.wait(LOOK_SECONDS)
        self._write_the_last()

    def _turn(self, work: Work, due: dict[Every, float], pool: ThreadPoolExecutor) -> bool:
        self._collect()
        self._release()
        self._watch_clock()
        self._ask_for(due)
        # What follows on a step begins before that one is written down: a booking waits for three such writes less. A
        # job that has ended and is not written down yet is still ours, so nobody takes it meanwhile.
        busy = self._claim(work, pool)
        wrote = self._write_down()
        self._renew()
        return busy or wrote  # what was asked for again while it ran is due now

    def _collect(self) -> None:
        while not self._ended.empty():
            row, future = self._ended.get()
            self._running -= 1
            self._unwritten.append((row, outcome(row.kind, future.exception(), row.attempts)))

    def _write_down(self) -> bool:
        """Write down what came of jobs; False where none has ended."""
        if not self._unwritten:
            return False
        with self._store.write() as tx:
            for row, came in self._unwritten:
                if came.wait is not None:
                    tx.queue.retry(row, self._owner, self._clock() + came.wait, came.trouble, came.attempts)
                elif came.given_up:
                    tx.queue.bury(row, self._owner, came.trouble)
                else:
                    tx.queue.finish(row, self._owner)
        self._unwritten.clear()
        return True

    def _write_the_last(self) -> None:
        for _ in range(LAST_TRIES):
            self._collect()
            try:
                self._write_down()
            except StoreUnreadable:
                threading.Event().wait(LOOK_SECONDS)
            else:
                return

    def _release(self) -> None:
        if not self._released:
            with self._store.write() as tx:
                tx.queue.release(self._place)
            self._released = True

    def _watch_clock(self) -> None:
        now = self._clock()
        if now < self._seen - CLOCK_SLACK:
            with self._store.write() as tx:
                tx.queue.set_clock_back(now, self._seen - now)
            log.warning("the clock was set back", extra={"count": self._seen - now})
        self._seen = now

    def _ask_for(self, due: dict[Every, float]) -> None:
        now = time.monotonic()
        late = [every for every, at in due.items() if at <= now]
        if late:
            with self._store.write() as tx:
                for every in late:
                    tx.queue.put(every.kind, "", self._clock())
            due.update({every: now + every.seconds for every in late})

    def _renew(self) -> None:
        if time.monotonic() < self._renew_at:
            return
        if self._running:
            with self._store.write() as tx:
                tx.queue.renew(self._owner, self._clock() + self._lease)
        # Only a help after a restart: a full disk must not stop the jobs.
        with suppress(OSError):
            self._file.write_text(str(self._clock()), encoding="ascii")
        self._renew_at = time.monotonic() + self._lease / 3

    def _claim(self, work: Work, pool: ThreadPoolExecutor) -> bool:
        """Start what is due; False where there was nothing to start."""
        free, now = self._threads - self._running, self._clock()
        if free <= 0:
            return False
        with self._store.read() as tx:
            if not tx.queue.any_due(self._owner, now):
                return False
        with self._store.write() as tx:
            rows = tx.queue.claim(self._owner, now, now + self._lease, free)
            # Whatever took its runner down with it so often never came to an outcome: it must not do so for ever.
            crashed = [row for row in rows if row.attempts >= MOST_ATTEMPTS]
            for row in crashed:
                tx.queue.bury(row, self._owner, "Crashed")
        for row in rows:
            if row not in crashed:
                self._running += 1
                pool.submit(work.perform, row.kind, row.key).add_done_callback(partial(self._note_end, row))
        return bool(rows)

    def _note_end(self, row: Any, future: "Future[None]") -> None:
        self._ended.put((row, future))
        self._woken.set()


def name_of(place: Path) -> str:
    """How a runner's place is named in leases: the machine, and which of its folders without telling the path."""
    return f"{socket.gethostname()}:{hashlib.sha256(str(place.absolute()).encode()).hexdigest()[:8]}"


def _read_time(path: Path) -> int:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    return int(text) if text.isdecimal() else 0
