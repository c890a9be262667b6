"""Coaches in a shell: settings travel as TOML, another coach is added, calendars get a new password or go."""

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.calendars.servers import PASSWORD
from tests.calendars.servers import USER
from tests.calendars.servers import radicale

from .conftest import Shell


@pytest.fixture(name="demo")
def _demo(tmp_path: Path) -> Iterator[Shell]:
    """An instance with the demo coach."""
    shell = Shell(tmp_path / "instance")
    shell.run("prepare")
    yield shell


def settings(shell: Shell) -> str:
    """The demo coach's settings as they are exported."""
    return shell.run("coach", "export", "sari")


def test_settings_come_back_unchanged_and_every_one_of_them_is_shown(demo: Shell, tmp_path: Path) -> None:
    exported = settings(demo)
    document = tomllib.loads(exported)
    assert {"name", "zone", "retention_days", "stale_minutes", "offers", "tentative_blocks"} <= set(document)
    assert {"mode", "cancel_notice", "reminder", "place"} <= set(document["offers"][0])
    (tmp_path / "sari.toml").write_text(exported)
    assert "were replaced" in demo.run("coach", "import", "sari", str(tmp_path / "sari.toml"))
    assert settings(demo) == exported


def test_a_changed_setting_is_stored_from_standard_input(demo: Shell) -> None:
    changed = settings(demo).replace("retention_days = 30", "retention_days = 14")
    demo.run("coach", "import", "sari", "-", answers=changed)
    assert "retention_days = 14" in settings(demo)


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("retention_days = 30", "retention_days = 0", "retention_days"),
        ('zone = "Asia/Jakarta"', 'zone = "Asia/Atlantis"', "an IANA time zone"),
        ("retention_days = 30", "retention = 30", "retention"),
        ("retention_days = 30", "retention_days = ", "not TOML"),
    ],
    ids=["out of range", "no such zone", "unknown name", "no TOML"],
)
def test_a_bad_setting_is_named_with_its_file_and_nothing_is_changed(
    demo: Shell, tmp_path: Path, old: str, new: str, said: str
) -> None:
    before = settings(demo)
    file = tmp_path / "sari.toml"
    file.write_text(before.replace(old, new))
    answer = demo.run("coach", "import", "sari", str(file), code=1)
    assert said in answer and str(file) in answer
    assert settings(demo) == before


def editor(folder: Path, *changes: str) -> str:
    """An editor that makes one change after the other, each time it is opened."""
    script = folder / "editor"
    lines = "\n".join(f"{number}) sed -i '{change}' \"$1\";;" for number, change in enumerate(changes))
    count = folder / "count"
    count.write_text("0")
    script.write_text(f"#!/bin/sh\nn=$(cat {count})\ncase $n in\n{lines}\nesac\necho $((n+1)) > {count}\n")
    script.chmod(0o700)
    return str(script)


def test_editing_goes_on_with_what_was_typed_until_it_is_good(demo: Shell, tmp_path: Path) -> None:
    wrong = editor(tmp_path, 's/^retention_days.*/retention_days = 999/; s/^name = .*/name = "Wulan"/', "s/999/60/")
    said = demo.run("coach", "edit", "sari", answers="y\n", EDITOR=wrong)
    assert "Not stored" in said and "999" in said
    assert "retention_days = 60" in settings(demo)
    assert 'name = "Wulan"' in settings(demo)


def test_an_editor_that_is_given_up_prints_the_text_and_changes_nothing(demo: Shell, tmp_path: Path) -> None:
    before = settings(demo)
    wrong = editor(tmp_path, "s/^retention_days.*/retention_days = 999/")
    said = demo.run("coach", "edit", "sari", answers="n\n", EDITOR=wrong, code=1)
    assert "retention_days = 999" in said
    assert settings(demo) == before
    assert "Nothing was changed" in demo.run("coach", "edit", "sari", EDITOR="true")


def test_a_second_coach_is_added_beside_the_first(demo: Shell) -> None:
    said = demo.run("coach", "add", answers="Wulan\nwulan\nAsia/Makassar\nwulan@book.example\ny\n")
    assert re.search(r"/desk/[\w-]{43}\n", said)
    assert re.search(r"/dav/ +user wulan +password \S+", said)
    listed = demo.run("coach", "list")
    assert re.search(r"sari .*takes bookings", listed)
    assert re.search(r"wulan .*has not made her keys", listed)
    assert re.findall(r"  (hours|bookings|busy)  ", demo.run("calendar", "list", "wulan")) == [
        "hours",
        "bookings",
        "busy",
    ]
    assert "is there already" in demo.run("coach", "add", answers="W\nwulan\n\nw@book.example\ny\n", code=1)


def test_a_coach_is_erased_only_by_her_name_typed_twice(demo: Shell) -> None:
    demo.run("coach", "remove", "sari", answers="sarah\n", code=1)
    assert "sari" in demo.run("coach", "list")
    assert "is gone" in demo.run("coach", "remove", "sari", answers="sari\n")
    assert "sari" not in demo.run("coach", "list")
    assert "no such coach" in demo.run("coach", "export", "sari", code=1)


def test_calendars_of_a_coach_without_keys_are_added_given_a_password_and_taken_away(
    demo: Shell, tmp_path: Path
) -> None:
    demo.run("coach", "add", answers="Wulan\nwulan\nAsia/Makassar\nwulan@book.example\ny\n")
    (demo.instance / "config.toml").write_text(
        '[site]\naddress = "http://localhost:8000"\n[calendars]\nallow_private_hosts = ["127.0.0.1"]\n'
    )
    (demo.instance / "config.toml").chmod(0o600)
    (tmp_path / "server").mkdir()
    with radicale(tmp_path / "server") as server:
        server.new_calendar()
        account = f"http://127.0.0.1:{server.port}/\n{USER}\n{PASSWORD}\nbookings\n"
        demo.run("calendar", "add", "wulan", answers=account)
        listed = demo.run("calendar", "list", "wulan")
        key = next(line.split()[0] for line in listed.splitlines() if f":{server.port}/" in line)
        refused = demo.run("calendar", "password", "wulan", key, answers="wrong\n", code=1)
        assert "1 calendar(s)" in demo.run("calendar", "password", "wulan", key, answers=f"{PASSWORD}\n")
        demo.run("calendar", "use-for", "wulan", key, "busy", code=1)
        other = next(line.split()[0] for line in listed.splitlines() if "/private/" in line)
        demo.run("calendar", "use-for", "wulan", other, "bookings")
        demo.run("calendar", "remove", "wulan", key)
    assert PASSWORD not in refused
    assert key not in demo.run("calendar", "list", "wulan")
    assert "password" in demo.run("calendar", "app-password", "wulan")
