"""Keeps password guessing from taking the web's few threads: unproven passwords are checked one at a time.

Checking a password costs a tenth of a second of a thread; ten guesses at once would be a second without pages. An app
that has signed in before is known by its header and never waits, so nobody can lock the coach out by guessing.
"""

import hashlib
import secrets
import threading
from collections import OrderedDict
from typing import Literal

Entry = Literal["known", "turn", "refused"]
MAX_PROVEN = 256
PATIENCE = 0.5
"""Seconds that an unproven sign-in waits for its turn before it is told to come again."""


class Logins:
    """Which `Authorization` headers have worked (as salted hashes, in memory), and the one place for the others."""

    def __init__(self) -> None:
        self._salt = secrets.token_bytes(16)
        self._proven: OrderedDict[bytes, None] = OrderedDict()
        self._lock = threading.Lock()
        self._turn = threading.Semaphore(1)

    def enter(self, header: str) -> Entry:
        """May this sign-in be checked now? Unless it is refused, `leave` must follow with the same answer."""
        if not header or self._is_proven(header):
            return "known"
        return "turn" if self._turn.acquire(timeout=PATIENCE) else "refused"

    def leave(self, header: str, entry: Entry, status: int) -> None:
        """The check is over. Only what was done proves a header: redirects and refusals may come before any check."""
        if entry == "turn":
            self._turn.release()
        if header and 200 <= status < 300:
            self._prove(header)

    def _prove(self, header: str) -> None:
        with self._lock:
            self._proven[self._hash(header)] = None
            self._proven.move_to_end(self._hash(header))
            while len(self._proven) > MAX_PROVEN:
                self._proven.popitem(last=False)

    def _is_proven(self, header: str) -> bool:
        with self._lock:
            return self._hash(header) in self._proven

    def _hash(self, header: str) -> bytes:
        return hashlib.sha256(self._salt + header.encode("utf-8", "replace")).digest()
