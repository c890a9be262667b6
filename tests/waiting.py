"""Waiting for what happens elsewhere, and ports nobody listens on."""

import random
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress

PATIENCE = 45.0
"""Seconds that a test waits for what happens soon: far more than a machine that stands still for some of them needs.

Less than a minute, so that what the site only takes up again once a minute is not taken for what it does at once.
"""
_DEALT: set[int] = set()


def free_port() -> int:
    """A port of the loopback interface that nobody listens on; in one process never the same twice.

    Below those that the system deals out: one of these may be an outgoing connection's before somebody listens on it.
    """
    while True:
        port = random.SystemRandom().randrange(20_000, 32_000)
        if port in _DEALT:
            continue
        with socket.socket() as probe, suppress(OSError):
            probe.bind(("127.0.0.1", port))
            _DEALT.add(port)
            return port


def wait_until(true: Callable[[], object], seconds: float = PATIENCE, what: str = "it") -> object:
    """Poll until `true()` answers something true; a generous deadline, never a tight time."""
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        threading.Event().wait(0.02)
    return answer
