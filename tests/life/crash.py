"""A process that forks others, lets them die by SIGKILL at a chosen boundary, and lets the next one go on.

Run as `python -m tests.life.crash FOLDER`; it answers JSON lines. The boundaries are counted from outside: before and
after each commit, each request to the calendar and each letter handed over. Nothing in the site knows of them.
"""

import json
import os
import re
import shutil
import signal
import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path
from typing import Any

import icalendar

from tests.postgres import copy_database

from .happenings import HAPPENINGS
from .happenings import Happening
from .house import COACH
from .house import NOW
from .house import Home
from .house import settings

ROUND = 131
"""Seconds between two looks of the second process: more than the grace time of a doubt."""
CALENDAR_CALLS = ("pull", "create", "read", "replace", "delete")


class Counter:
    """Counts boundaries, and ends this process at one of them."""

    def __init__(self, fatal: int) -> None:
        self.fatal, self.passed = fatal, 0

    def boundary(self) -> None:
        """Nobody who is killed here can say goodbye."""
        self.passed += 1
        if self.passed == self.fatal:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, call: Callable[..., Any]) -> Callable[..., Any]:
        """The same call with a boundary on either side."""

        def counted(*args: Any, **kwargs: Any) -> Any:
            self.boundary()
            came = call(*args, **kwargs)
            self.boundary()
            return came

        return counted

    def watch(self, home: Home) -> None:
        """Count what this house does."""
        write = home.services.store.write

        @contextmanager
        def counted() -> Iterator[Any]:
            with write() as tx:
                yield tx
                self.boundary()
            self.boundary()

        home.services.store.write = counted  # type: ignore[method-assign]
        for name in CALENDAR_CALLS:
            setattr(home.services.calendars, name, self.around(getattr(home.services.calendars, name)))
        home.services.mailer.send = self.around(home.services.mailer.send)


def in_child(work: Callable[[], object], report: Path) -> int:
    """Do it in a forked process; what it answers is written to `report`. How that process ended."""
    pid = os.fork()
    if pid == 0:
        code = 1
        try:
            report.write_text(json.dumps(work()))
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    return status


def prepare(folder: Path, happening: Happening) -> None:
    """What has been, on disk."""
    home = Home(folder, embedded=True)
    home.furnish_inside(settings())
    for step in happening.given:
        step(home)
    home.close()


def happen(folder: Path, happening: Happening, fatal: int, now: int) -> int:
    """What happens, up to the boundary `fatal`; how many boundaries were passed."""
    home = Home(folder, now=now, embedded=True)
    counter = Counter(fatal)
    counter.watch(home)
    happening.when(home)
    home.drain()
    if happening.grace:
        home.now += happening.grace
        home.drain()
    return counter.passed


def go_on(folder: Path, happening: Happening, release: bool) -> dict[str, Any]:
    """The next process: whoever saw no answer asks again, jobs run to their end, and this is what is then so."""
    home = Home(folder, now=NOW + (5 if release else 70), embedded=True)
    home.hands.begin_anew(home.services, clean=release)
    happening.when(home)
    home.drain()
    home.pass_time(2 * happening.grace + ROUND, ROUND)
    return outcome(home)


def outcome(home: Home) -> dict[str, Any]:
    """All that a client, a coach and an operator could see, with what is random taken out."""
    with home.services.store.read() as tx:
        bookings = [tx.bookings.need(row) for row in _ids(tx)]
        queued = tx.letters.all_queued()
    return {
        "bookings": sorted(
            [b.offer, b.state, b.start, b.pending_start, b.client_seq, b.reason, bool(b.coach_href)] for b in bookings
        ),
        "events": _events(home),
        "letters": _letters(home.folder / "mail" / "new"),
        "queued": queued,
        "jobs": sorted({job.split("'")[1] for job in home.jobs()} - {"sync", "judge", "stalled", "purge"}),
    }


def _ids(tx: Any) -> list[str]:
    from sqlalchemy import text

    return [row[0] for row in tx.conn.execute(text("SELECT id FROM booking"))]


def _events(home: Home) -> list[list[Any]]:
    collection = home.folder / "dav" / "collection-root" / COACH / "bookings"
    found = []
    for path in sorted(collection.glob("*.ics")):
        (event,) = icalendar.Calendar.from_ical(path.read_bytes()).walk("VEVENT")
        title = re.sub("[A-Z2-9]{4}$", "REF", str(event["SUMMARY"]))
        found.append([title, int(event["DTSTART"].dt.timestamp()), str(event.get("STATUS", ""))])
    return sorted(found)


def _letters(folder: Path) -> dict[str, list[list[Any]]]:
    """By reader: [Message-ID, subject, METHOD, SEQUENCE, start] in the order they were handed over."""
    letters: dict[str, list[list[Any]]] = {}
    for path in sorted(folder.iterdir(), key=lambda path: path.stat().st_ctime_ns):
        message = BytesParser(policy=SMTP).parsebytes(path.read_bytes())
        said: list[Any] = [str(message["Message-ID"]), str(message["Subject"]), "", 0, 0]
        for part in message.walk():
            if part.get_content_type() == "text/calendar":
                document = icalendar.Calendar.from_ical(part.get_payload(decode=True))
                (event,) = document.walk("VEVENT")
                start = int(event["DTSTART"].dt.timestamp())
                said[2:] = [str(document["METHOD"]), int(event["SEQUENCE"]), start]
        letters.setdefault(str(message["To"]), []).append(said)
    return letters


def one(folder: Path, name: str, fatal: int) -> list[Any]:
    """How the first process ended, what it reported, how the second one ended, and what that one found."""
    happening = HAPPENINGS[name]
    given, here, report = folder / "given" / name, folder / "here", folder / "report"
    if not given.exists():
        given.parent.mkdir(exist_ok=True)
        status = in_child(lambda: prepare(given, happening), report)
        assert status == 0, f"«{name}» could not be prepared"
    shutil.rmtree(here, ignore_errors=True)
    shutil.copytree(given, here)
    copy_database(given, here)
    report.write_text("0")
    release = fatal % 2 == 0
    ended = in_child(lambda: happen(here, happening, fatal, NOW), report)
    passed = json.loads(report.read_text())
    status = in_child(lambda: go_on(here, happening, release), report)
    return [ended, passed, status, json.loads(report.read_text()) if status == 0 else {}]


def warm(folder: Path) -> None:
    """Load here what every child would else load for itself: most is imported when first used."""
    rehearsed = HAPPENINGS["move"]
    prepare(folder / "warm", rehearsed)
    happen(folder / "warm", rehearsed, 0, NOW)
    go_on(folder / "warm", HAPPENINGS["cancel"], release=True)


def main(folder: Path) -> None:
    """Answer one command after the other."""
    warm(folder)
    for line in sys.stdin:
        print(json.dumps(one(folder, *json.loads(line))), flush=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
