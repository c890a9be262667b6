"""Servers that mean harm meet a child process with little memory and little time; this process hardly notices."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.calendars import Calendars
from microsite.calendars.bounded import MEMORY
from microsite.calendars.bounded import Bounded
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.errors import CalendarChanged
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe
from tests.waiting import wait_until

from .events import NOW
from .events import RULES
from .events import event
from .hostile import WAYS
from .hostile import hostile
from .servers import LOOPBACK
from .servers import PASSWORD
from .servers import Server

MIB = 1024 * 1024
SLOW = {"drip", "drip_head", "many_heads"}
TURNS = 300
"""Of a thread that does something else meanwhile: half a second, on a machine that goes on."""


@pytest.fixture(scope="module", name="calendars")
def _calendars() -> Iterator[Calendars]:
    made = Calendars(None, LOOPBACK)
    yield made
    made.close()
    assert children() == set()


def children(pid: int = 0) -> set[int]:
    """The processes of our module that a process (this one) has started and that still run."""
    found = set()
    for entry in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = entry.read_text().rpartition(")")[2].split()
            command = (entry.parent / "cmdline").read_bytes()
        except OSError:
            continue
        if int(fields[1]) == (pid or os.getpid()) and b"calendars.contained" in command and fields[0] != "Z":
            found.add(int(entry.parent.name))
    return found


def rss() -> int:
    """Bytes of memory of this process."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def account(port: int) -> Account:
    """A calendar at a port of loopback."""
    return Account(calendar="hostile", url=f"http://127.0.0.1:{port}/c/", username="coach", password=PASSWORD)


@pytest.mark.parametrize("way", WAYS)
def test_a_hostile_reply_is_an_error_in_time_and_costs_this_process_no_memory(calendars: Calendars, way: str) -> None:
    with hostile(way) as port:
        before, started = rss(), time.monotonic()
        with pytest.raises(CalendarUnreachable if way in SLOW else CalendarUnsafe):
            calendars.pull(account(port), Known(), RULES, NOW, 2.0 if way in SLOW else 20.0)
        assert time.monotonic() - started < 60
        assert rss() - before < 20 * MIB


@pytest.mark.parametrize("way", sorted(set(WAYS) - {"drip_head", "many_heads", "squeezed"}))
def test_most_of_it_is_also_refused_without_a_child(way: str) -> None:
    here = Calendars(None, LOOPBACK, contained=False)
    with hostile(way) as port:
        started = time.monotonic()
        with pytest.raises(CalendarUnreachable if way in SLOW else CalendarUnsafe):
            here.pull(account(port), Known(), RULES, NOW, 2.0 if way in SLOW else 20.0)
        assert time.monotonic() - started < 60
    here.close()


def test_other_threads_go_on_while_a_child_is_busy(calendars: Calendars) -> None:
    reached = threading.Event()
    with hostile("drip_head", reached) as port:
        waiting = threading.Thread(target=_pull_in_vain, args=(calendars, port, 30.0))
        waiting.start()
        assert reached.wait(60)
        for _ in range(TURNS):
            sum(range(1000))
            threading.Event().wait(0.001)
        assert waiting.is_alive(), "they only went on when the child was done"
    waiting.join(60)
    assert not waiting.is_alive()


def test_what_the_child_does_is_what_this_process_would_do(calendars: Calendars, server: Server) -> None:
    here = Calendars(None, LOOPBACK, contained=False)
    there = server.account(server.new_calendar())
    written = calendars.create(there, "one", event("one"))
    assert calendars.create(there, "one", event("one")) == written
    assert calendars.read(there, written.href) == here.read(there, written.href)
    assert calendars.pull(there, Known(), RULES, NOW) == here.pull(there, Known(), RULES, NOW)
    assert calendars.find(there, "one") is not None and calendars.find(there, "two") is None
    moved = calendars.replace(there, written.href, event("one", "Moved"), written.etag)
    with pytest.raises(CalendarChanged):
        calendars.replace(there, written.href, event("one", "Again"), written.etag)
    calendars.check(there)
    url = f"http://127.0.0.1:{server.port}{server.home}"
    assert there.url in [found.url for found in calendars.discover(url, there.username, PASSWORD)]
    assert calendars.delete(there, moved.href, moved.etag) is True
    assert calendars.delete(there, moved.href, moved.etag) is False
    here.close()


def test_one_child_is_used_again_and_again(calendars: Calendars, radicale_server: Server) -> None:
    there = radicale_server.account(radicale_server.new_calendar())
    calendars.check(there)
    first = children()
    calendars.check(there)
    assert children() == first and len(first) == 1


def test_a_password_is_in_no_argument_and_no_environment(calendars: Calendars, radicale_server: Server) -> None:
    calendars.check(radicale_server.account(radicale_server.new_calendar()))
    (child,) = children()
    shown = Path(f"/proc/{child}/cmdline").read_bytes() + Path(f"/proc/{child}/environ").read_bytes()
    assert PASSWORD.encode() not in shown
    assert {entry.split(b"=")[0] for entry in Path(f"/proc/{child}/environ").read_bytes().split(b"\0") if entry} == {
        b"PYTHONPATH",
        b"MALLOC_ARENA_MAX",
    }


def test_a_child_that_was_killed_is_replaced(calendars: Calendars, radicale_server: Server) -> None:
    there = radicale_server.account(radicale_server.new_calendar())
    calendars.check(there)
    (child,) = children()
    os.kill(child, signal.SIGKILL)
    calendars.check(there)
    assert children() != {child}


def test_more_slow_servers_than_children_are_refused_in_time(calendars: Calendars) -> None:
    with hostile("drip_head") as port:
        threads = [threading.Thread(target=_pull_in_vain, args=(calendars, port)) for _ in range(5)]
        started = time.monotonic()
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(60)
        assert time.monotonic() - started < 40
    assert len(children()) <= 1


def test_closing_ends_every_child_and_what_is_asked_afterwards_leaves_none(radicale_server: Server) -> None:
    before = children()
    mine = Calendars(None, LOOPBACK)
    there = radicale_server.account(radicale_server.new_calendar())
    mine.check(there)
    assert len(children() - before) == 1
    mine.close()
    assert children() == before
    mine.check(there)
    assert children() == before


def test_children_die_with_a_parent_that_is_killed_even_in_the_middle_of_a_call() -> None:
    program = (
        "import sys\n"
        "from microsite.calendars import Calendars\n"
        "from microsite.core.mirror import Account, Known\n"
        "from tests.calendars.events import RULES, NOW\n"
        "account = Account(calendar='x', url=f'http://127.0.0.1:{sys.argv[1]}/c/')\n"
        "Calendars(None, frozenset({'127.0.0.1'})).pull(account, Known(), RULES, NOW, 60)\n"
    )
    reached = threading.Event()
    with hostile("drip_head", reached) as port:
        parent = subprocess.Popen([sys.executable, "-c", program, str(port)])
        assert reached.wait(60)
        born = children(parent.pid)
        assert born
        parent.kill()
        parent.wait()
        wait_until(lambda: not any(_runs(child) for child in born), what="the end of the children")


def test_a_child_may_use_no_more_memory_than_it_was_given(radicale_server: Server) -> None:
    there = radicale_server.account(radicale_server.new_calendar())
    before = children()
    small = Bounded(LOOPBACK, memory=MEMORY // 2)
    small.check(there, 20)
    (child,) = children() - before
    (line,) = [line for line in Path(f"/proc/{child}/limits").read_text().splitlines() if "address space" in line]
    assert line.split()[3:5] == [str(MEMORY // 2)] * 2
    small.close()


def test_a_child_that_ran_out_of_memory_is_an_unsafe_reply_and_not_the_end(radicale_server: Server) -> None:
    there = radicale_server.account(radicale_server.new_calendar())
    tight = Bounded(LOOPBACK, memory=160 * MIB)
    with hostile("squeezed") as port:
        for _ in range(2):
            with pytest.raises(CalendarUnsafe):
                tight.pull(account(port), Known(), RULES, NOW, 20)
    tight.close()
    calendars = Calendars(None, LOOPBACK)
    calendars.check(there)
    calendars.close()


def test_the_rooms_door_loads_nothing_heavy() -> None:
    program = (
        "import sys, microsite.calendars as c\n"
        "calendars = c.Calendars(None, frozenset({'127.0.0.1'}))\n"
        "from microsite.core.mirror import Account\n"
        "try: calendars.check(Account(calendar='x', url='http://127.0.0.1:9/c/'))\n"
        "except c.CalendarMissing.__mro__[1]: pass\n"
        "calendars.close()\n"
        "heavy = {'caldav', 'niquests', 'lxml', 'radicale', 'icalendar', 'recurring_ical_events'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"


def _pull_in_vain(calendars: Calendars, port: int, seconds: float = 1.5) -> None:
    with pytest.raises(CalendarUnreachable):
        calendars.pull(account(port), Known(), RULES, NOW, seconds)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
