"""What an operator asks for in a shell: why a time is free, whether all is well, whose a reference is."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.conftest import House

from .conftest import Shell


@pytest.fixture(name="demo")
def _demo(tmp_path: Path) -> Iterator[Shell]:
    """An instance with the demo coach."""
    shell = Shell(tmp_path / "instance")
    shell.run("prepare")
    yield shell


def test_the_doctor_finds_nothing_wrong_with_a_fresh_demo(demo: Shell) -> None:
    said = demo.run("doctor")
    assert "WRONG" not in said
    assert said.count("answers") == 3


def test_the_doctor_names_files_that_others_can_read_and_how_to_close_them(demo: Shell) -> None:
    (demo.instance / "WELCOME.txt").chmod(0o644)
    said = demo.run("doctor", code=1)
    assert "WELCOME.txt" in said
    assert "chmod" in said


def test_a_relay_that_does_not_answer_is_named_in_plain_words(demo: Shell) -> None:
    (demo.instance / "config.toml").write_text(
        '[site]\naddress = "http://localhost:8000"\n'
        '[mail]\nhost = "127.0.0.1"\nport = 1\nsecurity = "none"\nsender = "a@book.example"\n'
    )
    (demo.instance / "config.toml").chmod(0o600)
    said = demo.run("doctor", code=1)
    assert "127.0.0.1:1" in said
    assert "nothing listens there" in said


def test_explain_names_the_calendar_that_blocks_and_never_a_title(demo: Shell) -> None:
    said = [demo.run("explain", "sari", "sesi", f"2030-01-{day:02}T03:00") for day in (1, 2)]
    assert all("not within open hours" in each for each in said)
    assert all("too far ahead" in each for each in said)
    assert "Yoga" not in "".join(said)


def test_explain_refuses_a_time_that_is_none(demo: Shell) -> None:
    assert "2026-11-25T09:00" in demo.run("explain", "sari", "sesi", "tomorrow", code=1)


def test_open_shows_who_booked_to_the_holder_of_the_key_only(tmp_path: Path) -> None:
    house = House(tmp_path / "instance")
    placed = house.book()
    house.drain()
    right, wrong = tmp_path / "right.txt", tmp_path / "wrong.txt"
    right.write_text(house.identity.reveal())
    wrong.write_text(house.services.sealer.new_identity()[0].reveal())
    house.close()
    shell = Shell(tmp_path / "instance")
    assert "Budi" in shell.run("open", placed.booking.ref, "--identity", str(right))
    assert "Budi" not in shell.run("open", placed.booking.ref, "--identity", str(wrong), code=1)
    assert "no booking" in shell.run("open", "ZZZZ", "--identity", str(right), code=1)


def test_the_demo_identity_is_refused_for_a_real_coach(tmp_path: Path) -> None:
    house = House(tmp_path / "instance")
    placed = house.book()
    house.drain()
    with house.services.store.write() as tx:
        tx.conn.exec_driver_sql("UPDATE coach SET demo = false")
    house.close()
    key = tmp_path / "demo-identity.txt"
    key.write_text(f"# DEMO\n{house.identity.reveal()}\n")
    said = Shell(tmp_path / "instance").run("open", placed.booking.ref, "--identity", str(key), code=1)
    assert "refused for a real coach" in said


def test_purge_can_be_tried_without_doing_anything(demo: Shell) -> None:
    assert "0 records" in demo.run("purge", "--dry-run")


def test_a_real_coach_without_a_relay_cannot_be_started(tmp_path: Path) -> None:
    house = House(tmp_path / "instance")
    with house.services.store.write() as tx:
        tx.conn.exec_driver_sql("UPDATE coach SET demo = false")
    house.close()
    said = Shell(tmp_path / "instance").run("prepare", code=1)
    assert "mail.host" in said
    assert "sari" in said


def test_breaking_the_glass_prints_a_link_and_closes_every_other_way_in(tmp_path: Path) -> None:
    house = House(tmp_path / "instance")
    with house.services.store.write() as tx:
        tx.links.add(b"session", "sari", None, "desk-session", 2**40)
        tx.links.add(b"link", "sari", None, "desk-link", 2**40)
        tx.signins.add_credential(house.services.store.credential(b"id", "sari", b"key", 0, "2026-11-23"))
    said = Shell(tmp_path / "instance").run("desk-link", "--revoke", "sari")
    assert re.fullmatch(r"http://localhost:\d+/desk/[\w-]{43}\n", said)
    with house.services.store.read() as tx:
        assert tx.links.get(b"session", "desk-session", 0) is None
        assert tx.links.get(b"link", "desk-link", 0) is None
        assert tx.signins.credentials("sari") == []
    house.close()
