"""How often a calendar is asked. Pure: the random number in [0, 1) for the jitter is handed in. Seconds throughout."""

from collections.abc import Iterable
from typing import NamedTuple
from typing import Protocol

HOT = 120
COLD = 6 * 3600
FIRST = 300
LONGEST_BACK_OFF = 24 * 3600
REFUSED = 15 * 60
"""A password that was refused three times is not tried more often than this: providers lock accounts that knock on."""
TRIES = 3
"""Failures in a row that are no accident."""
SILENT = frozenset({"CalendarUnreachable", "CalendarBusy"})
"""Problems that a host has with everybody, and not one account of it with us."""


class Asked(Protocol):
    """What is known of the last questions to one calendar; times are UTC seconds."""

    @property
    def problem(self) -> str: ...
    @property
    def failures(self) -> int: ...
    @property
    def first_failed_at(self) -> int: ...
    @property
    def last_ok_at(self) -> int: ...


class Poll(NamedTuple):
    """The interval to remember, and how long to wait this time."""

    interval: int
    wait: int


def after_success(interval: int, changed: bool, jitter: float) -> Poll:
    """Halve the interval after a change, stretch it by half without one; between 2 minutes and 6 hours, ±20 %."""
    step = (interval or FIRST) / 2 if changed else (interval or FIRST) * 1.5
    rounded = int(min(max(step, HOT), COLD))
    return Poll(rounded, int(rounded * (0.8 + 0.4 * jitter)))


def after_failure(failures: int, retry_after: int | None, jitter: float, refused: bool = False) -> Poll:
    """Back off: 5 s doubled with each failure, at most a day, and never sooner than the server asked.

    `refused`: the account is not let in; then it is not asked every few seconds for long.
    """
    wait = min(5 * 2 ** min(failures - 1, 15), LONGEST_BACK_OFF)
    if refused and failures >= TRIES:
        wait = max(wait, REFUSED)
    spread = int(wait * (0.8 + 0.4 * jitter))
    return Poll(HOT, max(spread, retry_after or 0, 1))


def is_down(calendars: Iterable[Asked]) -> bool:
    """Whether a host is silent for all: then one of its calendars is asked for all of them, and the rest wait."""
    known = list(calendars)
    silent = [each for each in known if each.problem in SILENT and each.failures >= TRIES]
    if len(silent) < 2:
        return False
    since = min(each.first_failed_at for each in silent)
    return all(each.last_ok_at <= since for each in known)
