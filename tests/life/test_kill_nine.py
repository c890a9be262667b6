"""The power fails at each boundary of each happening: after the next start everything is as if it had not.

A boundary is before and after a commit, a request to the calendar, a letter handed over; they are counted, not listed.
`LIFE=long` dies at every one of them; else at every fourth, with another first one for each happening.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import ROOT

from .happenings import HAPPENINGS

pytestmark = pytest.mark.long
NEVER = 1_000_000
STRIDE = 1 if os.environ.get("LIFE") == "long" else 4
DRIVERS = 2
POINTS: dict[str, int] = {}
"""How often the power failed, by happening."""


class Driver:
    """A warmed process that forks the ones that die."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(mode=0o700)
        command = [sys.executable, "-m", "tests.life.crash", str(folder)]
        self.process = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)

    def run(self, name: str, fatal: int) -> "End":
        """One death (or none) and what came after it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(json.dumps([name, fatal]) + "\n")
        self.process.stdin.flush()
        return End(*json.loads(self.process.stdout.readline()))

    def share(self, name: str, points: range) -> list[tuple[int, "End"]]:
        """Several deaths, one after the other."""
        return [(at, self.run(name, at)) for at in points]

    def close(self) -> None:
        """End it."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        self.process.wait(30)
        self.process.stdout.close()


class End:
    """How it ended: the first process, how many boundaries it passed, the second one, and what is then so."""

    def __init__(self, first: int, passed: int, second: int, found: dict[str, Any]) -> None:
        self.first, self.passed, self.second, self.found = first, passed, second, found

    @property
    def told(self) -> dict[str, list[Any]]:
        """What each reader got, a letter that came twice counted once."""
        return {to: [said[1:] for said in _first_of_each(letters)] for to, letters in self.found["letters"].items()}

    @property
    def repeated(self) -> list[list[Any]]:
        """Letters that came a second time."""
        return [said for letters in self.found["letters"].values() for said in _again(letters)]

    def but_letters(self) -> dict[str, Any]:
        """Bookings, events and jobs."""
        return {name: value for name, value in self.found.items() if name != "letters"}


def _first_of_each(letters: list[list[Any]]) -> list[list[Any]]:
    return [said for at, said in enumerate(letters) if said[0] not in {other[0] for other in letters[:at]}]


def _again(letters: list[list[Any]]) -> list[list[Any]]:
    return [said for at, said in enumerate(letters) if said[0] in {other[0] for other in letters[:at]}]


@pytest.fixture(scope="module", name="drivers")
def _drivers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Driver]]:
    folder = tmp_path_factory.mktemp("crash")
    drivers = [Driver(folder / str(number)) for number in range(DRIVERS)]
    yield drivers
    for driver in drivers:
        driver.close()


@pytest.mark.parametrize("name", HAPPENINGS)
def test_kill_nine_at_any_boundary_loses_nothing_and_repeats_at_most_the_letter_in_flight(
    name: str, drivers: list[Driver]
) -> None:
    whole = drivers[0].run(name, NEVER)
    assert (whole.first, whole.second, whole.repeated, whole.found["queued"]) == (0, 0, [], [])
    first = 1 + list(HAPPENINGS).index(name) % STRIDE
    points = range(first, whole.passed + 1, STRIDE)
    with ThreadPoolExecutor(len(drivers)) as pool:
        shares = [
            pool.submit(
                lambda mine, driver: [(at, driver.run(name, at)) for at in mine], points[number::DRIVERS], driver
            )
            for number, driver in enumerate(drivers)
        ]
        ends = [end for share in shares for end in share.result()]
    for at, end in ends:
        where = f"«{name}», killed at {at} of {whole.passed}"
        assert os.WIFSIGNALED(end.first), where
        assert os.WTERMSIG(end.first) == signal.SIGKILL, where
        assert end.second == 0, where
        assert end.but_letters() == whole.but_letters(), where
        assert end.told == whole.told, where
        assert len(end.repeated) <= 1, where
    POINTS[name] = len(ends)


def test_the_power_failed_at_fifty_places_at_least() -> None:
    """Runs after the others; it guards the counting itself."""
    assert set(POINTS) == set(HAPPENINGS)
    assert sum(POINTS.values()) >= 50
    assert min(POINTS.values()) >= 2
