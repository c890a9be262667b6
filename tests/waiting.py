"""Waiting for what happens elsewhere, and ports nobody listens on."""

import socket
import threading
import time
from collections.abc import Callable


def free_port() -> int:
    """A port of the loopback interface that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until(true: Callable[[], object], seconds: float = 20.0, what: str = "it") -> object:
    """Poll until `true()` answers something true; a generous deadline, never a tight time."""
    deadline = time.monotonic() + seconds
    while not (answer := true()):
        assert time.monotonic() < deadline, f"{what} did not happen within {seconds} s"
        threading.Event().wait(0.02)
    return answer
