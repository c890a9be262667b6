"""The Containerfile, as far as it can be tried where no engine runs: its rules, its lint, and what its lines do."""

import re
import subprocess
import sys
from pathlib import Path

from tests.conftest import ROOT

TEXT = (ROOT / "deploy/Containerfile").read_text()


def lines(word: str) -> list[str]:
    """What every line of that instruction says, continued lines joined."""
    return re.findall(rf"(?m)^{word} (.*)$", TEXT.replace("\\\n", " "))


def test_the_linter_has_nothing_to_say() -> None:
    done = subprocess.run(
        [Path(sys.executable).with_name("hadolint"), ROOT / "deploy/Containerfile"], capture_output=True, text=True
    )
    assert (done.returncode, done.stdout) == (0, "")


def test_the_base_has_glibc_and_is_the_same_for_both_stages() -> None:
    bases = [line.split()[0] for line in lines("FROM")]
    assert len(set(bases)) == 1
    assert bases[0].endswith("-slim-bookworm")


def test_it_does_not_run_as_root_and_writes_into_its_volume_only() -> None:
    assert lines("USER") == ["10001:10001"]
    assert lines("VOLUME") == ["/var/lib/microsite"]
    assert "MICROSITE_INSTANCE=/var/lib/microsite" in lines("ENV")[0]
    assert "PYTHONDONTWRITEBYTECODE=1" in lines("ENV")[0]
    after_user = TEXT.partition("\nUSER ")[2]
    assert not re.search(r"(?m)^(RUN|COPY|ADD) ", after_user)


def test_commands_need_no_shell() -> None:
    for word in ("ENTRYPOINT", "CMD"):
        assert all(line.startswith("[") for line in lines(word))
    assert re.search(r'CMD \["\.venv/bin/python", "-c", ', lines("HEALTHCHECK")[0])


def test_all_that_is_copied_is_there_and_nothing_of_an_instance() -> None:
    copied = [line.split()[0] for line in lines("COPY") if not line.startswith("--from")]
    assert copied == ["requirements.txt", "microsite", "templates", "static", "docs"]
    assert all((ROOT / name).exists() for name in copied)


def test_dependencies_are_installed_as_the_install_script_does_it() -> None:
    """Which `test_install` runs for real."""
    (install,) = [line for line in lines("RUN") if " pip install " in line]
    flags = install.partition(" pip ")[2].partition(" -r ")[0]
    assert f" pip {flags} -r " in (ROOT / "deploy/install").read_text()
    assert "--require-hashes" in flags


def test_its_own_health_check_runs() -> None:
    """Against nobody it fails, as it must."""
    code = re.search(r'"-c", "(.*)"\]', lines("HEALTHCHECK")[0])
    assert code is not None
    compile(code[1], "healthcheck", "exec")
    asked = code[1].replace(":8000", ":9")
    assert subprocess.run([sys.executable, "-c", asked], capture_output=True, check=False).returncode != 0
