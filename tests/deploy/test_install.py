"""`deploy/install` lays a version out below another root, twice the same, and what it laid out runs."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.conftest import ROOT

SCRIPT = ROOT / "deploy/install"


class Laid(NamedTuple):
    """The root it was laid out under, what the two runs said, and the source it came from."""

    root: Path
    said: list[str]
    source: Path

    @property
    def current(self) -> Path:
        """The version in use."""
        home = self.root / "opt/microsite"
        return home / os.readlink(home / "current")


def run(source: Path, root: Path, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """The script, under another root."""
    environ = {**os.environ, "DESTDIR": str(root)}
    return subprocess.run(
        [source / "deploy/install", *arguments], env=environ, capture_output=True, text=True, check=False, timeout=570
    )


@pytest.fixture(name="laid", scope="module")
def _laid(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Laid]:
    """Installed, installed again, then a newer version over it."""
    folder = tmp_path_factory.mktemp("install")
    source, root = folder / "source", folder / "root"
    names = ("microsite", "templates", "static", "docs", "deploy", "requirements.txt", "pyproject.toml", "LICENSE")
    source.mkdir()
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, source / name)
    runs = [run(source, root), run(source, root)]
    assert [each.returncode for each in runs] == [0, 0], runs
    yield Laid(root, [each.stdout for each in runs], source)
    shutil.rmtree(root)


def test_the_script_has_no_fault_that_a_linter_knows() -> None:
    done = subprocess.run([Path(sys.executable).with_name("shellcheck"), SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


def test_a_second_run_changes_nothing(laid: Laid) -> None:
    first, second = laid.said
    assert "is laid out already" in second
    assert first.splitlines()[-1] == second.splitlines()[-1]
    assert [path.name for path in (laid.root / "opt/microsite").iterdir() if not path.is_symlink()] == [
        laid.current.name
    ]


def test_only_the_site_reads_its_data_and_only_root_its_secrets(laid: Laid) -> None:
    for name in ("var/lib/microsite", "etc/microsite"):
        assert (laid.root / name).stat().st_mode & 0o777 == 0o700
    assert {path.name for path in (laid.root / "etc/systemd/system").iterdir()} == {
        path.name for path in (ROOT / "deploy").glob("*.service")
    }


def test_what_was_laid_out_runs_by_itself(laid: Laid) -> None:
    """In its place it would find itself by `/opt/microsite/…`; here it is told where it is."""
    python = laid.current / ".venv/bin/python"
    (site_packages,) = laid.current.glob(".venv/lib/python3*/site-packages")
    assert (site_packages / "microsite.pth").read_text() == f"/opt/microsite/{laid.current.name}\n"
    environ = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(laid.current),
        "MICROSITE_INSTANCE": str(laid.root / "instance"),
    }

    done = subprocess.run([python, "-m", "microsite.cli", "prepare"], env=environ, capture_output=True, text=True)

    assert done.returncode == 0, done.stderr
    assert (laid.root / "instance" / "WELCOME.txt").exists()


def test_the_command_acts_as_the_sites_own_user(laid: Laid) -> None:
    text = (laid.root / "usr/local/bin/microsite").read_text()
    assert "runuser -u microsite -- env MICROSITE_INSTANCE=/var/lib/microsite /opt/microsite/current/" in text
    assert text.endswith('/.venv/bin/microsite "$@"\n')


def test_a_newer_version_lies_beside_the_old_one_and_there_is_a_way_back(laid: Laid) -> None:
    old = laid.current.name
    venv = laid.current / ".venv"
    newer = laid.source / "static" / "robots.txt"
    newer.write_text(newer.read_text() + "\n")
    # The packages are those of the version before: laid out already, so that nothing is fetched again.
    number = run(laid.source, laid.root, "--back")
    assert number.returncode == 1
    assert "There is no version before this one." in number.stderr
    name = subprocess.run(
        ["sh", "-c", ". /dev/stdin; version"],
        input=_functions(laid.source),
        env={**os.environ, "DESTDIR": str(laid.root)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    assert re.fullmatch(r"0\.1\.0-[0-9a-f]{8}", name)
    assert name != old
    shutil.copytree(laid.current, laid.current.with_name(name), symlinks=True)

    done = run(laid.source, laid.root)
    assert done.returncode == 0, done.stderr
    assert laid.current.name == name
    back = run(laid.source, laid.root, "--back")
    assert back.returncode == 0
    assert laid.current.name == old
    assert venv.exists()


def _functions(source: Path) -> str:
    """The script's definitions without its last part, which acts."""
    text = (source / "deploy/install").read_text().partition("\ncheck_machine\n")[0]
    return re.sub(r"(?m)^SOURCE=.*$", f"SOURCE={source}", text)


@pytest.mark.parametrize("argument", ["--help", "elsewhere"])
def test_it_refuses_what_it_does_not_know(argument: str, tmp_path: Path) -> None:
    done = run(ROOT, tmp_path, argument)
    assert done.returncode == 1
    assert "usage" in done.stderr
    assert not list(tmp_path.iterdir())
