"""`microsite calendar connect google` against a real OAuth server and a real CalDAV server that wants the bearer."""

import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.calendars.oauth_server import CLIENT_ID
from tests.calendars.oauth_server import CLIENT_SECRET
from tests.calendars.oauth_server import REDIRECT
from tests.calendars.oauth_server import SCOPE
from tests.calendars.oauth_server import Provider
from tests.calendars.oauth_server import provider
from tests.calendars.proxy import Proxy
from tests.calendars.proxy import proxy
from tests.calendars.servers import USER
from tests.calendars.servers import Server
from tests.calendars.servers import radicale
from tests.canary.sinks import database
from tests.canary.sinks import instance
from tests.conftest import ROOT
from tests.conftest import House
from tests.postgres import database_of

from .conftest import Shell


@pytest.fixture(name="server")
def _server(tmp_path: Path) -> Iterator[Server]:
    with radicale(tmp_path / "radicale") as running:
        yield running


@pytest.fixture(name="google")
def _google(monkeypatch: pytest.MonkeyPatch) -> Iterator[Provider]:
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with provider(monkeypatch) as running:
        yield running


@pytest.fixture(name="guarded")
def _guarded(server: Server, google: Provider) -> Iterator[Proxy]:
    with proxy(server.port) as between:
        between.before.append(google.between)
        yield between


@pytest.fixture(name="shell")
def _shell(tmp_path: Path, google: Provider, guarded: Proxy) -> Shell:
    """The demo coach's instance, with the provider in the operator's settings."""
    instance = tmp_path / "instance"
    House(instance).close()
    (instance / "config.toml").write_text(
        '[site]\naddress = "http://localhost:8000"\n'
        '[calendars]\nallow_private_hosts = ["127.0.0.1"]\ncontained = false\n'
        f'[google]\nclient_id = "{CLIENT_ID}"\nscope = "{SCOPE}"\nredirect_uri = "{REDIRECT}"\n'
        f'authorize_url = "{google.app.authorize_url}"\ntoken_url = "{google.app.token_url}"\n'
        f'caldav_url = "http://127.0.0.1:{guarded.port}/{{user}}/"\n'
    )
    (instance / "config.toml").chmod(0o600)
    return Shell(instance)


def connect(shell: Shell, google: Provider, roles: str) -> str:
    """The command, answered as a coach answers it; what it said."""
    environ = {name: value for name, value in os.environ.items() if name != "AUTHLIB_INSECURE_TRANSPORT"}
    environ |= {"MICROSITE_INSTANCE": str(shell.instance), "MICROSITE_GOOGLE_SECRET": CLIENT_SECRET}
    environ |= database_of(shell.instance)
    command = [sys.executable, "-u", "-m", "microsite.cli", "calendar", "connect", "google", "sari"]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, cwd=ROOT, env=environ, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as process:
        assert process.stdin and process.stdout
        process.stdin.write(f"{USER}\n")
        process.stdin.flush()
        said = ""
        while not said.strip().startswith("http://"):
            said = process.stdout.readline()
            assert said, process.communicate()
        rest, trouble = process.communicate(f"{google.allow(said.strip())}\n{roles}", timeout=120)
        assert process.returncode == 0, rest + trouble
    return rest


def test_a_coach_signs_in_once_and_her_calendar_can_be_read(shell: Shell, google: Provider, server: Server) -> None:
    server.new_calendar()
    said = connect(shell, google, "busy\n")
    assert "What is it for?" in said
    secret = {"MICROSITE_GOOGLE_SECRET": CLIENT_SECRET}
    doctor = shell.run("doctor", **secret)
    assert "WRONG" not in doctor and doctor.count("answers") == 4
    assert "ends after 7 days" in doctor and "google.published" in doctor
    stored = b"".join(piece.data for piece in (*database(shell.instance), *instance(shell.instance)))
    assert not any(token.encode() in stored for token in google.permissions)


def test_a_withdrawn_permission_is_named_by_the_doctor_and_mended_by_connecting_again(
    shell: Shell, google: Provider, server: Server
) -> None:
    server.new_calendar()
    connect(shell, google, "busy\n")
    google.withdraw()
    secret = {"MICROSITE_GOOGLE_SECRET": CLIENT_SECRET}
    doctor = shell.run("doctor", code=1, **secret)
    assert "withdrawn" in doctor and "microsite calendar connect google sari" in doctor
    assert "Connected again: 1 calendar(s)" in connect(shell, google, "")
    assert "WRONG" not in shell.run("doctor", **secret)


def test_without_the_operators_settings_the_command_says_what_is_missing(tmp_path: Path) -> None:
    House(tmp_path / "plain").close()
    said = Shell(tmp_path / "plain").run("calendar", "connect", "google", "sari", answers="a@b.example\n", code=1)
    assert "[google]" in said


@pytest.mark.parametrize("name", ["authorize_url", "token_url", "caldav_url", "redirect_uri"])
def test_an_address_without_encryption_is_refused_at_start(tmp_path: Path, name: str) -> None:
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    (instance / "config.toml").write_text(
        f'[site]\naddress = "http://localhost:8000"\n[google]\n{name} = "http://login.example/"\n'
    )
    said = Shell(instance).run("doctor", code=1)
    assert f"google.{name}" in said and "https://" in said
