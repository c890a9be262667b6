"""Access tokens that are good for now, by the lasting permission they were made from. In memory only."""

import threading
import time
from collections.abc import Callable

from microsite.core.mirror import Tokens
from microsite.errors import CalendarUnreachable

EARLY = 60
"""Seconds before its end that an access token is no longer used."""


class Bearers:
    """Asks for an access token when there is none that lasts; one asker at a time, so that the others find its answer.

    `ask(refresh, seconds)` goes over the network; `clock` is a monotonic one.
    """

    def __init__(self, ask: Callable[[str, float], Tokens], clock: Callable[[], float] = time.monotonic) -> None:
        self._ask, self._clock = ask, clock
        self._known: dict[str, tuple[str, float]] = {}
        self._lock = threading.Lock()

    def get(self, refresh: str, seconds: float) -> str:
        """An access token for this permission. CalendarRefused: it was withdrawn."""
        ends_at = time.monotonic() + seconds
        if not self._lock.acquire(timeout=seconds):
            raise CalendarUnreachable("the provider takes too long to let this site in")
        try:
            access, until = self._known.get(refresh, ("", 0.0))
            if access and self._clock() < until - EARLY:
                return access
            self._known.pop(refresh, None)
            tokens = self._ask(refresh, max(0.0, ends_at - time.monotonic()))
            self._known[refresh] = tokens.access, self._clock() + tokens.seconds
            return tokens.access
        finally:
            self._lock.release()

    def drop(self, refresh: str, access: str) -> None:
        """The server did not take this token."""
        with self._lock:
            if self._known.get(refresh, ("", 0.0))[0] == access:
                del self._known[refresh]
