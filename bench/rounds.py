"""Rounds in which every case has its turn, A, B, A, B: what disturbs one disturbs its neighbour; a ratio survives."""

import gc
import os
import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from contextlib import contextmanager

from .figures import Figure
from .figures import Kind
from .figures import of_rounds

Measure = Callable[[], float]
Round = Mapping[str, float]
CORES = os.cpu_count() or 1
TOO_MUCH = 2
"""Waiting or running processes for each core, above which a round says nothing about ours."""


def interleaved(cases: Mapping[str, Measure], rounds: int) -> list[Round]:
    """Measure every case once in each round. Rounds under too much load are left out, if others remain."""
    found: list[tuple[float, Round]] = []
    for number in range(rounds):
        names = list(cases)[:: -1 if number % 2 else 1]
        found.append(({name: cases[name]() for name in names}, os.getloadavg()[0])[::-1])
    calm = [each for load, each in found if load <= CORES * TOO_MUCH]
    return calm if len(calm) * 2 >= rounds else [each for _, each in found]


def ratio(name: str, rounds: Sequence[Round], over: str, under: str, kind: Kind) -> Figure:
    """How one case relates to another, taken inside each round."""
    return of_rounds(name, [each[over] / each[under] for each in rounds], "x", kind)


def least_cpu(
    call: Callable[[], object], times: int, repeat: int = 1, between: Callable[[], object] | None = None
) -> float:
    """The least process CPU seconds that one call cost, of `times` measurements over `repeat` calls each.

    The least is what the work itself costs; everything above it is other people's caches and interrupts. `between` is
    run before each measurement and is not counted.
    """
    found = []
    with no_collection():
        for _ in range(times):
            if between is not None:
                between()
            began = time.process_time()
            for _ in range(repeat):
                call()
            found.append((time.process_time() - began) / repeat)
    return min(found)


@contextmanager
def no_collection() -> Iterator[None]:
    """Keep the garbage collector out of a measurement, and have it done before."""
    gc.collect()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()
