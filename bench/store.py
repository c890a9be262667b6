"""Booking commits: a hundred a second on SQLite, 32 clients at once on PostgreSQL, and reading a large calendar.

The booking is the real one (`work.book.book`): lock, look again, seal, insert, ask for the job. On SQLite visitors come
at a given rate whether the last ones were served or not, and the time of a booking counts from the moment she came.
"""

import json
import queue
import random
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from functools import partial
from typing import NamedTuple
from typing import cast

from sqlalchemy.exc import SQLAlchemyError

from microsite.config import Config
from microsite.config import load_config
from microsite.core.mirror import Reading
from microsite.errors import MicrositeError
from microsite.process import share_turns
from microsite.services import Services
from microsite.store import Store
from microsite.work import setup
from tests.postgres import TEMPLATE
from tests.postgres import running_server

from . import practice
from .calibration import fsync_seconds
from .calibration import loop
from .figures import Figure
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .figures import percentile
from .figures import single
from .machine import ROOT
from .rounds import least_cpu
from .slots import case
from .timed import TimedStore
from .timed import log_pages

DURABLE = ("fsync=on", "synchronous_commit=on", "full_page_writes=on", "autovacuum=on")
"""PostgreSQL as it comes, every commit on the disk; the tests' own server is quicker and forgets."""
THREADS = 4
"""As many as a web process has."""
PER_SECOND = 100
CLIENTS, PROCESSES = 32, 4
COACHES = 60
PATIENCE = 300.0


class Wish(NamedTuple):
    """Who wants which time, and when she presses the button (seconds from the beginning)."""

    at: float
    coach: str
    start: int


class Served(NamedTuple):
    """What came of a wish: seconds it took; `booked` is False for a time that somebody else was given."""

    took: float
    booked: bool
    error: str = ""


def measure(size: Size) -> Outcome:
    """The part."""
    with practice.practice(size.of(10, COACHES, COACHES)) as config:
        figures, remarks = on_sqlite(config, size)
    with running_server(*DURABLE) as server:
        server.sql(f"CREATE DATABASE {TEMPLATE}")
        database = server.url(TEMPLATE).replace("postgresql:", "postgresql+psycopg:")
        with practice.practice(size.of(10, COACHES, COACHES), database) as config:
            more, said = on_postgres(config, size)
    return Outcome([*figures, *more], [*remarks, *said])


def on_sqlite(config: Config, size: Size) -> tuple[list[Figure], list[str]]:
    """Bookings at a rate, in turn with the probe of the disk; and a calendar with ten thousand busy events."""
    share_turns()  # as every process of the site does
    services = practice.opened(config)
    store = TimedStore(services.store)
    coaches = size.of(10, COACHES, COACHES)
    try:
        services = replace(services, store=cast(Store, store))
        one_of_many(services)
        store.forget()
        syncs: list[float] = []
        served: list[Served] = []
        for turn in range(size.rounds):
            syncs += fsync_seconds(size.of(20, 150, 300), config.instance)
            served += at_a_rate(services, wishes(services, coaches, size.seconds * 2, seed=turn))
        syncs += fsync_seconds(size.of(20, 150, 300), config.instance)
        figures = _booked("sqlite", services, coaches, served, before=1)
        if len(store.took) != sum(each.booked for each in served):
            raise WrongAnswer("other changes than bookings were timed")
        work = percentile(store.worked, 0.5) / least_cpu(loop, 7)
        pages, busy = _log_pages(services, coaches), busy_load(services)
    finally:
        services.close()
    disk = percentile(syncs, 0.99)
    commits, bookings = percentile(store.took, 0.99), percentile([each.took for each in served], 0.99)
    figures += [
        busy,
        single("store.sqlite_commit_cpu_to_loop", work, "x", "cpu"),
        single("store.sqlite_log_pages", pages, "", "count"),
        single("store.sqlite_fsync_p99", disk * 1e3, "ms", "wall"),
        single("store.sqlite_commit_p50", percentile(store.took, 0.5) * 1e3, "ms", "wall"),
        single("store.sqlite_commit_p99", commits * 1e3, "ms", "wall"),
        single("store.sqlite_commit_p99_to_fsync_p99", commits / disk, "x", "wall"),
        single("store.sqlite_booking_p99_to_fsync_p99", bookings / disk, "x", "wall"),
    ]
    return figures, [f"SQLite: {len(served)} wishes at {PER_SECOND} a second, {THREADS} threads"]


def on_postgres(config: Config, size: Size) -> tuple[list[Figure], list[str]]:
    """32 clients in four processes, each of which books again as soon as it was served."""
    services = practice.opened(config)
    coaches = size.of(10, COACHES, COACHES)
    try:
        one_of_many(services)
        served = closed_loop(config, coaches, size.seconds * 5)
        figures = _booked("postgres", services, coaches, served, before=1)
    finally:
        services.close()
    took = [each.took for each in served]
    p50, p99 = percentile(took, 0.5), percentile(took, 0.99)
    figures += [
        single("store.postgres_booking_p50", p50 * 1e3, "ms", "wall"),
        single("store.postgres_booking_p99", p99 * 1e3, "ms", "wall"),
        single("store.postgres_p99_to_p50", p99 / p50, "x", "wall"),
    ]
    return figures, [f"PostgreSQL: {len(served)} wishes by {CLIENTS} clients"]


def _log_pages(services: Services, coaches: int) -> float:
    def book_some() -> Iterator[bool]:
        for wish in wishes(services, coaches, 0.5, seed=99):
            yield practice.book_once(services, wish.coach, wish.start)

    # Most bookings also fill a page or two of an index, which is then written as two: by chance, so it is left out.
    return percentile(log_pages(services.store, book_some()), 0.1)


def _booked(name: str, services: Services, coaches: int, served: Sequence[Served], before: int) -> list[Figure]:
    """What must be right, counted in the database itself; `before` bookings were there already."""
    booked = sum(each.booked for each in served)
    live, jobs = practice.counts(services, coaches)
    errors = [each.error for each in served if each.error]
    return [
        single(f"store.{name}_errors", len(errors), "", "count"),
        single(f"store.{name}_duplicates", practice.doubles(services, coaches), "", "count"),
        single(f"store.{name}_lost", abs(live - booked - before) + abs(jobs - live), "", "count"),
        single(f"store.{name}_booked", booked, "", "count"),
    ]


def one_of_many(services: Services) -> None:
    """Of 32 visitors who want the same time exactly one gets it. Raises WrongAnswer."""
    start = practice.starts(services, practice.slug(0))[0]
    gate = threading.Barrier(CLIENTS)

    def wish(_: int) -> bool:
        gate.wait(PATIENCE)
        return practice.book_once(services, practice.slug(0), start)

    with ThreadPoolExecutor(CLIENTS) as pool:
        won = sum(pool.map(wish, range(CLIENTS)))
    if won != 1:
        raise WrongAnswer(f"{won} of {CLIENTS} visitors were given the same time")


def wishes(services: Services, coaches: int, seconds: float, seed: int) -> list[Wish]:
    """Visitors who come by chance, a hundred a second; a few of them want what another one just took."""
    dice = random.Random(seed)
    free = {practice.slug(number): practice.starts(services, practice.slug(number)) for number in range(coaches)}
    found: list[Wish] = []
    at = 0.0
    while (at := at + dice.expovariate(PER_SECOND)) < seconds:
        coach = dice.choice(list(free))
        found.append(Wish(at, coach, dice.choice(free[coach])))
    return found


def at_a_rate(services: Services, wanted: Sequence[Wish]) -> list[Served]:
    """Serve each wish when it comes, on as many threads as a web process has; its time counts from when it came."""
    waiting: queue.SimpleQueue[Wish | None] = queue.SimpleQueue()
    served: list[Served] = []
    began = time.perf_counter()

    def serve() -> None:
        while (wish := waiting.get()) is not None:
            served.append(_serve(services, wish, began + wish.at))

    threads = [threading.Thread(target=serve) for _ in range(THREADS)]
    for thread in threads:
        thread.start()
    for wish in wanted:
        threading.Event().wait(max(0.0, began + wish.at - time.perf_counter()))
        waiting.put(wish)
    for _ in threads:
        waiting.put(None)
    for thread in threads:
        thread.join(PATIENCE)
    return served


def closed_loop(config: Config, coaches: int, seconds: float) -> list[Served]:
    """All clients, until the time is over."""
    words = [sys.executable, "-m", "bench.store", str(config.instance), config.database_url, str(coaches), str(seconds)]
    running = [
        subprocess.Popen([*words, str(seed)], cwd=ROOT, stdout=subprocess.PIPE, text=True) for seed in range(PROCESSES)
    ]
    said = [process.communicate(timeout=PATIENCE)[0] for process in running]
    if any(process.returncode for process in running):
        raise RuntimeError("a process of clients ended with an error")
    return [Served(*each) for text in said for each in json.loads(text)]


def clients(instance: str, database: str, coaches: str, seconds: str, seed: str) -> None:
    """One process of clients; prints what each of their wishes came to."""
    share_turns()
    services = practice.opened(load_config({"MICROSITE_INSTANCE": instance, "MICROSITE_DATABASE_URL": database}))
    waiting = iter(wishes(services, int(coaches), float(seconds) * 5, int(seed) + 100))
    guard = threading.Lock()
    until = time.perf_counter() + float(seconds)

    def client(_: int) -> list[Served]:
        found = []
        while time.perf_counter() < until:
            with guard:
                wish = next(waiting, None)
            if wish is None:
                break
            found.append(_serve(services, wish, time.perf_counter()))
        return found

    with ThreadPoolExecutor(CLIENTS // PROCESSES) as pool:
        print(json.dumps([each for some in pool.map(client, range(CLIENTS // PROCESSES)) for each in some]))
    services.close()


def _serve(services: Services, wish: Wish, since: float) -> Served:
    try:
        booked = practice.book_once(services, wish.coach, wish.start)
    except (MicrositeError, SQLAlchemyError) as error:
        return Served(time.perf_counter() - since, False, type(error).__name__)
    return Served(time.perf_counter() - since, booked)


def busy_load(services: Services) -> Figure:
    """What a look costs that reads a calendar of ten thousand busy events, against the calibration loop.

    The calendar is of a coach without bookings: reading those is another thing.
    """
    busy, coach = case(10_000).busy, "very-busy"
    setup.add_coach(services, coach, practice.settings(0))
    with services.store.write() as tx:
        tx.mirror.add_calendar("large", coach, "https://cal.example/large/", "Large", {"busy"})
        reading = Reading(href="/large.ics", etag='"1"', uid="large@example", spans=busy.pack())
        tx.mirror.put_readings("large", [reading])
        tx.mirror.merge("large")
    # What a look at the page reads after a change: all that decides, at one moment, beside what was known before.
    before = services.store.whole(coach, practice.NOW)
    read = partial(services.store.whole, coach, practice.NOW, before)
    for found in (before, read()):
        if found is None or busy not in [row.spans for row in found.spans]:
            raise WrongAnswer("ten thousand busy events were not read as they were written")
    cost = least_cpu(read, 7, 50)
    return single("store.busy_10k_load_to_loop", cost / least_cpu(loop, 7), "x", "cpu")


if __name__ == "__main__":
    clients(*sys.argv[1:])
