"""Jobs that a runner of this process holds before its loop has seen them: taken by a transaction, or handed on to."""

from collections.abc import Callable
from collections.abc import Sequence
from typing import Any


class Run:
    """A job that is worked on here. Once it is `over` its end is in the database, and `then` follows on it."""

    def __init__(self, row: Any) -> None:
        self.row, self.over = row, False
        self.then: Any = None

    def hand_on(self, then: Any) -> None:
        """The transaction that ends it is committed."""
        self.over, self.then = True, then


class Begin:
    """What is to be done once a transaction is committed: begin the jobs that it took."""

    def __init__(self, begin: Callable[[Sequence[Any]], None]) -> None:
        self._begin = begin
        self.rows: list[Any] = []

    def __call__(self) -> None:
        self._begin(self.rows)


def taken_by(tx: Any) -> Begin | None:
    """What a transaction took for this process's runner, if anything."""
    return next((call for call in tx.after if isinstance(call, Begin)), None)


def is_taken(tx: Any, kind: str, key: str) -> bool:
    """Whether this very job is among that."""
    begin = taken_by(tx)
    return begin is not None and any((row.kind, row.key) == (kind, key) for row in begin.rows)
