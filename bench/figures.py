"""What a part of the benchmark answers: figures with their spread, remarks, and the refusal to time a wrong answer."""

from collections.abc import Sequence
from statistics import median
from typing import Any
from typing import Literal
from typing import NamedTuple
from typing import Protocol

Kind = Literal["cpu", "count", "memory", "wall"]
"""What a figure was taken with. `cpu`, `count` and `memory` hardly feel who else uses the machine; `wall` does."""


class WrongAnswer(Exception):
    """What was to be timed does not do its work right: then its speed is worth nothing, and nothing is timed."""


class Figure(NamedTuple):
    """One result: the median over rounds, the lowest and highest, and how many rounds there were."""

    name: str
    value: float
    unit: str
    kind: Kind
    low: float
    high: float
    rounds: int

    def as_dict(self) -> dict[str, Any]:
        """For a line of JSON."""
        return self._asdict()


class Outcome(NamedTuple):
    """What one part found. `remarks` are sentences for whoever reads the figures."""

    figures: Sequence[Figure]
    remarks: Sequence[str] = ()


class Part(Protocol):
    """One part: measures, and raises WrongAnswer before it times what is wrong."""

    def __call__(self, size: "Size") -> Outcome:
        """Check the answers, then measure."""


class Size(NamedTuple):
    """How long to measure. `tiny` only proves that the bench works; its figures say little."""

    name: str
    rounds: int
    seconds: float

    def of(self, tiny: int, quick: int, full: int) -> int:
        """A number that depends on the size."""
        return {"tiny": tiny, "quick": quick, "full": full}[self.name]


TINY = Size("tiny", 3, 0.3)
QUICK = Size("quick", 5, 1.0)
FULL = Size("full", 9, 4.0)


def of_rounds(name: str, values: Sequence[float], unit: str, kind: Kind) -> Figure:
    """The figure of one value for each round."""
    return Figure(name, median(values), unit, kind, min(values), max(values), len(values))


def single(name: str, value: float, unit: str, kind: Kind) -> Figure:
    """A figure that was taken once, or over a whole run."""
    return Figure(name, value, unit, kind, value, value, 1)


def percentile(values: Sequence[float], share: float) -> float:
    """The value below which that share of the values lies (nearest rank)."""
    ordered = sorted(values)
    return ordered[min(int(share * len(ordered)), len(ordered) - 1)]
