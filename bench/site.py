"""A site to be measured: the demo coach's instance with wide limits, and servers that run on it."""

import os
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from collections.abc import Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from microsite.config import Config
from microsite.config import load_config
from microsite.services import Services
from microsite.services import build
from microsite.work import demo
from tests.waiting import free_port
from tests.waiting import wait_until

from .machine import ROOT

WIDE = """
[site]
address = "http://localhost:8000"
[limits]
bookings = "10000000 per hour"
tokens = "10000000 per minute"
"""
SERVE = ("-m", "microsite.cli", "serve")


class Instance:
    """A demo coach's folder. `user` and `password` open her embedded calendars."""

    def __init__(self, folder: Path, more: str = "") -> None:
        self.folder = folder
        services = build(self.config)
        try:
            services.store.upgrade()
            identity, recipient = services.sealer.new_identity()
            welcome = demo.create(services, identity, recipient)
        finally:
            services.close()
        self.user, self.password = welcome.user, welcome.password
        (folder / "config.toml").write_text(WIDE + more, "utf-8")

    @property
    def config(self) -> Config:
        """Its settings as they are now."""
        return load_config({"MICROSITE_INSTANCE": str(self.folder)})

    @contextmanager
    def opened(self) -> Iterator[Services]:
        """Its rooms in this process, with no job running here."""
        services = build(self.config)
        try:
            yield services
        finally:
            services.close()


@contextmanager
def instance(more: str = "") -> Iterator[Instance]:
    """A demo coach's instance in a folder that is removed in the end. `more` is added to its settings."""
    with TemporaryDirectory(prefix="microsite-bench-") as folder:
        yield Instance(Path(folder) / "instance", more)


class Server:
    """A process of ours that serves HTTP on a free port of the loopback interface."""

    def __init__(self, folder: Path, command: Sequence[str] = SERVE) -> None:
        self.port = free_port()
        self.base = f"http://localhost:{self.port}"
        self.log = folder.parent / f"server-{self.port}.log"
        environ = {**os.environ, "MICROSITE_INSTANCE": str(folder), "PORT": str(self.port)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, *command],
                cwd=ROOT,
                env=environ,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )

    @property
    def pid(self) -> int:
        """Its first process."""
        return self.process.pid

    def answers(self) -> bool:
        """Whether /healthz says that all is well; raises RuntimeError where the process has ended."""
        if self.process.poll() is not None:
            raise RuntimeError(f"the server ended at its start:\n{self.log.read_text('utf-8')}")
        try:
            with urllib.request.urlopen(f"{self.base}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def stop(self) -> None:
        """SIGTERM, and the end of whatever does not follow."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            self.process.wait(20)
        except subprocess.TimeoutExpired:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait(20)


@contextmanager
def serving(folder: Path, command: Sequence[str] = SERVE) -> Iterator[Server]:
    """A server that is healthy, and stopped in the end."""
    server = Server(folder, command)
    try:
        wait_until(server.answers, 60, "a healthy server")
        yield server
    finally:
        server.stop()
