"""`microsite web` and `microsite worker` as processes of their own: what each does, what it needs, how it ends."""

import os
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
import tomli_w

from microsite.config import load_config
from microsite.services import build
from microsite.work import machines
from microsite.work import setup
from tests.conftest import ROOT
from tests.flow.visitor import Visitor
from tests.flow.visitor import wait_like_a_person
from tests.machines.cluster import Cluster
from tests.machines.cluster import Node
from tests.machines.crowd import Balanced
from tests.postgres import Server
from tests.waiting import free_port
from tests.waiting import wait_until

OFFER = "/rara/sesi/"


def run(folder: Path, environ: dict[str, str], *words: str, code: int = 0) -> str:
    """What a command says on one machine."""
    done = subprocess.run(
        [sys.executable, "-m", "microsite.cli", *words],
        cwd=ROOT,
        env={**os.environ, **environ, "MICROSITE_INSTANCE": str(folder)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == code, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    return done.stdout + done.stderr


def a_slot(visitor: Visitor, offer: str, days: int) -> str:
    """A free slot on the day so many days from now."""
    return visitor.get(offer, day=f"{datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}").slots[-1]


def doctor(installation: Cluster) -> str:
    """What the operator is told about the whole."""
    return run(installation.folder / "operator", installation.secrets, "doctor")


def test_a_booking_made_at_one_process_is_confirmed_by_another_and_managed_at_a_third(installation: Cluster) -> None:
    one, other = installation.node("web").start(), installation.node("web").start()
    worker = installation.node("worker").start()
    visitor = Balanced([one.base, other.base], [])
    visitor.book(OFFER, a_slot(visitor, OFFER, 4), email="dua@client.example")
    visitor.wait_for("confirmed", 60)
    form = visitor.get(visitor.own_page).post_form("/manage/cancel")
    assert visitor.post(form.action, form.fields).status == 303
    visitor.wait_for("cancelled")
    wait_until(lambda: len(installation.relay.letters("dua@client.example")) == 2, 60, "two letters")

    said = doctor(installation)
    assert "WRONG" not in said
    assert said.count("web on ") == 2 and said.count("worker on ") == 1
    assert "count rate limits together" in said
    assert "on the same server as the bookings" in said, "the tests' keys are on the tests' one server"
    assert worker.stop() == 0


def test_what_is_asked_for_while_no_worker_runs_waits_and_the_doctor_says_so(installation: Cluster) -> None:
    web = next(node for node in installation.nodes if node.kind == "web")
    visitor = Visitor(web.base)
    visitor.book(OFFER, a_slot(visitor, OFFER, 6), email="sabar@client.example")
    assert visitor.get(visitor.own_page).state == "confirming"
    said = run(installation.folder / "operator", installation.secrets, "doctor", code=1)
    assert "and no worker" in said and "microsite worker" in said
    installation.node("worker").start()
    visitor.wait_for("confirmed", 60)


def test_a_web_process_that_is_told_to_end_answers_what_it_is_at(installation: Cluster) -> None:
    """A booking waits for the coach's lock, which is held here; meanwhile SIGTERM comes."""
    node = installation.node("web").start()
    visitor, answers = Visitor(node.base), list[int]()
    form = visitor.form(OFFER, a_slot(visitor, OFFER, 8))
    wait_like_a_person(form.seen_at)
    sending = threading.Thread(
        target=lambda: answers.append(visitor.send_at_once(form, email="sabar@client.example").status)
    )
    with installation.services.store.change("rara"):
        sending.start()
        wait_until(lambda: _waits_for_a_lock(installation), 30, "a booking that waits for the lock")
        assert node.process is not None
        node.process.send_signal(signal.SIGTERM)
        threading.Event().wait(1)
        assert answers == []
    sending.join(120)
    assert answers == [303]
    assert node.process.wait(90) == 0
    installation.nodes.remove(node)


def _waits_for_a_lock(installation: Cluster) -> bool:
    with psycopg.connect(installation.secrets["MICROSITE_DATABASE_URL"]) as conn:
        waiting = "SELECT 1 FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE 'UPDATE coach%'"
        return conn.execute(waiting).fetchone() is not None


def test_a_worker_that_is_told_to_end_ends_well_and_says_goodbye(installation: Cluster) -> None:
    running = len(machines.running(installation.services))
    node = installation.node("worker").start()
    wait_until(lambda: len(machines.running(installation.services)) == running + 1, 60, "a sign of life")
    begun = time.monotonic()
    assert node.stop() == 0
    assert time.monotonic() - begun < 45
    assert len(machines.running(installation.services)) == running
    installation.nodes.remove(node)


def refusal(installation: Cluster, kind: str, name: str, secrets: dict[str, str], **more: dict[str, object]) -> str:
    """The sentence with which a process on one more machine refuses to start."""
    environ = {**installation.secrets, **secrets, "PORT": str(free_port())}
    return run(installation.machine(name, **more), environ, kind, code=1)


def test_a_machine_with_another_server_key_is_refused(installation: Cluster) -> None:
    said = refusal(installation, "web", "stranger", {"MICROSITE_SERVER_KEY": os.urandom(32).hex()})
    assert "server key is not the one" in said and "site.server_key_file" in said


def test_a_machine_that_keeps_day_keys_of_its_own_is_refused(installation: Cluster) -> None:
    said = refusal(installation, "worker", "alone", {"MICROSITE_KEYRING_URL": ""})
    assert "keyring.url" in said and "several-machines.md" in said


def test_a_key_database_that_is_the_bookings_own_is_refused(installation: Cluster) -> None:
    same = installation.secrets["MICROSITE_DATABASE_URL"]
    said = refusal(installation, "web", "same", {"MICROSITE_KEYRING_URL": same})
    assert "a database of its own" in said and same not in said


def test_an_address_of_limits_that_is_none_is_refused(installation: Cluster) -> None:
    folder = installation.machine("odd")
    node = Node("web", folder, {**installation.secrets, "MICROSITE_LIMITS_STORAGE": "ftp://127.0.0.1"})
    node.spawn()
    wait_until(lambda: "limits.storage" in node.log.read_text(), 60, "a refusal")
    node.stop()


@pytest.fixture(name="with_builtin")
def _with_builtin(installation: Cluster) -> Path:
    """The machine that the built-in calendar server lives on, with a coach whose calendar is there."""
    folder = installation.folder / "first"
    if not folder.exists():
        installation.machine("first", calendars={"embedded": True, "allow_private_hosts": ["127.0.0.1"]})
        services = build(load_config({**installation.secrets, "MICROSITE_INSTANCE": str(folder)}))
        with services.store.read() as tx:
            copied = tx.coaches.settings("rara")
        _, recipient = services.sealer.new_identity()
        setup.add_coach(services, "wulan", copied, recipient)
        setup.add_embedded_calendars(services, "wulan", {"bookings": ("Sesi", {"bookings", "busy"})})
        setup.check_start(services)
        services.close()
    return folder


@pytest.mark.usefixtures("with_builtin")
def test_the_built_in_calendar_lives_on_one_machine_and_the_others_say_so(installation: Cluster) -> None:
    embedded = {"embedded": True, "allow_private_hosts": ["127.0.0.1"]}
    said = refusal(installation, "web", "second", {}, calendars=embedded)
    assert "lives on another machine" in said and "host-here" in said
    said = refusal(installation, "worker", "third", {})
    assert "«wulan»" in said and "another machine" in said


@pytest.mark.usefixtures("with_builtin")
def test_pages_of_its_coach_are_served_everywhere_and_its_address_only_there(installation: Cluster) -> None:
    elsewhere = next(node for node in installation.nodes if node.kind == "web")
    visitor = Visitor(elsewhere.base)
    assert visitor.get("/wulan/").status == 200
    assert visitor.ask("PROPFIND", "/dav/").status in {404, 405}


def test_the_built_in_calendar_can_be_brought_to_another_machine(installation: Cluster, with_builtin: Path) -> None:
    embedded = {"embedded": True, "allow_private_hosts": ["127.0.0.1"]}
    folder = installation.machine("new", calendars=embedded)
    assert "lives here now" in run(folder, installation.secrets, "calendar", "host-here")
    run(folder, installation.secrets, "prepare")
    assert "lives on another machine" in run(with_builtin, installation.secrets, "prepare", code=1)
    run(with_builtin, installation.secrets, "calendar", "host-here")


def test_who_grows_from_one_machine_to_several_takes_the_day_keys_along(tmp_path: Path, postgres: Server) -> None:
    folder, keys = tmp_path / "instance", postgres.create()
    environ = {"MICROSITE_DATABASE_URL": postgres.create("migrated")}
    services = build(load_config({**environ, "MICROSITE_INSTANCE": str(folder)}))
    setup.check_start(services)
    key = services.sealer.keyring.get_or_create("2026-11-25").reveal()
    services.close()

    several = {**environ, "MICROSITE_KEYRING_URL": keys}
    assert "microsite keyring move" in run(folder, several, "prepare", code=1)
    assert "1 day key(s)" in run(folder, several, "keyring", "move")

    services = build(load_config({**several, "MICROSITE_INSTANCE": str(folder)}))
    setup.check_start(services)
    assert services.sealer.keyring.get("2026-11-25").reveal() == key
    assert not (folder / "day-keys" / "2026-11-25").exists()
    services.close()
    assert "not where" in run(folder, environ, "prepare", code=1)


def test_settings_of_a_machine_hold_no_secret_that_the_environment_has(installation: Cluster) -> None:
    written = tomli_w.dumps(installation.settings())
    assert not any(secret in written for secret in installation.secrets.values())
