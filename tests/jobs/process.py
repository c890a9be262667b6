"""A runner in a process of its own, which a test can kill; `Runner` says with which words it is started.

Every run of a job is a line in the journal: when, who, kind, key. A `hold` job never ends unless the file beside the
journal says so; a `pass` job hands on to one, a
`relay` job to another of its kind, as often as its key says, and then to `mark`.
"""

import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import NamedTuple

from microsite.jobs import Every
from microsite.jobs import Work
from microsite.store import Store
from tests.jobs.places import Pace
from tests.jobs.places import Place
from tests.jobs.places import engine_of

ROOT = Path(__file__).parent.parent.parent


class Line(NamedTuple):
    """One run of a job, at its start."""

    at: float
    pid: int
    kind: str
    key: str


class Journal:
    """What all runners did, in one file that whole lines are added to."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.release = path.with_suffix(".release")

    def write(self, kind: str, key: str) -> None:
        """Add a line."""
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT)
        os.write(descriptor, f"{time.time()} {os.getpid()} {kind} {key}\n".encode())
        os.close(descriptor)

    def lines(self, kind: str = "") -> list[Line]:
        """All lines, or those of one kind."""
        text = self.path.read_text() if self.path.exists() else ""
        split = [line.split(" ", 3) for line in text.splitlines()]
        found = [Line(float(at), int(pid), name, key) for at, pid, name, key in split]
        return [line for line in found if kind in ("", line.kind)]


class Runner:
    """Such a process."""

    def __init__(self, place: Place, journal: Journal, folder: Path | None = None) -> None:
        words = [place.name, place.store.url, place.url, str(folder or place.folder), str(journal.path)]
        words += map(str, place.pace)
        command = [sys.executable, "-m", "tests.jobs.process", *words]
        self.process = subprocess.Popen(command, cwd=ROOT)
        self.pid = self.process.pid

    def kill(self) -> None:
        """As a power failure: it can do nothing more."""
        self.process.kill()
        self.process.wait(60)

    def stop(self) -> None:
        """As an operator does; it has to end well."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            self.process.wait(60)


def main(name: str, store_url: str, url: str, folder: str, journal_path: str, *pace: str) -> None:
    """Run jobs until SIGTERM."""
    done = threading.Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: done.set())
    journal = Journal(Path(journal_path))

    def mark(kind: str, key: str) -> None:
        journal.write(kind, key)

    def hold(key: str) -> None:
        journal.write("hold", key)
        while not journal.release.exists():
            done.wait(0.02)

    def hand_on(key: str) -> None:
        journal.write("pass", key)
        with store.write() as tx:
            engine.hand_on(tx, "hold", key)

    handlers = {"mark": lambda key: mark("mark", key), "tick": lambda key: mark("tick", key), "hold": hold}

    def relay(key: str) -> None:
        journal.write("relay", key)
        left, name = key.split("-", 1)
        then = ("relay", f"{int(left) - 1}-{name}") if left != "0" else ("mark", name)
        with store.write() as tx:
            engine.hand_on(tx, *then)

    handlers |= {"pass": hand_on, "relay": relay}
    store = Store(store_url)
    engine = engine_of(name, store, url, Path(folder), Pace(float(pace[0]), int(pace[1])))
    engine.start(Work(handlers, [Every(1, "tick")]))
    journal.write("ready", "")
    done.wait()
    engine.stop()
    store.close()


if __name__ == "__main__":
    main(*sys.argv[1:])
