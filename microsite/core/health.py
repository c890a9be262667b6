"""Is the house well? Words for whoever watches it: no number that tells of people, and nothing that names one.

How many jobs wait is about how many sessions are to come, and `/healthz` answers everybody: so it says words only.
"""

from collections.abc import Mapping
from typing import NamedTuple

from .spans import MINUTE

STUCK_SECONDS = 5 * MINUTE
"""A job whose time came so long ago has nobody who takes it."""
LATE_ATTEMPTS = 10
"""A letter that the relay did not take so often is late: by then it has waited for a quarter of an hour."""
CLOCK_SLACK = 2 * MINUTE
LOW_DISK = 200 * 1024 * 1024
FULL_DISK = 4 * 1024 * 1024


class Facts(NamedTuple):
    """What was counted. Times are UTC seconds (0: none), sizes bytes."""

    coaches: int
    bookings: Mapping[str, int]
    calendars: Mapping[str, int]
    calendars_failing: int
    failing_by_coach: Mapping[str, int]
    oldest_reading: int
    newest_reading: int
    letters_queued: int
    letters_late: int
    jobs_due: int
    jobs_given_up: int
    oldest_due: int
    database_size: int
    disk_free: int
    disk_writable: bool


class Health(NamedTuple):
    """What `/healthz` tells. `ok` is whether pages can be served; the rest is for whoever must mend something."""

    ok: bool = True
    database: str = "ok"
    jobs: str = "ok"
    calendars: str = "ok"
    letters: str = "ok"
    disk: str = "ok"
    clock: str = "ok"


def judge(facts: Facts, now: int) -> Health:
    """The state of the house at `now` (UTC seconds)."""
    return Health(
        jobs=_jobs(facts, now),
        calendars="failing" if facts.calendars_failing else "ok",
        letters="late" if facts.letters_late else "ok",
        disk=_disk(facts),
        # Whatever was read was read in the past; a machine without a battery clock wakes up in an older year.
        clock="behind" if facts.newest_reading > now + CLOCK_SLACK else "ok",
    )


def _jobs(facts: Facts, now: int) -> str:
    if facts.oldest_due and now - facts.oldest_due > STUCK_SECONDS:
        return "stuck"
    return "given-up" if facts.jobs_given_up else "ok"


def _disk(facts: Facts) -> str:
    if not facts.disk_writable:
        return "read-only"
    return "full" if facts.disk_free < FULL_DISK else "low" if facts.disk_free < LOW_DISK else "ok"


def blurred(number: int) -> int:
    """A number of people's bookings for a monitor that never forgets: rounded up to the next five.

    One booking more or less then hardly ever shows, so the moment somebody booked or cancelled cannot be read off.
    """
    return -(-number // 5) * 5
