"""A site that cannot be right does not start: one sentence says which file and field, what was found, what may be."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.conftest import free_port

GOOD = '[site]\naddress = "https://book.example"\n'


def start(instance: Path, **environ: str) -> "subprocess.CompletedProcess[str]":
    """`serve`, which is expected to end by itself."""
    return subprocess.run(
        [sys.executable, "-m", "microsite.cli", "serve"],
        cwd=ROOT,
        env={**os.environ, "MICROSITE_INSTANCE": str(instance), "PORT": str(free_port()), **environ},
        capture_output=True,
        text=True,
        timeout=60,
    )


def refusal(done: "subprocess.CompletedProcess[str]") -> str:
    """The one line with which a start was refused."""
    assert done.returncode == 1, done.stdout
    (line,) = done.stderr.strip().splitlines()
    return line


@pytest.mark.parametrize(
    ("text", "field", "found", "allowed"),
    [
        ('[site]\naddress = "book.example"\n', "site.address", "'book.example'", "https://"),
        ('[site]\naddress = "http://book.example"\n', "site.address", "'http://book.example'", "https://"),
        ('[site]\nname = "Rara"\n', "site.address", "nothing", "https://"),
        (GOOD + '[mail]\nport = "many"\n', "mail.port", "'many'", "int"),
        (GOOD + "[mail]\nport = 99999\n", "mail.port", "99999", "65535"),
        (GOOD + '[mail]\nsecurity = "maybe"\n', "mail.security", "'maybe'", "starttls"),
        (
            GOOD + '[mail]\nhost = "relay.example"\nsecurity = "none"\nsender = "a@book.example"\n',
            "mail.security",
            "'none'",
            "starttls",
        ),
        (GOOD + '[mail]\nhost = "relay.example"\n', "mail.sender", "nothing", "address"),
        (GOOD + '[mail]\npassword_file = "/no/such/file"\n', "mail.password_file", "'/no/such/file'", "exists"),
        (GOOD + "[calendars]\nembedded = 3\n", "calendars.embedded", "3", "bool"),
        (GOOD + "[limits]\ntrusted_proxies = 9\n", "limits.trusted_proxies", "9", "5"),
        (GOOD + '[mial]\nhost = "relay.example"\n', "mial", "unknown", "site, database"),
        (GOOD + '[mail]\nhots = "relay.example"\n', "mail.hots", "unknown", "host, port"),
        ("site = [", "the whole file", "not TOML", ""),
    ],
)
def test_a_wrong_setting_is_named_with_its_file_what_was_found_and_what_is_allowed(
    tmp_path: Path, text: str, field: str, found: str, allowed: str
) -> None:
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    (instance / "config.toml").write_text(text)

    line = refusal(start(instance))

    assert line.startswith(f"{instance / 'config.toml'}: ")
    for part in (field, found, allowed):
        assert part in line
    assert not (instance / "site.db").exists()


@pytest.mark.parametrize(
    ("text", "field"),
    [
        ("password = 271828", "mail.password"),
        ('password = "271828"\npasword = "271828"', "mail.pasword"),
        ('password = "271828"\nport = "many"', "mail.port"),
        ('[[limits]]\npassword = "271828"', "limits"),
    ],
)
def test_a_refusal_never_repeats_a_password(tmp_path: Path, text: str, field: str) -> None:
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    (instance / "config.toml").write_text(f"{GOOD}[mail]\n{text}\n")

    line = refusal(start(instance))

    assert field in line
    assert "271828" not in line


@pytest.mark.parametrize("port", ["no", "0", "65536", "-1", "80 "])
def test_a_port_that_is_none_is_named(tmp_path: Path, port: str) -> None:
    line = refusal(start(tmp_path / "instance", PORT=port))

    assert "PORT" in line
    assert repr(port) in line
    assert "65535" in line


def test_a_taken_port_is_said_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        line = refusal(start(tmp_path / "instance", PORT=str(port)))

    assert str(port) in line
    assert "PORT=" in line
    assert not (tmp_path / "instance").exists()


def test_a_switch_that_would_write_passwords_into_the_temp_folder_is_refused(tmp_path: Path) -> None:
    line = refusal(start(tmp_path / "instance", PYTHON_CALDAV_COMMDUMP="1"))

    assert "PYTHON_CALDAV_COMMDUMP" in line
    assert not (tmp_path / "instance").exists()


def test_an_instance_that_others_can_read_is_refused_with_its_remedy(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o755)
    instance.chmod(0o755)
    (instance / "site.db").touch()

    line = refusal(start(instance))

    assert f"chmod 700 {instance}" in line


def test_an_instance_in_a_folder_that_is_not_there_is_refused_in_one_sentence(tmp_path: Path) -> None:
    line = refusal(start(tmp_path / "no" / "instance"))

    assert str(tmp_path / "no") in line
