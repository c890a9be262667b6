"""Counting what the house is doing, at most once in a few seconds however many ask."""

import os
import shutil
import threading
import time
from pathlib import Path
from typing import NamedTuple

from microsite.core.health import LATE_ATTEMPTS
from microsite.core.health import Facts
from microsite.core.health import Health
from microsite.core.health import judge
from microsite.errors import StoreUnreadable
from microsite.services import Services

FRESH_SECONDS = 5.0


class Observed(NamedTuple):
    """What was found, and the counts behind it (None where the database could not be read)."""

    health: Health
    facts: Facts | None


class Watch:
    """One for each process. Whoever asks while another counts gets the last answer, and never waits for the disk."""

    def __init__(self, services: Services) -> None:
        self._services = services
        self._counting = threading.Lock()
        self._last: Observed | None = None
        self._until = 0.0

    def look(self) -> Observed:
        """How the house is, as of a few seconds ago at most."""
        last = self._last
        if last is not None and time.monotonic() < self._until:
            return last
        if not self._counting.acquire(blocking=last is None):
            assert last is not None  # noqa: S101 - without an answer it waits
            return last
        try:
            if self._last is None or time.monotonic() >= self._until:
                self._last = observe(self._services)
                self._until = time.monotonic() + FRESH_SECONDS
            return self._last
        finally:
            self._counting.release()


def observe(services: Services) -> Observed:
    """Count now."""
    try:
        facts = count(services)
    except StoreUnreadable as error:
        return Observed(Health(ok=False, database=error.word or "unreadable"), None)
    return Observed(judge(facts, services.clock()), facts)


def count(services: Services) -> Facts:
    """Every count, in one view of the database. Raises StoreUnreadable."""
    with services.store.read() as tx:
        calendars, late = tx.census.calendars(), services.jobs.failing(tx, "letter", LATE_ATTEMPTS)
        due, dead = services.jobs.due(tx), services.jobs.counts(tx).given_up
        return Facts(
            coaches=tx.census.coaches(),
            bookings=tx.census.bookings(),
            calendars=calendars.states,
            calendars_failing=calendars.failing,
            failing_by_coach=tx.census.failing_by_coach(),
            oldest_reading=calendars.oldest_ok_at,
            newest_reading=calendars.newest_ok_at,
            letters_queued=tx.census.letters(),
            letters_late=late,
            jobs_due=due.number,
            jobs_given_up=dead,
            oldest_due=due.since,
            database_size=tx.census.size(),
            disk_free=shutil.disk_usage(services.config.instance).free,
            disk_writable=_writable(services.config.instance),
        )


def _writable(folder: Path) -> bool:
    """Whether the disk takes a write. Asked by one: a disk that has just failed still says that it may be written."""
    try:
        os.utime(folder)
    except OSError:
        return False
    return True
