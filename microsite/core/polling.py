"""How often a calendar is asked. Pure: the random number in [0, 1) for the jitter is handed in. Seconds throughout."""

from collections.abc import Iterable
from typing import NamedTuple
from typing import Protocol

HOT = 120
WARM = 15 * 60
COLD = 6 * 3600
FIRST = 300
TURNS_A_SECOND = 60
LOOKS_A_SECOND = 120
"""Questions that all calendars of an installation together may come to, by turns and by looks, where nothing changes.

So a site of one coach is quick to notice what she does, and one of 100,000 stays a polite guest of her provider.
"""
WELCOME_A_SECOND = 20
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
    @property
    def backoff_until(self) -> int: ...
    @property
    def next_poll_at(self) -> int: ...


class Poll(NamedTuple):
    """The interval to remember, and how long to wait this time."""

    interval: int
    wait: int


class Pace(NamedTuple):
    """How old a reading may be before a look has it renewed, and how long a calendar where nothing happens may wait."""

    looked_at: int
    quiet: int


def pace(calendars: int) -> Pace:
    """The pace of an installation with so many calendars: 2 to 15 minutes for looks, 15 minutes to 6 hours at all."""
    return Pace(
        min(max(calendars // LOOKS_A_SECOND, HOT), WARM),
        min(max(calendars // TURNS_A_SECOND, WARM), COLD),
    )


def after_success(interval: int, changed: bool, jitter: float, quiet: int = COLD) -> Poll:
    """Halve the interval after a change, stretch it by half without one; between 2 minutes and `quiet`, ±20 %."""
    step = (interval or FIRST) / 2 if changed else (interval or FIRST) * 1.5
    rounded = int(min(max(step, HOT), quiet))
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


def look_asks(asked: Asked, pace: Pace) -> tuple[int, int]:
    """From when on, and until when, a look has a calendar read: not while it is fresh, may not be asked, or is soon."""
    return max(asked.last_ok_at + pace.looked_at, asked.backoff_until), asked.next_poll_at - HOT


def wait_after_outage(place: int) -> int:
    """How long the so-manieth calendar of a host that answers again waits: a host is not welcomed by all at once."""
    return place // WELCOME_A_SECOND


def is_down(calendars: Iterable[Asked]) -> bool:
    """Whether a host is silent for all: then one of its calendars is asked for all of them, and the rest wait.

    Two that began to fail after anybody's last success are enough: on a large host some calendar always fails.
    """
    known = list(calendars)
    answered = max((each.last_ok_at for each in known), default=0)
    silent = [each for each in known if each.problem in SILENT and each.failures >= TRIES]
    return sum(each.first_failed_at >= answered for each in silent) >= 2
