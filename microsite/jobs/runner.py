"""The loop of the embedded engine: claims what is due, hands it to a few threads, writes down what came of it.

What somebody waits for is held in the transaction that asks for it, begins when that is committed, and hands on to the
next step in its own last transaction. That saves the loop's transactions, each of which waits for the disk. The rest
begins a moment later: whoever waits has the interpreter first, and what comes in a row is taken and written down
together. A database that does not answer for a while stops nothing: what could not be written is written later.
Whoever asks for jobs, and the lock that leaves one runner to a machine, are in `outbox`.
"""

import hashlib
import os
import secrets
import socket
import threading
import time
from collections.abc import Callable
from collections.abc import Sequence
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
from .held import Begin
from .held import Run
from .held import taken_by

LEASE_SECONDS = 60
LOOK_SECONDS = 1.0
GATHER_SECONDS = 0.02
"""How long the loop waits for more, once it is woken; not while there is more to do than there are threads."""
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
        stopping: threading.Event,
        threads: int,
        lease: int,
    ) -> None:
        self._store, self._file, self._clock, self._woken = store, place, clock, woken
        self._threads, self._lease = threads, lease
        self._place = name_of(place)
        self._owner = f"{self._place}:{os.getpid()}:{secrets.token_hex(4)}"
        self._stopping = stopping
        self._released = False
        self._work = Work({})
        self._pool = ThreadPoolExecutor(threads, "job")
        self._here = threading.local()
        self._guard = threading.Lock()
        self._running = 0
        self._more = False
        self._in_hand: set[Run] = set()
        """What runs, and what has ended and is not written down."""
        self._strays: set[Any] = set()
        self._ended: SimpleQueue[tuple[Run, Future[None]]] = SimpleQueue()
        self._unwritten: list[tuple[Run, Outcome]] = []
        self._seen = 0
        self._renew_at = 0.0

    def run(self, work: Work) -> None:
        """Work until told to stop; then wait for the jobs that run and write down what came of them."""
        self._work, self._seen = work, _read_time(self._file)
        due = {every: 0.0 for every in work.every}
        with self._pool:
            while not self._stopping.is_set():
                self._woken.clear()
                try:
                    busy = self._turn(due)
                except StoreUnreadable:
                    log.warning("the job queue cannot be reached; trying again")
                    self._stopping.wait(LOOK_SECONDS)
                else:
                    if not busy and self._woken.wait(LOOK_SECONDS) and not self._more:
                        self._stopping.wait(GATHER_SECONDS)
        self._write_the_last()

    def take(self, tx: Any, kind: str, key: str) -> bool:
        """Hold a job in the transaction that asks for it now, and begin it once that is committed.

        False where that must be left to the loop: no thread is free, or this runner is not up yet, or about to stop.
        """
        begin = taken_by(tx)
        if not self._takes() or self._free() <= (len(begin.rows) if begin else 0):
            return False
        now = self._clock()
        row = tx.queue.take(kind, key, self._owner, now, now + self._lease)
        if row is not None:  # else somebody is at it, and it runs once more after that
            if begin is None:
                begin = Begin(self.begin)
                tx.after.append(begin)
            begin.rows.append(row)
        return True

    def hand_on(self, tx: Any, kind: str, key: str) -> bool:
        """Within a job: end it in this transaction, hold that other one, and go on with it once this is committed.

        False where the job must end as others do: this is none of ours, or it was asked for again, or we stop.
        """
        run: Run | None = getattr(self._here, "run", None)
        if run is None or not self._takes() or not tx.queue.end(run.row, self._owner):
            return False
        now = self._clock()
        tx.after.append(partial(run.hand_on, tx.queue.take(kind, key, self._owner, now, now + self._lease)))
        return True

    def begin(self, rows: Sequence[Any]) -> None:
        """Work on jobs that are held for that; where it is too late, let them go."""
        late = [row for row in rows if self._stopping.is_set() or not self._start(row)]
        if late:
            with suppress(StoreUnreadable), self._store.write() as tx:
                for row in late:
                    tx.queue.let_go(row, self._owner, self._clock())

    def _takes(self) -> bool:
        return self._released and not self._stopping.is_set()

    def _free(self) -> int:
        return self._threads - self._running

    def _turn(self, due: dict[Every, float]) -> bool:
        self._collect()
        self._release()
        self._watch_clock()
        self._ask_for(due)
        # What follows on a step begins before that one is written down: a booking waits for three such writes less. A
        # job that has ended and is not written down yet is still ours, so nobody takes it meanwhile.
        busy = self._claim()
        wrote = self._write_down()
        self._renew()
        return busy or wrote  # what was asked for again while it ran is due now

    def _collect(self) -> None:
        while not self._ended.empty():
            run, future = self._ended.get()
            self._unwritten.append((run, outcome(run.row.kind, future.exception(), run.row.attempts)))

    def _write_down(self) -> bool:
        """Write down what came of jobs; False where none has ended."""
        if not self._unwritten:
            return False
        with self._store.write() as tx:
            for run, came in self._unwritten:
                row = run.row
                if came.wait is not None:
                    tx.queue.retry(row, self._owner, self._clock() + came.wait, came.trouble, came.attempts)
                elif came.given_up:
                    tx.queue.bury(row, self._owner, came.trouble)
                else:
                    tx.queue.finish(row, self._owner)
        with self._guard:
            self._in_hand.difference_update(run for run, _ in self._unwritten)
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
        with self._store.read() as tx:
            held = tx.queue.held(self._owner)
        with self._guard:
            known = {(run.row.kind, run.row.key) for run in self._in_hand}
        strays = {row for row in held if (row.kind, row.key) not in known}
        # Held by a commit that was reported as failed, so nobody has begun it. Seen twice: it may just be beginning.
        lost = strays & self._strays
        if held:
            with self._store.write() as tx:
                tx.queue.renew(self._owner, self._clock() + self._lease)
                for row in lost:
                    tx.queue.let_go(row, self._owner, self._clock())
        self._strays = strays
        # Only a help after a restart: a full disk must not stop the jobs.
        with suppress(OSError):
            self._file.write_text(str(self._clock()), encoding="ascii")
        self._renew_at = time.monotonic() + self._lease / 3

    def _claim(self) -> bool:
        """Start what is due; False where there was nothing to start."""
        free, now = self._free(), self._clock()
        if free <= 0:
            return False
        with self._store.read() as tx:
            if not tx.queue.any_due(self._owner, now):
                self._more = False
                return False
        with self._store.write() as tx:
            rows = tx.queue.claim(self._owner, now, now + self._lease, free)
            # Whatever took its runner down with it so often never came to an outcome: it must not do so for ever.
            crashed = [row for row in rows if row.attempts >= MOST_ATTEMPTS]
            for row in crashed:
                tx.queue.bury(row, self._owner, "Crashed")
        self._more = len(rows) == free
        self.begin([row for row in rows if row not in crashed])
        return bool(rows)

    def _start(self, row: Any) -> bool:
        """Give a job that we hold to a thread; False where there is none any more."""
        run = Run(row)
        with self._guard:
            self._running += 1
            self._in_hand.add(run)
        try:
            future = self._pool.submit(self._perform, run)
        except RuntimeError:  # the pool was shut down, or the system has no thread left
            self._leave(run)
            return False
        future.add_done_callback(partial(self._note_end, run))
        return True

    def _perform(self, run: Run) -> None:
        self._here.run = run
        try:
            self._work.perform(run.row.kind, run.row.key)
        finally:
            self._here.run = None

    def _note_end(self, run: Run, future: "Future[None]") -> None:
        if not run.over:
            with self._guard:
                self._running -= 1
            self._ended.put((run, future))
            self._woken.set()
            return
        kind, error = run.row.kind, future.exception()
        if error is not None:
            log.error("a job failed after it had handed on", exc_info=error, extra={"kind": kind})
        self._leave(run)
        if run.then is not None:
            self.begin([run.then])
        else:
            self._woken.set()

    def _leave(self, run: Run) -> None:
        with self._guard:
            self._running -= 1
            self._in_hand.discard(run)


def name_of(place: Path) -> str:
    """How a runner's place is named in leases: the machine, and which of its folders without telling the path."""
    return f"{socket.gethostname()}:{hashlib.sha256(str(place.absolute()).encode()).hexdigest()[:8]}"


def _read_time(path: Path) -> int:
    text = path.read_text(encoding="ascii", errors="replace").strip()
    return int(text) if text.isdecimal() else 0
