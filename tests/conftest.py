"""The two houses tests live in: `site`, a real `microsite serve` on a free port, and `house`, the rooms in-process.

In a `house` the clock is handed in and jobs run when told to (`drain`), so a test can stop between any two steps.
"""

import os
import re
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck
from hypothesis import settings

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
from tests.about_sqlite import leave_out
from tests.hands import Taken
from tests.hands import hands_of
from tests.patient import patient
from tests.postgres import _all_on_postgres as _all_on_postgres
from tests.postgres import _empty_postgres_url as _empty_postgres_url
from tests.postgres import _only_postgres as _only_postgres
from tests.postgres import _postgres as _postgres
from tests.postgres import _postgres_url as _postgres_url
from tests.postgres import database_of
from tests.revisions import _revisions as _revisions
from tests.waiting import free_port as free_port
from tests.waiting import wait_until as wait_until

# A machine that stands still for a moment makes one example late: that is nobody's fault, and hypothesis' usual limits
# of wall clock (a fifth of a second for an example, one for making ten) would call it one.
settings.register_profile("patient", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("patient")
ROOT = Path(__file__).parent.parent
NOW = 1_795_406_400
"""Monday 23 November 2026, 04:00 UTC: 11:00 in Jakarta."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """The files that take longest come first, else everybody waits for one of them in the end."""
    leave_out(config, items)
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


class Site:
    """A running `microsite serve` with its demo coach."""

    def __init__(self, instance: Path, port: int, environ: dict[str, str] | None = None) -> None:
        self.instance, self.port = instance, port
        self.base = f"http://localhost:{port}"
        self.stderr = instance.parent / f"{instance.name}.stderr"
        own = {"MICROSITE_INSTANCE": str(instance), "PORT": str(port), **database_of(instance)}
        self.environ = {**os.environ, **own, **(environ or {})}
        self.process: subprocess.Popen[bytes] | None = None
        self.prepare_process: Callable[[], None] | None = None

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
                preexec_fn=self.prepare_process,
            )
        wait_until(self.healthy, 120, "a healthy site")
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
            # How long an end may take is weather/test_stop.py's to judge; here nobody waits in vain.
            self.process.wait(60)

    def kill(self) -> None:
        """SIGKILL to every process of the site."""
        assert self.process is not None
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(60)


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

    def __init__(self, instance: Path) -> None:
        self.now = NOW
        self.instance = instance
        config = load_config({"MICROSITE_INSTANCE": str(instance), **database_of(instance)})
        self.services: Services = patient(build(config, lambda: self.now))
        self.services.store.upgrade()
        self.identity, recipient = self.services.sealer.new_identity()
        self.welcome = demo.create(self.services, self.identity, recipient)
        self.work = work(self.services)
        self.hands = hands_of(self.services)

    def drain(self, most: int = 1000) -> list[str]:
        """Run due jobs one by one in this thread until none is due; answers what ran. Errors are raised."""
        ran: list[str] = []
        while len(ran) < most and (job := self.hands.take()):
            ran.append(self.run(job))
        return ran

    def run(self, job: Taken) -> str:
        """Run one job that was taken and settle it as the engine would."""
        try:
            self.work.handlers[job.kind](job.key)
        except TryAgain as again:
            self.hands.again(job, again.seconds)
        else:
            self.hands.done(job)
        return f"{job.kind} {job.key}"

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
