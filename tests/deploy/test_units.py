"""The systemd units: every line of the hardening, verified by systemd itself; and the site under what can run here."""

import ctypes
import os
import re
import subprocess
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.conftest import Site
from tests.conftest import free_port
from tests.flow.visitor import Visitor
from tests.flow.visitor import slots_from

UNITS = sorted((ROOT / "deploy").glob("*.service"))
HARDENING = {
    "User": "microsite",
    "UMask": "0077",
    "StateDirectory": "microsite",
    "StateDirectoryMode": "0700",
    "LimitCORE": "0",
    "MemorySwapMax": "0",
    "NoNewPrivileges": "yes",
    "CapabilityBoundingSet": "",
    "AmbientCapabilities": "",
    "ProtectSystem": "strict",
    "ProtectHome": "yes",
    "ProtectProc": "invisible",
    "ProcSubset": "pid",
    "ProtectClock": "yes",
    "ProtectHostname": "yes",
    "ProtectControlGroups": "yes",
    "ProtectKernelLogs": "yes",
    "ProtectKernelModules": "yes",
    "ProtectKernelTunables": "yes",
    "PrivateTmp": "yes",
    "PrivateDevices": "yes",
    "PrivateUsers": "yes",
    "DevicePolicy": "closed",
    "RemoveIPC": "yes",
    "KeyringMode": "private",
    "RestrictSUIDSGID": "yes",
    "RestrictNamespaces": "yes",
    "RestrictRealtime": "yes",
    "RestrictAddressFamilies": "AF_INET AF_INET6 AF_UNIX",
    "LockPersonality": "yes",
    "MemoryDenyWriteExecute": "yes",
    "SystemCallArchitectures": "native",
    "SystemCallFilter": "@system-service\n~@privileged",
    "SystemCallErrorNumber": "EPERM",
}
SECRETS = {"mail-password", "google-secret", "metrics-token"}
PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN = 65, 1


class Unit(dict[str, str]):
    """The [Service] part of a unit; what is said several times stands on lines of its own."""

    def __init__(self, path: Path) -> None:
        super().__init__()
        service = re.search(r"(?ms)^\[Service\]$(.*?)^\[", path.read_text())
        assert service is not None
        for name, value in re.findall(r"(?m)^([A-Za-z]+)=(.*)$", service[1]):
            self[name] = f"{self[name]}\n{value}" if name in self else value


@pytest.fixture(name="unit", params=UNITS, ids=lambda path: path.name)
def _unit(request: pytest.FixtureRequest) -> Unit:
    """Each unit."""
    return Unit(request.param)


def test_there_is_a_unit_for_each_way_of_running() -> None:
    commands = {path.name: Unit(path)["ExecStart"].split()[-1] for path in UNITS}
    assert commands == {
        "microsite.service": "serve",
        "microsite-web@.service": "web",
        "microsite-worker@.service": "worker",
    }


@pytest.mark.parametrize("name", HARDENING)
def test_a_line_of_the_hardening_is_there(unit: Unit, name: str) -> None:
    assert unit[name] == HARDENING[name]


def test_secrets_are_handed_over_by_systemd_and_may_be_absent(unit: Unit) -> None:
    loaded = dict(line.split(":") for line in unit["LoadCredential"].splitlines())
    assert set(loaded) >= SECRETS
    assert {path for name, path in loaded.items() if path != f"/etc/microsite/{name}"} == set()
    assert set(unit["SetCredential"].splitlines()) == {f"{name}:\\n" for name in loaded}
    assert "MICROSITE_" not in unit["Environment"].replace("MICROSITE_INSTANCE=", "")


def test_it_gets_longer_to_stop_than_its_server_needs(unit: Unit) -> None:
    found = re.search(r"workers_kill_timeout=(\d+)", (ROOT / "microsite/cli/serve.py").read_text())
    assert found is not None
    assert int(unit["TimeoutStopSec"]) > int(found[1]) + 5
    assert unit["Restart"] == "on-failure"


@pytest.mark.parametrize("path", UNITS, ids=lambda path: path.name)
def test_systemd_understands_every_line_and_finds_the_exposure_low(path: Path, tmp_path: Path) -> None:
    """The program is not installed here, which is all that may be complained of."""
    copy = tmp_path / path.name
    copy.write_text(path.read_text())

    verified = subprocess.run(["systemd-analyze", "verify", str(copy)], capture_output=True, text=True, check=False)
    judged = subprocess.run(
        ["systemd-analyze", "security", "--offline=true", "--threshold=20", str(copy)],
        capture_output=True,
        text=True,
        check=False,
    )

    complaints = [line for line in verified.stderr.splitlines() if "is not executable" not in line]
    assert complaints == []
    assert judged.returncode == 0, judged.stdout
    exposure = re.search(r"Overall exposure level for \S+: ([0-9.]+)", judged.stdout)
    assert exposure is not None
    assert float(exposure[1]) < 2


def test_an_absent_secret_counts_as_none_and_a_present_one_comes_first(tmp_path: Path) -> None:
    from microsite.config import load_config

    credentials, named = tmp_path / "credentials", tmp_path / "relay-password"
    credentials.mkdir()
    for name in SECRETS:
        (credentials / name).write_text("\n")
    named.write_text("from-a-file\n")
    named.chmod(0o600)
    (tmp_path / "instance").mkdir(mode=0o700)
    (tmp_path / "instance" / "config.toml").write_text(
        f'[site]\naddress = "https://book.example"\n[mail]\npassword_file = "{named}"\n'
    )
    environ = {"MICROSITE_INSTANCE": str(tmp_path / "instance"), "CREDENTIALS_DIRECTORY": str(credentials)}
    assert load_config(environ).mail_password.reveal() == "from-a-file"

    (credentials / "mail-password").write_text("from-systemd\n")
    (credentials / "mail-password").chmod(0o400)
    assert load_config(environ).mail_password.reveal() == "from-systemd"


def test_the_site_works_without_new_executable_memory_core_files_or_new_rights(tmp_path: Path) -> None:
    """The parts of the unit that a kernel can be asked for without systemd: its promises break nothing here."""
    site = Site(tmp_path / "instance", free_port())
    libc = ctypes.CDLL(None, use_errno=True)

    def harden() -> None:
        os.umask(0o077)
        if libc.prctl(PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN, 0, 0, 0) or libc.prctl(38, 1, 0, 0, 0):
            os._exit(77)

    site.prepare_process = harden
    site.start()
    visitor = Visitor(site.base)
    visitor.book("/sari/sesi/", slots_from(visitor, "/sari/sesi/", 3)[0])
    visitor.wait_for("confirmed")
    site.stop()
