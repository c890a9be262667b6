"""The two houses tests live in: `site`, a real `microsite serve` on a free port, and `house`, the rooms in-process.

In a `house` the clock is handed in and jobs run when told to (`drain`), so a test can stop between any two steps.
"""

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.config import load_config
from microsite.core.availability import offer as offer_starts
from microsite.core.bookings import Booking
from microsite.core.people import ClientDetails
from microsite.core.settings import Offer
from microsite.errors import TryAgain
from microsite.services import Services
from microsite.services import build
from microsite.work import book
from microsite.work import demo
from microsite.work import look
from microsite.work.steps import work

ROOT = Path(__file__).parent.parent
NOW = 1_795_406_400
"""Monday 23 November 2026, 04:00 UTC: 11:00 in Jakarta."""


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


class Site:
    """A running `microsite serve` with its demo coach."""

    def __init__(self, instance: Path, port: int, environ: dict[str, str] | None = None) -> None:
        self.instance, self.port = instance, port
        self.base = f"http://localhost:{port}"
        self.stderr = instance.parent / f"{instance.name}.stderr"
        self.environ = {**os.environ, "MICROSITE_INSTANCE": str(instance), "PORT": str(port), **(environ or {})}
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> "Site":
        """Start it and wait until it is healthy."""
        with self.stderr.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "microsite.cli", "serve"],
                cwd=ROOT,
                env=self.environ,
                stdout=log,
                stderr=log,
                stdin=subprocess.DEVNULL,
                start_new_session=True,
            )
        wait_until(self.healthy, 60, "a healthy site")
        return self

    def healthy(self) -> bool:
        """Whether /healthz answers 200."""
        assert self.process is not None
        assert self.process.poll() is None, f"the site ended at start:\n{self.stderr.read_text()}"
        try:
            with urllib.request.urlopen(f"{self.base}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    @property
    def welcome(self) -> dict[str, str]:
        """The lines of WELCOME.txt."""
        text = (self.instance / "WELCOME.txt").read_text()
        return dict(re.findall(r"(?m)^([a-z-]+): (.*)$", text))

    def stop(self) -> None:
        """SIGTERM, and wait for the end."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(20)

    def kill(self) -> None:
        """SIGKILL to every process of the site."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(20)


@pytest.fixture(scope="session", name="site")
def _site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One running site for all tests that only add to it."""
    running = Site(tmp_path_factory.mktemp("site") / "instance", free_port()).start()
    yield running
    running.stop()


@pytest.fixture(name="fresh_site")
def _fresh_site(tmp_path: Path) -> Iterator[Site]:
    """A site of a test's own."""
    running = Site(tmp_path / "instance", free_port()).start()
    yield running
    running.stop()


class House:
    """The demo coach's house in this process, with a clock that stands still until it is moved."""

    def __init__(self, instance: Path, environ: dict[str, str] | None = None) -> None:
        self.now = NOW
        self.instance = instance
        config = load_config({"MICROSITE_INSTANCE": str(instance), **(environ or {})})
        self.services: Services = build(config, lambda: self.now)
        self.services.store.upgrade()
        self.identity, recipient = self.services.sealer.new_identity()
        self.welcome = demo.create(self.services, self.identity, recipient)
        self.work = work(self.services)

    def drain(self, most: int = 1000) -> list[str]:
        """Run due jobs one by one in this thread until none is due; answers what ran. Errors are raised."""
        ran: list[str] = []
        while len(ran) < most:
            with self.services.store.write() as tx:
                rows = tx.queue.claim("test", self.now, self.now + 60, 1)
            if not rows:
                break
            ran.append(self.run(rows[0]))
        return ran

    def run(self, row: object) -> str:
        """Run one claimed job and settle it as the engine would."""
        kind, key = row.kind, row.key  # type: ignore[attr-defined]
        try:
            self.work.handlers[kind](key)
        except TryAgain as again:
            with self.services.store.write() as tx:
                tx.queue.retry(row, "test", self.now + max(again.seconds, 1), "", row.attempts)  # type: ignore[arg-type]
        else:
            with self.services.store.write() as tx:
                tx.queue.finish(row, "test")  # type: ignore[arg-type]
        return f"{kind} {key}"

    def offer(self, slug: str = "sesi") -> Offer:
        """One of the demo coach's offers."""
        found = look.coach(self.services, demo.SLUG).settings.offer(slug)
        assert found is not None
        return found

    def starts(self, slug: str = "sesi") -> list[int]:
        """The starts that are offered now."""
        return offer_starts(look.times(self.services, look.coach(self.services, demo.SLUG), self.offer(slug)))

    def book(
        self, start: int | None = None, slug: str = "sesi", email: str = "budi@example.com", invitation: str = ""
    ) -> book.Placed:
        """A visitor's POST, before any job ran."""
        at = self.starts(slug)[0] if start is None else start
        details = ClientDetails("Budi", email, "halo")
        return book.book(self.services, demo.SLUG, slug, at, details, "id", "Asia/Makassar", invitation)

    def booking(self, booking_id: str) -> Booking:
        """The booking as it is now."""
        with self.services.store.read() as tx:
            return tx.bookings.need(booking_id)

    def letters(self, booking_id: str, recipient: str = "client") -> list[tuple[str, str]]:
        """(kind, state) of the letters about a booking to the client or the coach, in order."""
        with self.services.store.read() as tx:
            return [(row.kind, row.state) for row in tx.letters.of(booking_id) if row.recipient == recipient]

    def close(self) -> None:
        """Give everything back."""
        self.services.close()


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> Iterator[House]:
    """A house of the test's own."""
    own = House(tmp_path / "instance")
    yield own
    own.close()
