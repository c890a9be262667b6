"""Starting and stopping: what a first run makes and keeps, what a signal ends, and what a small process never loads."""

import json
import os
import re
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.conftest import Site
from tests.conftest import free_port
from tests.conftest import wait_until
from tests.flow.coach import CalendarApp
from tests.flow.coach import Mailbox
from tests.flow.sockets import session
from tests.flow.visitor import Visitor
from tests.flow.visitor import a_slot
from tests.flow.visitor import reference
from tests.postgres import wanted

FIRST = "/sari/percakapan-pertama/"
HEAVY = ("caldav", "niquests", "lxml", "psycopg", "recurring_ical_events")
LINES = {
    "booking-page": r"http://localhost:\d+/sari/",
    "desk": r"http://localhost:\d+/desk/[\w-]{20,}",
    "caldav-url": r"http://localhost:\d+/dav/",
    "caldav-user": r"sari",
    "caldav-password": r"[\w-]{12,}",
    "mail-folder": r"/.+/mail",
}


@pytest.fixture(name="started", scope="module")
def _started(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site that is only looked at, stopped and started."""
    running = Site(tmp_path_factory.mktemp("start") / "instance", free_port()).start()
    yield running
    running.stop()


@pytest.fixture(name="up", autouse=True)
def _up(started: Site) -> None:
    """Each test finds the site running, whatever the one before did to it."""
    if started.process is None or started.process.poll() is not None:
        started.start()


@pytest.fixture(name="booked", scope="module")
def _booked(started: Site) -> Visitor:
    """A client whose booking is confirmed."""
    visitor = Visitor(started.base)
    visitor.book(FIRST, a_slot(visitor, FIRST))
    visitor.wait_for("confirmed")
    return visitor


def modes(folder: Path) -> dict[str, int]:
    """The mode of everything in a folder, and of the folder."""
    return {
        str(path.relative_to(folder.parent)): stat.S_IMODE(path.stat().st_mode) for path in [folder, *folder.rglob("*")]
    }


@pytest.mark.usefixtures("booked")
def test_all_that_a_first_run_makes_is_for_its_owner_only(started: Site) -> None:
    found = modes(started.instance)

    assert found["instance"] == 0o700
    named = ["WELCOME.txt", "demo-identity.txt", "server.key", *([] if wanted() else ["site.db"])]
    assert {found[f"instance/{name}"] for name in named} == {0o600}
    assert {name: oct(mode) for name, mode in found.items() if mode & 0o077} == {}


def test_the_welcome_has_the_lines_that_other_programs_read(started: Site) -> None:
    assert set(started.welcome) == set(LINES)
    for name, pattern in LINES.items():
        assert re.fullmatch(pattern, started.welcome[name]), name
    assert Path(started.welcome["mail-folder"]) == started.instance / "mail"
    assert (started.instance / "demo-identity.txt").read_text().startswith("# This key opens the records of the DEMO")


def test_a_second_start_keeps_everything(started: Site, booked: Visitor) -> None:
    ref = reference(booked.wait_for("confirmed"))
    kept = {name: (started.instance / name).read_text() for name in ("WELCOME.txt", "demo-identity.txt", "server.key")}

    started.stop()
    started.start()

    assert {name: (started.instance / name).read_text() for name in kept} == kept
    assert reference(booked.wait_for("confirmed")) == ref
    app = CalendarApp.of(started.welcome)
    assert len(app.titled(ref)) == 1
    app.close()
    assert (
        len([each for each in Mailbox(started.instance / "mail").letters("sari@example.org") if ref in each.text]) == 1
    )
    assert Visitor(started.base).get(started.welcome["desk"]).post_form()


def test_a_start_on_another_port_renews_the_addresses_and_nothing_else(started: Site) -> None:
    started.stop()
    before, old = started.welcome, started.port
    other = Site(started.instance, free_port()).start()
    try:
        renewed = other.welcome
        assert {name: text.replace(str(other.port), str(old)) for name, text in renewed.items()} == before
        assert Visitor(other.base).get(renewed["booking-page"]).status == 200
    finally:
        other.stop()


def test_a_friendly_signal_ends_every_process_and_frees_the_port(started: Site) -> None:
    assert started.process is not None
    leader = started.process.pid
    assert len(session(leader)) >= 2

    started.process.send_signal(signal.SIGTERM)
    started.process.wait(60)

    wait_until(lambda: not session(leader), 30, "the end of every process")
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        probe.bind(("127.0.0.1", started.port))
    assert "Traceback" not in started.stderr.read_text()


def test_when_the_first_process_is_killed_the_others_end_by_themselves(started: Site) -> None:
    assert started.process is not None
    leader = started.process.pid
    assert len(session(leader)) >= 2

    os.kill(leader, signal.SIGKILL)
    started.process.wait(60)

    wait_until(lambda: not session(leader), 30, "the end of what was left over")
    started.start()
    assert Visitor(started.base).get("/healthz").status == 200


def test_a_web_process_without_its_own_calendar_loads_no_calendar_library(tmp_path: Path) -> None:
    code = f"""
import json, sys
from microsite import create_app
from microsite.config import Calendars, Config, File
from pathlib import Path
config = Config(Path(sys.argv[1]), File(calendars=Calendars(embedded=False)), {{}}, 8000, True)
app = create_app(config)
app.extensions["microsite"].store.upgrade()
assert app.test_client().get("/").status_code == 200
assert app.test_client().get("/healthz").status_code == 200
print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "instance")], cwd=ROOT, capture_output=True, text=True, timeout=60
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == []


def test_the_open_folder_of_a_fresh_clone_is_closed_at_the_first_start(tmp_path: Path) -> None:
    """A clone brings `instance/` with mode 0755 and the example in it; the first `make run` once refused to start."""
    instance = tmp_path / "instance"
    instance.mkdir()
    instance.chmod(0o755)
    (instance / "config.example.toml").write_text((ROOT / "instance" / "config.example.toml").read_text())
    site = Site(instance, free_port()).start()
    try:
        assert stat.S_IMODE(instance.stat().st_mode) == 0o700
        assert "caldav-password" in site.welcome
    finally:
        site.stop()


def test_an_open_folder_that_holds_anything_else_is_refused(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir()
    instance.chmod(0o755)
    (instance / "server.key").write_text("00" * 32)
    site = Site(instance, free_port())
    done = subprocess.run(
        [sys.executable, "-m", "microsite.cli", "prepare"],
        cwd=ROOT,
        env=site.environ,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert "chmod 700" in done.stderr
