"""The places that the contract is tried in, and handlers that keep count."""

import logging
import threading
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.jobs import Work
from microsite.logs import AllowListFormatter
from tests.jobs.places import ON_POSTGRES
from tests.jobs.places import ON_SQLITE
from tests.jobs.places import Place
from tests.jobs.process import Journal
from tests.jobs.process import Runner
from tests.postgres import wanted
from tests.waiting import wait_until


@pytest.fixture(params=ON_POSTGRES if wanted() else ON_SQLITE, name="place")
def _place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    """An engine's place of the test's own."""
    url = f"sqlite:///{tmp_path}/site.db"
    if "PostgreSQL" in request.param:
        url = request.getfixturevalue("postgres_url")
    place = Place(request.param, url, tmp_path)
    yield place
    place.close()


class Count:
    """Handlers by kind, each run counted when it begins; a `held` one waits until it is let go."""

    def __init__(self) -> None:
        self.began: Counter[str] = Counter()
        self.ended: Counter[str] = Counter()
        self.at_once = 0
        self.held = threading.Event()
        self.do: dict[str, Callable[[str], None]] = {"plain": lambda _key: None, "held": self._hold}
        self._guard = threading.Lock()

    @property
    def work(self) -> Work:
        """For an engine."""
        return Work({kind: self._counted(kind) for kind in self.do})

    def _hold(self, _key: str) -> None:
        assert self.held.wait(120)

    def _counted(self, kind: str) -> Callable[[str], None]:
        def run(key: str) -> None:
            name = f"{kind} {key}".strip()
            with self._guard:
                self.began[name] += 1
                self.at_once = max(self.at_once, self.began[name] - self.ended[name])
            try:
                self.do[kind](key)
            finally:
                with self._guard:
                    self.ended[name] += 1

        return run


@pytest.fixture(name="count")
def _count() -> Iterator[Count]:
    """A count of the test's own; what is still held at the end is let go."""
    own = Count()
    yield own
    own.held.set()


@pytest.fixture(name="idle")
def _idle(place: Place) -> Callable[[], None]:
    """Wait until no job waits or runs."""
    return lambda: wait_until(lambda: place.left()[0] == 0, what="an empty queue") and None


@pytest.fixture(name="journal")
def _journal(tmp_path: Path) -> Journal:
    """What the runners of other processes did."""
    return Journal(tmp_path / "journal")


@pytest.fixture(name="runner")
def _runner(place: Place, journal: Journal) -> Iterator[Callable[..., Runner]]:
    """Start runners in processes of their own; all are stopped in the end."""
    started: list[Runner] = []

    def start(folder: Path | None = None) -> Runner:
        new = Runner(place, journal, folder)
        started.append(new)
        wait_until(lambda: new.pid in {line.pid for line in journal.lines("ready")}, 60, "a ready runner")
        return new

    yield start
    journal.release.touch()
    for one in started:
        one.stop()


@pytest.fixture(name="log")
def _log() -> Iterator[list[str]]:
    """The lines that the site's log would hold."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler = Lines()
    handler.setFormatter(AllowListFormatter())
    logging.getLogger().addHandler(handler)
    yield lines
    logging.getLogger().removeHandler(handler)
