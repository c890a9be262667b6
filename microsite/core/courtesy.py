"""Going one by one where several at once would only take the interpreter from one another.

It decides nothing and guards nothing: whoever has waited for long enough goes on, so nobody is stuck behind one who is.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Courtesy:
    """A line of threads; each waits at most so many seconds for those before it."""

    def __init__(self, seconds: float) -> None:
        self._lock, self._seconds = threading.Lock(), seconds

    @contextmanager
    def turn(self) -> Iterator[None]:
        """Wait for one's turn, and let the next one have it afterwards."""
        mine = self._lock.acquire(timeout=self._seconds)
        try:
            yield
        finally:
            if mine:
                self._lock.release()
