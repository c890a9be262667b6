"""Calendars that mean harm, at a running site: its memory hardly grows and its pages answer while they are polled.

The coach has one calendar for each way of doing harm (300 MB, endless, byte by byte, XML bombs, redirects, …) and feeds
full of rules that never end. All are polled at once; meanwhile visitors look and one of them books.
"""

import os
import time
import urllib.request
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import ExitStack
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from threading import Event
from threading import Thread
from typing import NamedTuple

import pytest

from microsite.config import load_config
from microsite.core.spans import DAY
from microsite.services import Services
from microsite.services import build
from tests.calendars.hostile import WAYS
from tests.calendars.hostile import hostile
from tests.conftest import House
from tests.conftest import Site
from tests.waiting import free_port
from tests.waiting import wait_until

pytestmark = pytest.mark.long
COACH = "sari"
MIB = 1024 * 1024
PAGES = ("/", f"/{COACH}/sesi/", f"/{COACH}/", "/healthz")
ONE_SECOND = 1.0
ROUNDS, STANDSTILLS = 4, 3


def swarm(count: int, rule: str) -> bytes:
    """So many series of one rule."""
    events = "".join(
        f"BEGIN:VEVENT\r\nUID:{number}\r\nDTSTAMP:20260101T000000Z\r\nDTSTART:20260101T{number % 24:02}0000Z\r\n"
        f"DURATION:PT1M\r\nRRULE:{rule}\r\nEND:VEVENT\r\n"
        for number in range(count)
    )
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//bad//EN\r\n{events}END:VCALENDAR\r\n".encode()


FEEDS = {
    "seconds": swarm(1000, "FREQ=SECONDLY"),
    "daily": swarm(5000, "FREQ=DAILY"),
    "never": swarm(1000, "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30"),
    "many": b"BEGIN:VCALENDAR\r\n" + b"BEGIN:VEVENT\r\nEND:VEVENT\r\n" * 150_000 + b"END:VCALENDAR\r\n",
    "deep": b"BEGIN:VCALENDAR\r\n" * 200_000,
}


@pytest.fixture(name="feeds")
def _feeds() -> Iterator[int]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = FEEDS[self.path.strip("/").removesuffix(".ics")]
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(5)


class Looks(NamedTuple):
    """Seconds that each look took, and what all of them cost the site in processor time."""

    took: list[float]
    cost: float

    def slow(self, bearable: float) -> int:
        """How many took longer than that."""
        return sum(took >= bearable for took in self.took)

    def beyond(self, quiet: "Looks") -> float:
        """Processor time beyond what so many looks cost in peace: what was done in the site's own processes."""
        return self.cost - len(self.took) * quiet.cost / len(quiet.took)


def cpu_of(pid: int) -> float:
    """Processor time of a process so far, in seconds."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


class Threatened:
    """A running site whose coach's hostile calendars are not polled yet; `services` looks into its database."""

    def __init__(self, site: Site, services: Services, names: list[str]) -> None:
        self.site, self.services, self.names = site, services, names

    def poll_all(self) -> None:
        """All of them, now, as if none had ever been tried."""
        with self.services.store.write() as tx:
            for name in self.names:
                unread = {"state": "NEW", "sync_token": "", "ctag": "", "last_full_at": 0, "failures": 0}
                tx.mirror.touch(name, next_poll_at=0, backoff_until=0, **unread)
                self.services.jobs.enqueue(tx, "sync", name)

    def waiting(self) -> list[str]:
        """Those that were not tried to the end yet."""
        with self.services.store.read() as tx:
            rows = [tx.mirror.get(name) for name in self.names]
        return [row.id for row in rows if not row.failures and not row.last_full_at]

    def processes(self) -> dict[int, int]:
        """Memory in bytes of each process of the site, without the children that speak to calendars."""
        assert self.site.process is not None
        family, found = {self.site.process.pid}, dict[int, int]()
        for _ in range(3):
            family |= {pid for pid, parent in parents().items() if parent in family}
        for pid in family:
            try:
                command = Path(f"/proc/{pid}/cmdline").read_bytes()
                pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
            except OSError:
                continue
            if b"calendars.contained" not in command:
                found[pid] = pages * os.sysconf("SC_PAGE_SIZE")
        return found

    def looks(self, seconds: float, until: Callable[[], bool] = lambda: False) -> Looks:
        """Look at pages again and again."""
        deadline, took, before = time.monotonic() + seconds, list[float](), self.processor_time()
        while time.monotonic() < deadline and not until():
            for page in PAGES:
                begun = time.monotonic()
                with urllib.request.urlopen(f"{self.site.base}{page}", timeout=120) as answer:
                    assert answer.status == 200 and answer.read()
                took.append(time.monotonic() - begun)
            Event().wait(0.05)
        return Looks(took, self.processor_time() - before)

    def looks_while_polled(self) -> Looks:
        """The same while all of the calendars are polled."""
        self.poll_all()
        seen = self.looks(480, until=lambda: not self.waiting())
        assert self.waiting() == []
        return seen

    def processor_time(self) -> float:
        """Seconds that the processes of the site have had, without the children that speak to calendars."""
        return sum(cpu_of(pid) for pid in self.processes())


def parents() -> dict[int, int]:
    """Each process and its parent."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            found[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    return found


@pytest.fixture(name="threatened")
def _threatened(tmp_path: Path, feeds: int) -> Iterator[Threatened]:
    instance, port, now = tmp_path / "instance", free_port(), int(time.time())
    house = House(instance)
    with ExitStack() as kept:
        urls = {way: f"http://127.0.0.1:{kept.enter_context(hostile(way))}/c/" for way in WAYS}
        urls |= {name: f"http://127.0.0.1:{feeds}/{name}.ics" for name in FEEDS}
        with house.services.store.write() as tx:
            for name, url in urls.items():
                roles = {"busy", "feed"} if name in FEEDS else {"busy"}
                tx.mirror.add_calendar(f"bad-{name}", COACH, url, name, roles)
                later = {"next_poll_at": now + DAY, "window_end": now + 430 * DAY}
                tx.mirror.touch(f"bad-{name}", last_ok_at=now, **later)
        house.close()
        (instance / "config.toml").write_text(
            f'[site]\naddress = "http://localhost:{port}"\n[calendars]\nallow_private_hosts = ["127.0.0.1"]\n'
        )
        (instance / "config.toml").chmod(0o600)
        site = Site(instance, port).start()
        services = build(load_config(site.environ))
        yield Threatened(site, services, [f"bad-{name}" for name in urls])
        services.close()
        site.stop()


def test_hostile_calendars_cost_the_site_no_memory_and_its_visitors_no_time(threatened: Threatened) -> None:
    def looked() -> bool:
        with urllib.request.urlopen(f"{threatened.site.base}/{COACH}/sesi/", timeout=60) as answer:
            return bool(answer.status == 200)

    wait_until(looked, 60, "a picker with times")
    quiet = threatened.looks(5)
    before = threatened.processes()
    # A machine on which a page takes long in peace says nothing about the harm, nor does one that stood still now and
    # then, which makes one look slow each time: harm is done each time, by each of the calendars.
    bearable = max(ONE_SECOND, 4 * max(quiet.took))
    harmed = [threatened.looks_while_polled()]
    while harmed[-1].slow(bearable) > STANDSTILLS and len(harmed) < ROUNDS:
        harmed.append(threatened.looks_while_polled())
    after = threatened.processes()
    grown = {pid: (size - before[pid]) / MIB for pid, size in after.items() if pid in before}
    assert set(after) == set(before), "a process of the site ended or was added"
    assert max(grown.values()) < 20, grown
    assert min(seen.slow(bearable) for seen in harmed) <= STANDSTILLS, [sorted(seen.took)[-9:] for seen in harmed]
    # Handing the work out and storing what came of it takes one; reading it here would take tens.
    assert min(seen.beyond(quiet) for seen in harmed) < 6, [seen.cost for seen in harmed]
