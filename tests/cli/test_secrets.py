"""Secrets of the operator print as ***, come from closed files only, and every process closes behind itself."""

import json
import os
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from microsite import config
from microsite.config import File
from microsite.config import load_config
from microsite.errors import StartRefused
from tests.conftest import ROOT
from tests.conftest import House
from tests.waiting import wait_until

from .conftest import Shell

WORD = "Qs3cret271828z"
SECRETS = ("mail.password", "google.client_secret", "database.url", "limits.storage")


def test_settings_print_without_the_secrets_in_them(tmp_path: Path) -> None:
    file = msgspec.convert({part: {name: WORD} for part, name in (each.split(".") for each in SECRETS)}, File)
    built = config.Config(tmp_path, file, {}, 8000, configured=False)
    for thing in (file, file.mail, file.google, file.database, file.limits, built, vars(built), built.mail_password):
        assert WORD not in f"{thing!r} {thing}"


def test_the_configuration_of_the_application_prints_no_secret(tmp_path: Path) -> None:
    from microsite import create_app

    house = House(tmp_path / "instance")
    app = create_app(services=house.services)
    key = (house.instance / "server.key").read_text().strip()
    seen = f"{app.config!r} {app.extensions!r} {vars(house.services)!r} {house.services!r}"
    assert key not in seen
    assert house.welcome.password.reveal() not in seen
    house.close()


@pytest.mark.parametrize(
    "command", [["--help"], ["doctor"], ["explain", "sari", "sesi", "2026-11-25T09:00"], ["init", "--help"]]
)
def test_no_command_shows_a_secret(tmp_path: Path, command: list[str]) -> None:
    instance = tmp_path / "instance"
    house = House(instance)
    secrets = [(instance / "server.key").read_text().strip(), house.welcome.password.reveal()]
    house.close()
    (instance / "config.toml").write_text(
        f'[site]\naddress = "http://localhost:8000"\n[mail]\nhost = "localhost"\nsecurity = "none"\nport = 1\n'
        f'sender = "halo@book.example"\nusername = "halo"\npassword = "{WORD}"\n'
    )
    done = subprocess.run(
        [sys.executable, "-m", "microsite.cli", *command],
        cwd=ROOT,
        env={**os.environ, "MICROSITE_INSTANCE": str(instance)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout
    assert not any(secret in done.stdout + done.stderr for secret in (WORD, *secrets))


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o666])
def test_a_secret_file_that_others_can_read_is_refused_with_the_command_that_mends_it(
    tmp_path: Path, mode: int
) -> None:
    word = tmp_path / "relay.word"
    word.write_text(f"{WORD}\n")
    word.chmod(mode)
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    (instance / "config.toml").write_text(
        f'[site]\naddress = "http://localhost:8000"\n[mail]\nhost = "relay.example"\nsender = "a@b.example"\n'
        f'password_file = "{word}"\n'
    )
    with pytest.raises(StartRefused, match=f"chmod 600 {word}") as refused:
        load_config({}, instance)
    assert WORD not in str(refused.value)
    word.chmod(0o600)
    assert load_config({}, instance).mail_password.reveal() == WORD


def test_a_credential_may_be_read_by_its_group_and_by_nobody_else(tmp_path: Path) -> None:
    (tmp_path / "mail-password").write_text(WORD)
    (tmp_path / "mail-password").chmod(0o440)
    given = {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    assert load_config(given, tmp_path / "instance").mail_password.reveal() == WORD
    (tmp_path / "mail-password").chmod(0o444)
    with pytest.raises(StartRefused):
        load_config(given, tmp_path / "instance")


LOOK = (
    "import os, resource, json; mask = os.umask(0); os.umask(mask);"
    " print(json.dumps([mask, resource.getrlimit(resource.RLIMIT_CORE)]))"
)
ENTRANCES = {
    "a command": "from microsite.cli import main; main(['purge', '--dry-run'], standalone_mode=False)",
    "the web process": "import microsite.serving as s; s.create_app = s.started = lambda given: given; s.app()",
    "another server": "import wsgi",
}


@pytest.mark.parametrize("entrance", ENTRANCES)
def test_every_process_makes_files_for_its_owner_only_and_leaves_no_core_file(tmp_path: Path, entrance: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.umask(0o002)\n{ENTRANCES[entrance]}\n{LOOK}"],
        cwd=ROOT,
        env={**os.environ, "MICROSITE_INSTANCE": str(tmp_path / "instance")},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout.splitlines()[-1]) == [0o077, [0, 0]]


def test_whatever_the_umask_was_a_worker_leaves_no_file_open_to_others(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    House(instance).close()
    for path in instance.rglob("*"):  # made by this process, which has a mask of its own
        path.chmod(0o700 if path.is_dir() else 0o600)
    worker = subprocess.Popen(
        [sys.executable, "-m", "microsite.cli", "worker"],
        cwd=ROOT,
        env={**os.environ, "MICROSITE_INSTANCE": str(instance)},
        umask=0o000,
    )
    try:
        wait_until(lambda: (instance / "jobs.lock").exists(), 60, "a worker at work")
        limits = Path(f"/proc/{worker.pid}/limits").read_text()
    finally:
        worker.terminate()
        worker.wait(60)
    assert [line.split()[4:6] for line in limits.splitlines() if "core file" in line] == [["0", "0"]]
    assert [path.name for path in instance.rglob("*") if path.stat().st_mode & 0o077] == []


def test_a_shell_is_told_of_an_open_secret_in_one_sentence(shell: Shell) -> None:
    shell.instance.mkdir()
    shell.instance.chmod(0o755)
    (shell.instance / "server.key").write_text("x")
    assert "chmod 700" in shell.run("purge", "--dry-run", code=1)
