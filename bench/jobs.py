"""The job engines: how fast jobs are asked for and done, and what waiting for none costs.

Each job is asked for in a transaction of its own, as a booking does it, and counts its run; every one must have run,
and none twice.
"""

import threading
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory

from microsite.jobs import Work
from tests.jobs.places import Place
from tests.postgres import running_server
from tests.waiting import wait_until

from .figures import Figure
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .figures import single
from .store import DURABLE

ENGINES = {"outbox": "outbox on SQLite", "procrastinate": "procrastinate on PostgreSQL"}
PATIENCE = 300.0


def measure(size: Size) -> Outcome:
    """The part."""
    figures: list[Figure] = []
    with running_server(*DURABLE) as server, TemporaryDirectory(prefix="microsite-bench-") as folder:
        urls = {"outbox": f"sqlite:///{folder}/site.db", "procrastinate": server.create()}
        for name, kind in ENGINES.items():
            place = Place(kind, urls[name], Path(folder))
            try:
                figures += _one(name, place, size)
            finally:
                place.close()
    return Outcome(figures)


def _one(name: str, place: Place, size: Size) -> list[Figure]:
    count = size.of(40, 400, 3000)
    engine = place.engine()
    ran: Counter[str] = Counter()
    guard = threading.Lock()

    def run(key: str) -> None:
        with guard:
            ran[key] += 1

    work = Work({"bench": run})
    began, cpu = time.perf_counter(), time.process_time()
    for number in range(count):
        place.ask(engine, "bench", str(number))
    asked, asked_cpu = time.perf_counter() - began, time.process_time() - cpu
    began, cpu = time.perf_counter(), time.process_time()
    engine.start(work)
    wait_until(lambda: place.left()[0] == 0, PATIENCE, "an empty queue")
    done, done_cpu = time.perf_counter() - began, time.process_time() - cpu
    if place.left()[1]:
        raise WrongAnswer(f"{name} gave {place.left()[1]} jobs up")
    idle = _idle(size.of(1, 5, 30))
    return [
        single(f"jobs.{name}_asked_per_second", count / asked, "1/s", "wall"),
        single(f"jobs.{name}_done_per_second", count / done, "1/s", "wall"),
        single(f"jobs.{name}_ask_cpu", asked_cpu / count * 1e3, "ms", "cpu"),
        single(f"jobs.{name}_run_cpu", done_cpu / count * 1e3, "ms", "cpu"),
        single(f"jobs.{name}_lost", count - len(ran), "", "count"),
        single(f"jobs.{name}_twice", sum(runs > 1 for runs in ran.values()), "", "count"),
        single(f"jobs.{name}_pick_up_ms", _pick_up(place, lambda: len(ran)) * 1e3, "ms", "wall"),
        single(f"jobs.{name}_idle_cpu_percent", idle, "%", "cpu"),
    ]


def _pick_up(place: Place, ran: Callable[[], int]) -> float:
    """Seconds from the commit of a job to its run, where nothing else waits: the median of several."""
    took = []
    for number in range(9):
        before = ran()
        place.ask(place.engines[0], "bench", f"alone-{number}")
        began = time.perf_counter()
        while ran() == before:
            if time.perf_counter() - began > PATIENCE:
                raise WrongAnswer("a job that was asked for did not run")
            threading.Event().wait(0.0005)
        took.append(time.perf_counter() - began)
    return sorted(took)[len(took) // 2]


def _idle(seconds: float) -> float:
    """CPU time of this process, which only waits, in percent of one core."""
    threading.Event().wait(0.5)
    began, at = time.process_time(), time.perf_counter()
    threading.Event().wait(seconds)
    return 100 * (time.process_time() - began) / (time.perf_counter() - at)
