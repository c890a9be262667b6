"""Sustained mixed load on a real site: 95 of 100 visitors look, 5 book, and each gives her time back a little later.

Flat means: over all that was sampled after a warm-up, the last third is as the first third (memory, file handles, the
slowest hundredth of the looks), and a straight line through the memory rises by no more than a bound. Looks come at a
given rate whether the last ones were served or not.
"""

import itertools
import random
import sys
import threading
import time
from collections import deque
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import datetime
from queue import SimpleQueue
from statistics import linear_regression
from statistics import median
from typing import NamedTuple

from microsite.services import Services
from microsite.work import demo
from microsite.work import look

from . import expected
from .confirm import HUMAN
from .confirm import PATIENCE
from .confirm import apart
from .figures import FULL
from .figures import QUICK
from .figures import Figure
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .figures import percentile
from .figures import single
from .http import BROWSER
from .processes import family_memory_mb
from .processes import family_own_memory_mb
from .processes import open_files
from .site import Server
from .site import instance
from .site import serving
from .visitors import Form
from .visitors import Visitor
from .visitors import form_of
from .visitors import state_of

LOOKERS = 4
PER_SECOND = 20.0
BOOKINGS = 0.05
"""The share of visitors who book."""
SAMPLE = 1.0
WARM_UP = 0.15
"""The share of the time after which samples count: by then everything was loaded once."""
KEPT = 20.0
"""Seconds after which a client takes her booking back, so that the site always holds about as many."""


class Sample(NamedTuple):
    """The site at one moment, seconds from the beginning; its memory without the pages of files."""

    at: float
    memory_mb: float
    files: int


class Look(NamedTuple):
    """One look: when it was due, and how long it took from then."""

    at: float
    took: float


class Load:
    """What the threads share: the site, when all ends, and what they saw."""

    whole_mb = 0.0
    """All its memory in the end, its share in the pages of files included."""

    def __init__(self, server: Server, seconds: float, slots: Sequence[str], targets: Sequence[str]) -> None:
        self.server, self.seconds, self.targets = server, seconds, targets
        self.slots = deque(slots)
        self.began = time.perf_counter()
        self.looks: list[Look] = []
        self.bookings: list[float] = []
        self.samples: list[Sample] = []
        self.errors: list[str] = []
        self.due: SimpleQueue[float | None] = SimpleQueue()

    @property
    def now(self) -> float:
        """Seconds from the beginning."""
        return time.perf_counter() - self.began

    def wait_until(self, at: float) -> None:
        """Wait for a moment, seconds from the beginning."""
        threading.Event().wait(max(0.0, at - self.now))


def measure(size: Size, seconds: float = 0) -> Outcome:
    """The part; `seconds` is how long, if the size does not say."""
    seconds = seconds or float(size.of(4, 20, 600))
    with instance() as demo_coach:
        with demo_coach.opened() as services:
            slots = apart(services, 20)
            zone = look_zone(services)
            targets = [expected.view(services, days).target for days in (2, 7, 12, 20)]
            targets += [
                target.replace(zone, other) for target in targets for other in ("Asia/Makassar", "Asia/Jayapura")
            ]
        with serving(demo_coach.folder) as server:
            load = Load(server, seconds, slots, targets)
            run(load)
            load.whole_mb = family_memory_mb(server.pid)
    if load.errors:
        raise WrongAnswer(f"{len(load.errors)} visitors were not served, the first: {load.errors[0]}")
    return Outcome(figures(load), [f"{len(load.looks)} looks, {len(load.bookings)} bookings in {seconds:.0f} s"])


def run(load: Load) -> None:
    """Everybody at once, until the time is over."""
    everybody = [*[_look] * LOOKERS, _book, _sample, _come]
    with ThreadPoolExecutor(len(everybody)) as pool:
        for each in [pool.submit(one, load) for one in everybody]:
            each.result()


def figures(load: Load) -> list[Figure]:
    """How flat it was."""
    warm = load.seconds * WARM_UP
    samples = [each for each in load.samples if each.at >= warm]
    looks = sorted(each for each in load.looks if each.at >= warm)
    memory, files = ([getattr(each, name) for each in samples] for name in ("memory_mb", "files"))
    slope = linear_regression([each.at / 3600 for each in samples], memory).slope
    took = [each.took for each in looks]
    return [
        single("soak.memory_last_to_first", median(last(memory)) / median(first(memory)), "x", "memory"),
        single("soak.memory_mb_per_hour", slope, "MB/h", "memory"),
        single("soak.memory_mb", median(last(memory)), "MB", "memory"),
        single("soak.whole_memory_mb", load.whole_mb, "MB", "memory"),
        single("soak.files_more", median(last(files)) - median(first(files)), "", "count"),
        single("soak.p99_last_to_first", percentile(last(took), 0.99) / percentile(first(took), 0.99), "x", "wall"),
        single("soak.look_p50", percentile(took, 0.5) * 1e3, "ms", "wall"),
        single("soak.look_p99", percentile(took, 0.99) * 1e3, "ms", "wall"),
        single("soak.bookings", len(load.bookings), "", "count"),
        single("soak.errors", len(load.errors), "", "count"),
    ]


def first(values: Sequence[float]) -> Sequence[float]:
    """The first third."""
    return values[: max(1, len(values) // 3)]


def last(values: Sequence[float]) -> Sequence[float]:
    """The last third."""
    return values[-max(1, len(values) // 3) :]


def look_zone(services: Services) -> str:
    """The zone that the coach's own addresses name."""
    return look.coach(services, demo.SLUG).settings.zone


def _come(load: Load) -> None:
    """Visitors come by chance at a steady rate."""
    dice, at = random.Random(1), 0.0
    while (at := at + dice.expovariate(PER_SECOND)) < load.seconds:
        load.wait_until(at)
        load.due.put(at)
    for _ in range(LOOKERS):
        load.due.put(None)


def _look(load: Load) -> None:
    visitor, dice = Visitor(load.server.port), random.Random(2)
    while (at := load.due.get()) is not None:
        answer = visitor.ask("GET", dice.choice(load.targets), headers=BROWSER)
        load.looks.append(Look(at, load.now - at))
        if answer.status != 200 or not answer.slots:
            load.errors.append(f"a look was answered with {answer.status}")
    visitor.close()


class Patient(NamedTuple):
    """A visitor with a form before her, and when she may send it."""

    due: float
    visitor: Visitor
    form: Form
    slot: str


def _book(load: Load) -> None:
    """One visitor after the other; every step waits for its hour, so that forms are old enough and bookings end."""
    every = 1 / (PER_SECOND * BOOKINGS / (1 - BOOKINGS))
    waiting: deque[Patient] = deque()
    held: deque[Patient] = deque()
    for number in itertools.count():
        load.wait_until(number * every)
        ends = number > 0 and load.now >= load.seconds
        if load.slots and not ends:
            slot, visitor = load.slots.popleft(), Visitor(load.server.port)
            waiting.append(Patient(load.now + HUMAN, visitor, visitor.form(expected.PATH, slot), slot))
        _send_due(load, waiting, held, ends)
        _take_back_due(load, held, ends)
        if ends:
            return


def _send_due(load: Load, waiting: deque[Patient], held: deque[Patient], all_of_them: bool) -> None:
    """Those who had time to fill in their forms send them; in the end everybody who has one does."""
    while waiting and (all_of_them or waiting[0].due <= load.now):
        one = waiting.popleft()
        load.wait_until(one.due)
        began = load.now
        page = one.visitor.send(one.form)
        while state_of(page) == "confirming" and load.now - began < PATIENCE:
            page = one.visitor.get("/manage")
        if state_of(page) != "confirmed":
            load.errors.append(f"a booking ended in «{state_of(page)}» ({page.status})")
            continue
        load.bookings.append(load.now - began)
        until = load.now + min(KEPT, load.seconds / 4)
        held.append(one._replace(due=until, form=form_of(page, "/manage/cancel")))


def _take_back_due(load: Load, held: deque[Patient], all_of_them: bool) -> None:
    """Those who have held their time for a while give it back, and another may have it."""
    while held and (all_of_them or held[0].due <= load.now):
        one = held.popleft()
        page = one.visitor.send(one.form)
        one.visitor.close()
        load.slots.append(one.slot)
        if state_of(page) != "cancelled":
            load.errors.append(f"taking a time back ended in «{state_of(page)}» ({page.status})")


def _sample(load: Load) -> None:
    for number in itertools.count():
        load.wait_until(number * min(SAMPLE, load.seconds / 20))
        if load.now >= load.seconds:
            return
        load.samples.append(Sample(load.now, family_own_memory_mb(load.server.pid), open_files(load.server.pid)))


def main(words: Sequence[str]) -> int:
    """`python -m bench.soak [SECONDS]`: ten minutes unless told otherwise; 1 where it was not flat."""
    from .run import report_part

    seconds = float(words[0]) if words else 600.0
    print(f"Soaking for {seconds:.0f} s, since {datetime.now(UTC):%H:%M:%S} UTC", flush=True)
    return report_part("soak", lambda size: measure(size, seconds), FULL if seconds >= 300 else QUICK)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
