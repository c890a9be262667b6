"""The engine for several machines: procrastinate, a job queue in the same PostgreSQL database as the bookings.

The library keeps the queue, wakes workers by LISTEN/NOTIFY, keeps two jobs of one name from running at once, and knows
by heartbeats which worker is dead. What this module adds is our contract: asking twice is one job, a failure is asked
for again under the same name, and jobs of the dead are rescued all the time, not only at start.
"""

import asyncio
import threading
import time
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from datetime import UTC
from datetime import datetime
from functools import partial
from typing import Any
from typing import Protocol

import psycopg
from procrastinate import App
from procrastinate import JobContext
from procrastinate import PsycopgConnector
from procrastinate import SyncPsycopgConnector
from procrastinate.exceptions import AlreadyEnqueued
from procrastinate.exceptions import ConnectorException

from microsite.errors import StoreUnreadable

from . import MOST_ATTEMPTS
from . import Counts
from . import Due
from . import Every
from . import GivenUp
from . import Outcome
from . import Work
from . import log
from . import outcome

QUEUE = "jobs"
TASK = "step"
BEAT_SECONDS = 10.0
SILENT_BEATS = 3
LOOK_SECONDS = 1.0
ANSWER_SECONDS = 5


class BrokerStore(Protocol):
    """The part of the store that this engine needs."""

    def read(self) -> AbstractContextManager[Any]:
        """A transaction that only looks."""

    def write(self) -> AbstractContextManager[Any]:
        """A transaction that changes the queue."""


class GaveUp(Exception):
    """Tells the library that a job is to be kept as failed; holds the type of the error, never its words."""


class Procrastinate:
    """The engine. `conninfo` is a libpq address; `beat` is the seconds between two signs of life of a worker, `answer`
    the seconds that the database has to answer in.
    """

    def __init__(
        self,
        store: BrokerStore,
        conninfo: str,
        clock: Callable[[], int],
        threads: int = 4,
        beat: float = BEAT_SECONDS,
        answer: int = ANSWER_SECONDS,
    ) -> None:
        self._store, self._conninfo, self._clock = store, conninfo, clock
        self._threads, self._beat, self._answer = threads, beat, answer
        # Never opened: it only asks for jobs over connections that are handed in.
        self._asking = App(connector=SyncPsycopgConnector())
        self._stopping = threading.Event()
        self._thread: threading.Thread | None = None
        self._loop: asyncio.AbstractEventLoop | None = None
        self._main: asyncio.Task[None] | None = None
        self._ready = threading.Event()
        self.ended: dict[int, float] = {}
        """Jobs that ended well here, and when: the library may not have been able to write that down."""

    def enqueue(self, tx: Any, kind: str, key: str, delay: int = 0) -> None:
        """Ask for a job in the caller's transaction; workers hear of it when it is committed."""
        self.ask(tx, kind, key, self._clock() + delay if delay > 0 else None)

    def begin(self, tx: Any, kind: str, key: str) -> None:
        """As `enqueue`: workers hear of everything at once."""
        self.enqueue(tx, kind, key)

    def hand_on(self, tx: Any, kind: str, key: str) -> None:
        """Ask for that other job; this one's end is the library's to write down."""
        self.enqueue(tx, kind, key)

    def ask(self, tx: Any, kind: str, key: str, at: int | None, attempts: int = 0) -> None:
        """Ask for a job at `at` (None: at once, whatever any clock says) that failed `attempts` times before."""
        name = f"{kind} {key}"
        while not tx.broker.pull_forward(QUEUE, name, at):
            try:
                with tx.conn.begin_nested():
                    self._defer(tx, name, {"kind": kind, "key": key, "attempts": attempts}, at)
            except AlreadyEnqueued:
                continue  # asked for by another transaction since we looked: then that one is pulled forward
            except ConnectorException as error:
                raise StoreUnreadable("the job queue cannot be written") from error
            tx.broker.forget_given_up(name)
            return

    def known(self, tx: Any, kind: str, key: str) -> bool:
        """Whether there is such a job: waiting, running, or given up."""
        return bool(tx.broker.known(f"{kind} {key}"))

    def counts(self, tx: Any) -> Counts:
        """How many jobs there are."""
        return Counts(*tx.broker.counts())

    def due(self, tx: Any) -> Due:
        """What waits though its time has come."""
        return Due(*tx.broker.due())

    def failing(self, tx: Any, kind: str, attempts: int) -> int:
        """How many jobs of a kind failed so often or more."""
        return int(tx.broker.failing(kind, attempts))

    def given_up(self, tx: Any) -> Sequence[GivenUp]:
        """Every job that was given up."""
        return [GivenUp(*row) for row in tx.broker.given_up()]

    def clear(self, tx: Any, keep: Collection[str]) -> None:
        """Forget every job but those of some kinds that wait."""
        tx.broker.clear(keep)

    def start(self, work: Work) -> None:
        """Run jobs in the background until `stop`."""
        self._stopping.clear()
        self._ready.clear()
        self._thread = threading.Thread(target=self._run, args=(work,), name="jobs", daemon=True)
        self._thread.start()
        self._ready.wait()

    def stop(self, patience: float = 10.0) -> None:
        """Take no more jobs and wait for the ones that run."""
        if self._thread is None or self._loop is None or self._main is None:
            return
        if not self._stopping.is_set() and self._thread.is_alive():
            self._stopping.set()
            self._loop.call_soon_threadsafe(self._main.cancel)
        self._thread.join(patience)

    def _defer(self, tx: Any, name: str, values: dict[str, Any], at: int | None) -> None:
        deferrer = self._asking.configure_task(
            TASK,
            queue=QUEUE,
            lock=name,
            queueing_lock=name,
            task_kwargs=values,
            schedule_at=None if at is None else datetime.fromtimestamp(at, UTC),
            connection=tx.conn.connection.driver_connection,
        )
        deferrer.defer()

    def _run(self, work: Work) -> None:
        try:
            with asyncio.Runner() as runner:
                runner.run(self._serve(work))
        except asyncio.CancelledError:
            return
        finally:
            self._ready.set()
            if not self._stopping.is_set():
                log.critical("the job runner has ended; restart the site")

    async def _serve(self, work: Work) -> None:
        self._loop, self._main = asyncio.get_running_loop(), asyncio.current_task()
        self._ready.set()
        with ThreadPoolExecutor(self._threads + 2, "job") as pool:
            while not self._stopping.is_set():
                worker = _Worker(self, work, pool)
                try:
                    await worker.run(self._conninfo, self._threads, self._beat, self._answer)
                except (ConnectorException, psycopg.Error):
                    log.warning("the job queue cannot be reached; trying again")
                await asyncio.sleep(LOOK_SECONDS)


class _Worker:
    """One life of the library's worker: it ends when the connection does, and the engine begins another."""

    def __init__(self, engine: Procrastinate, work: Work, pool: ThreadPoolExecutor) -> None:
        self._engine, self._work, self._pool = engine, work, pool
        self._store, self._clock = engine._store, engine._clock
        self._running: set[int] = set()
        self._id: int | None = None
        self._suspects: frozenset[int] = frozenset()

    async def run(self, conninfo: str, threads: int, beat: float, answer: int) -> None:
        # The pool waits half a minute for a database that is not there: see first, and say so.
        async with await psycopg.AsyncConnection.connect(conninfo, connect_timeout=answer):
            pass
        connector = PsycopgConnector(conninfo=conninfo, min_size=1, max_size=threads, timeout=answer)
        app = App(connector=connector)
        app.task(name=TASK, queue=QUEUE, pass_context=True)(self._step)
        for every in self._work.every:
            _register(app, every)
        async with app.open_async():
            rescuer = asyncio.create_task(self._rescue(beat))
            try:
                await app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=threads,
                    fetch_job_polling_interval=LOOK_SECONDS,
                    delete_jobs="successful",
                    install_signal_handlers=False,
                    update_heartbeat_interval=beat,
                    stalled_worker_timeout=beat * SILENT_BEATS,
                )
            finally:
                rescuer.cancel()
                await asyncio.gather(rescuer, return_exceptions=True)

    async def _step(self, context: JobContext, kind: str, key: str, attempts: int = 0, timestamp: int = 0) -> None:
        job_id = context.job.id or 0
        self._id = context.job.worker_id
        self._running.add(job_id)
        try:
            came = await self._perform(kind, key, attempts)
            if came.wait is not None:
                await self._write(partial(self._ask_again, kind, key, came.wait, came.attempts))
            elif came.given_up and await self._write(lambda tx: tx.broker.give_up(job_id, came.trouble)):
                raise GaveUp(came.trouble)
            self._engine.ended[job_id] = time.monotonic()
        finally:
            self._running.discard(job_id)

    async def _perform(self, kind: str, key: str, attempts: int) -> Outcome:
        if attempts >= MOST_ATTEMPTS:
            # It took its runner down with it every time: it must not do so for ever.
            return Outcome(None, attempts, "Crashed")
        run = asyncio.wrap_future(self._pool.submit(self._work.perform, kind, key))
        await asyncio.wait([run])
        return outcome(kind, run.exception(), attempts)

    def _ask_again(self, kind: str, key: str, wait: int, attempts: int, tx: Any) -> None:
        # As a new job of the same name, not as the library's retry: that one fails for ever on the queueing lock
        # where the job was asked for meanwhile, and leaves the row running with nobody to run it.
        self._engine.ask(tx, kind, key, self._clock() + wait, attempts)

    async def _write(self, change: Callable[[Any], Any]) -> Any:
        while True:
            try:
                return await asyncio.get_running_loop().run_in_executor(self._pool, self._write_now, change)
            except StoreUnreadable:
                log.warning("the job queue cannot be reached; trying again")
                await asyncio.sleep(LOOK_SECONDS)

    def _write_now(self, change: Callable[[Any], Any]) -> Any:
        with self._store.write() as tx:
            return change(tx)

    async def _rescue(self, beat: float) -> None:
        while True:
            await asyncio.sleep(beat)
            await self._write(partial(self._rescue_now, beat))

    def _rescue_now(self, beat: float, tx: Any) -> None:
        """Jobs of dead workers, and our own whose end could not be written down: seen twice, and not running."""
        self._settle_ended(beat, tx)
        if self._id is not None:
            # A machine that slept wakes up with an old sign of life: it would take itself for dead, and run again what
            # it still works on.
            tx.broker.beat(self._id, self._running)
        idle = tx.broker.held(self._id) - self._running if self._id is not None else frozenset()
        tx.broker.prune(beat * SILENT_BEATS)
        ended = frozenset(self._engine.ended)
        number = tx.broker.rescue((idle & self._suspects) - ended, ended)
        self._suspects = idle
        if number:
            log.warning("jobs of a runner that is gone run again", extra={"count": number})

    def _settle_ended(self, beat: float, tx: Any) -> None:
        """What ended long ago, and is still there, is done: the library lost its connection when it was to say so."""
        before = time.monotonic() - beat
        old = [job_id for job_id, at in list(self._engine.ended.items()) if at < before]
        tx.broker.end(old)
        tx.after.append(lambda: [self._engine.ended.pop(job_id, None) for job_id in old])


def _register(app: App, every: Every) -> None:
    """A job that comes round: every runner asks, the database lets one of them."""
    name = f"{every.kind} "
    values: dict[str, Any] = {"kind": every.kind, "key": "", "attempts": 0}
    periodic = app.periodic(
        cron=cron(every.seconds), periodic_id=every.kind, lock=name, queueing_lock=name, task_kwargs=values
    )
    periodic(app.tasks[TASK])


def cron(seconds: int) -> str:
    """The cron line (seconds last) of an interval that divides a minute, an hour or a day evenly."""
    for unit, most, line in ((1, 60, "* * * * * */{}"), (60, 60, "*/{} * * * *"), (3600, 24, "0 */{} * * *")):
        number, rest = divmod(seconds, unit)
        if not rest and 0 < number < most and most % number == 0:
            return line.format(number)
    raise ValueError(f"no cron line for every {seconds} s")
