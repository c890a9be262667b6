"""What the simulation counts: ages as histograms, requests, what became of bookings."""

from array import array
from collections import Counter
from dataclasses import dataclass
from dataclasses import field

from .demand import DAY

LONGEST = 2 * DAY


class Ages:
    """A weighted histogram of ages in whole seconds, to which whole ranges are added at once."""

    def __init__(self) -> None:
        self._steps = array("d", bytes(8 * (LONGEST + 2)))

    def add_range(self, ages: int, weight: float) -> None:
        """As much weight at every age from 0 up to `ages`."""
        self._steps[0] += weight
        self._steps[min(ages, LONGEST) + 1] -= weight

    def add(self, age: int, weight: float = 1.0) -> None:
        """Weight at one age."""
        at = min(max(age, 0), LONGEST)
        self._steps[at] += weight
        self._steps[at + 1] -= weight

    def percentile(self, share: float) -> int:
        """The age below which that share of the weight lies."""
        found, level = [], 0.0
        for step in self._steps:
            level += step
            found.append(max(level, 0.0))
        wanted, passed = share * sum(found), 0.0
        for age, weight in enumerate(found):
            passed += weight
            if passed >= wanted:
                return age
        return LONGEST


@dataclass
class Tally:
    """All counts of a run. `waited_…` are seconds of waiting for answers in each hour."""

    seen_age: Ages = field(default_factory=Ages)
    change_age: Ages = field(default_factory=Ages)
    polls: int = 0
    poll_requests: int = 0
    booking_requests: int = 0
    refreshes: int = 0
    waited_by_polls: list[float] = field(default_factory=lambda: [0.0] * 72)
    waited_by_bookings: list[float] = field(default_factory=lambda: [0.0] * 72)
    most_due: int = 0
    problems: Counter[str] = field(default_factory=Counter)
    bookings: Counter[str] = field(default_factory=Counter)
    jobs: int = 0
