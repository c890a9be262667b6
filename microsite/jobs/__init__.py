"""Durable work: a job is a kind and a key (an id), asked for in the transaction that makes it necessary.

Two engines answer to the same contract (tests/jobs): `outbox` in the site's own database, and procrastinate on
PostgreSQL. A job may run more than once, so each step must be safe to repeat; how far a happening has come is the
booking's own state, never the job's. The tables and their SQL are in `store`.
"""

from collections.abc import Callable
from collections.abc import Mapping
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import Protocol

Handler = Callable[[str], None]
"""Does one step for the key it is given. Raises TryAgain to be run later; any other error is a failure."""


class Every(NamedTuple):
    """A job to be asked for at an interval."""

    seconds: int
    kind: str


class Work(NamedTuple):
    """All that a runner runs."""

    handlers: Mapping[str, Handler]
    every: Sequence[Every] = ()


class Engine(Protocol):
    """What the site needs of an engine."""

    def enqueue(self, tx: Any, kind: str, key: str, delay: int = 0) -> None:
        """Ask, inside the caller's transaction, for a job after `delay` seconds; a rollback leaves nothing of it."""

    def start(self, work: Work) -> None:
        """Run jobs in this process, in threads of its own, until `stop`."""

    def stop(self, patience: float = 10.0) -> None:
        """Take no more jobs and wait up to `patience` seconds for the ones that run."""


def back_off(attempts: int) -> int:
    """Seconds to wait after that many failed attempts: 1, 2, 4 … at most an hour."""
    return int(min(2 ** max(0, attempts - 1), 3600))


MOST_ATTEMPTS = 30
"""After so many failures (more than a day of them) a job is given up and shown to the operator."""
