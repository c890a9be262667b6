"""How often a calendar is asked. Pure: the random number in [0, 1) for the jitter is handed in. Seconds throughout."""

from typing import NamedTuple

HOT = 120
COLD = 6 * 3600
FIRST = 300
LONGEST_BACK_OFF = 24 * 3600


class Poll(NamedTuple):
    """The interval to remember, and how long to wait this time."""

    interval: int
    wait: int


def after_success(interval: int, changed: bool, jitter: float) -> Poll:
    """Halve the interval after a change, stretch it by half without one; between 2 minutes and 6 hours, ±20 %."""
    step = (interval or FIRST) / 2 if changed else (interval or FIRST) * 1.5
    rounded = int(min(max(step, HOT), COLD))
    return Poll(rounded, int(rounded * (0.8 + 0.4 * jitter)))


def after_failure(failures: int, retry_after: int | None, jitter: float) -> Poll:
    """Back off: 5 s doubled with each failure, at most a day, and never sooner than the server asked."""
    wait = min(5 * 2 ** min(failures - 1, 15), LONGEST_BACK_OFF)
    spread = int(wait * (0.8 + 0.4 * jitter))
    return Poll(HOT, max(spread, retry_after or 0, 1))
