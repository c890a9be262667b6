"""A private Redis (or Valkey) of the tests' own: on a free port of loopback, nothing on disk, bounded memory."""

import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from tests.waiting import free_port
from tests.waiting import wait_until

PROGRAMS = ("redis-server", "valkey-server")


def program() -> str | None:
    """The server that is installed, if there is one."""
    return next((found for name in PROGRAMS if (found := shutil.which(name))), None)


class Redis:
    """A running server, which can be stopped and started."""

    def __init__(self) -> None:
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Its address."""
        return f"redis://127.0.0.1:{self.port}"

    def start(self) -> "Redis":
        """Start it and wait until it answers."""
        found = program()
        assert found is not None, "Redis is not installed (Debian: apt-get install redis-server)"
        settings = {"bind": "127.0.0.1", "port": self.port, "save": "", "appendonly": "no", "maxmemory": "32mb"}
        settings |= {"maxmemory-policy": "volatile-lru", "daemonize": "no", "dir": "/tmp"}
        command = [found, *(word for name, value in settings.items() for word in (f"--{name}", str(value)))]
        self._process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_until(self._answers, 90, "a running Redis")
        return self

    def stop(self) -> None:
        """End it; what it counted is gone."""
        if self._process is not None:
            self._process.terminate()
            self._process.wait(60)

    def ask(self, *words: str) -> bytes:
        """What it answers to one command."""
        with socket.create_connection(("127.0.0.1", self.port), 30) as line:
            line.sendall((" ".join(words) + "\r\n").encode())
            return line.recv(65536)

    def _answers(self) -> bool:
        try:
            return self.ask("PING").startswith(b"+PONG")
        except OSError:
            return False


@contextmanager
def running_redis() -> Iterator[Redis]:
    """A running server, ended in the end."""
    server = Redis().start()
    try:
        yield server
    finally:
        server.stop()
