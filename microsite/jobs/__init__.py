"""Durable work: a job is a kind and a key (an id), asked for in the transaction that makes it necessary.

Two engines answer to the same contract (tests/jobs): `outbox` in the site's own database, and procrastinate on
PostgreSQL. A job may run more than once, so each step must be safe to repeat; how far a happening has come is the
booking's own state, never the job's. The tables and their SQL are in `store`.
"""

import logging
from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import Protocol

from microsite.errors import CalendarError
from microsite.errors import MailDelayed
from microsite.errors import StoreUnreadable
from microsite.errors import TryAgain

Handler = Callable[[str], None]
"""Does one step for the key it is given. Raises TryAgain to be run later; any other error is a failure."""

MOST_ATTEMPTS = 30
"""After so many failures (almost a day of them) a job is given up and shown to the operator."""

log = logging.getLogger("microsite.jobs")


class Every(NamedTuple):
    """A job to be asked for at an interval."""

    seconds: int
    kind: str


class Work(NamedTuple):
    """All that a runner runs."""

    handlers: Mapping[str, Handler]
    every: Sequence[Every] = ()

    def perform(self, kind: str, key: str) -> None:
        """Run one job. Raises UnknownKind where a newer version asked for what this one does not know."""
        if kind not in self.handlers:
            raise UnknownKind(kind)
        self.handlers[kind](key)


class UnknownKind(LookupError):
    """No handler: after a downgrade the job waits, with back-off, for a version that knows it."""


class Counts(NamedTuple):
    """How many jobs wait or run, and how many were given up."""

    waiting: int
    given_up: int


class Due(NamedTuple):
    """How many jobs wait for a runner though their time has come, and since when (UTC seconds, 0 for none)."""

    number: int
    since: int


class GivenUp(NamedTuple):
    """A job that failed for good; `trouble` is the type of its last error, never its words."""

    kind: str
    key: str
    trouble: str


class Engine(Protocol):
    """What the site needs of an engine."""

    def enqueue(self, tx: Any, kind: str, key: str, delay: int = 0) -> None:
        """Ask, inside the caller's transaction, for a job after `delay` seconds; a rollback leaves nothing of it.

        One that waits already runs once, no later than either was asked for; one that runs just now runs again.
        """

    def begin(self, tx: Any, kind: str, key: str) -> None:
        """As `enqueue` without a delay, for what somebody waits for: an engine may begin it with the very commit."""

    def hand_on(self, tx: Any, kind: str, key: str) -> None:
        """Within a job, in the last transaction of it: ask for the job that follows.

        An engine may then let this one end, and that one begin, with this very transaction, so whatever the job still
        does after it is not done again. Elsewhere the same as `enqueue`.
        """

    def known(self, tx: Any, kind: str, key: str) -> bool:
        """Whether there is such a job: waiting, running, or given up (which only the operator takes up again)."""

    def counts(self, tx: Any) -> Counts:
        """How many jobs there are."""

    def due(self, tx: Any) -> Due:
        """What waits though its time has come."""

    def failing(self, tx: Any, kind: str, attempts: int) -> int:
        """How many jobs of a kind failed so often or more."""

    def given_up(self, tx: Any) -> Sequence[GivenUp]:
        """Every job that was given up; asking for one again gives it another chance."""

    def clear(self, tx: Any, keep: Collection[str]) -> None:
        """Forget every job but those of some kinds: the rest belongs to a time that is over (a restored backup)."""

    def start(self, work: Work) -> None:
        """Run jobs in this process, in threads of its own, until `stop`."""

    def stop(self, patience: float = 10.0) -> None:
        """Take no more jobs and wait up to `patience` seconds for the ones that run."""


def back_off(attempts: int) -> int:
    """Seconds to wait after that many failed attempts: 1, 2, 4 … at most an hour."""
    return int(min(2 ** max(0, attempts - 1), 3600))


class Outcome(NamedTuple):
    """What becomes of a job that ran: nothing more (`wait` is None), or again after `wait` seconds, or given up."""

    wait: int | None
    attempts: int
    trouble: str = ""

    @property
    def given_up(self) -> bool:
        """Whether it failed once too often."""
        return self.wait is None and self.trouble != ""


def outcome(kind: str, error: BaseException | None, attempts: int) -> Outcome:
    """Judge a run that had failed `attempts` times before; a failure goes to the log by its type and places."""
    if error is None:
        return Outcome(None, 0)
    if isinstance(error, TryAgain):
        return Outcome(max(error.seconds, 1), attempts)
    trouble = type(error).__name__
    failed = attempts + 1
    if isinstance(error, CalendarError | MailDelayed):
        # Somebody else's machine is down, maybe for days: a letter or an event is never given up for that.
        log.warning("a job waits for another machine", extra={"kind": kind, "count": failed})
        return Outcome(back_off(failed), min(failed, MOST_ATTEMPTS // 2), trouble)
    if isinstance(error, StoreUnreadable):
        # A full disk on a Friday evening must not have cost anybody her letter by Sunday.
        log.warning("a job waits for the database or the disk", extra={"kind": kind, "reason": error.word})
        return Outcome(back_off(failed), min(failed, MOST_ATTEMPTS // 2), trouble)
    if failed >= MOST_ATTEMPTS:
        log.error("a job failed too often and was given up", exc_info=error, extra={"kind": kind, "count": failed})
        return Outcome(None, failed, trouble)
    log.error("a job failed and will be tried again", exc_info=error, extra={"kind": kind, "count": failed})
    return Outcome(back_off(failed), failed, trouble)
