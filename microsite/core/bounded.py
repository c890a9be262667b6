"""A memory with a limit: what was used least lately is forgotten first. Pure; safe to share between threads.

What is remembered, and until when it is right, is its owner's to know.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable
from typing import Generic
from typing import TypeVar

K = TypeVar("K")
V = TypeVar("V")


class Bounded(Generic[K, V]):
    """Values by key, together never heavier than `limit`; `weigh` says how heavy one is (default: each weighs 1)."""

    def __init__(self, limit: int, weigh: Callable[[V], int] = lambda _value: 1) -> None:
        self.limit, self._weigh = limit, weigh
        self._held: OrderedDict[K, tuple[V, int]] = OrderedDict()
        self._weight = 0
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._held)

    @property
    def weight(self) -> int:
        """How heavy everything together is."""
        return self._weight

    def get(self, key: K) -> V | None:
        """What is remembered under the key, if it still is."""
        with self._lock:
            found = self._held.get(key)
            if found is None:
                return None
            self._held.move_to_end(key)
            return found[0]

    def put(self, key: K, value: V) -> None:
        """Remember a value in place of an earlier one; one that is heavier than everything may be is not kept."""
        weight = self._weigh(value)
        with self._lock:
            _, before = self._held.pop(key, (None, 0))
            self._weight -= before
            if weight > self.limit:
                return
            self._held[key] = (value, weight)
            self._weight += weight
            while self._weight > self.limit:
                _, (_, lost) = self._held.popitem(last=False)
                self._weight -= lost
