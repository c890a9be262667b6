"""The command line as an operator types it: a process of its own, with an instance folder of its own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.postgres import database_of


class Shell:
    """Runs `microsite …` in one instance folder."""

    def __init__(self, instance: Path) -> None:
        self.instance = instance

    def run(self, *words: str, answers: str = "", code: int = 0, **environ: str) -> str:
        """What the command said on both streams; its exit code must be `code`."""
        done = subprocess.run(
            [sys.executable, "-m", "microsite.cli", *words],
            cwd=ROOT,
            env={**os.environ, "MICROSITE_INSTANCE": str(self.instance), **database_of(self.instance), **environ},
            input=answers,
            capture_output=True,
            text=True,
            timeout=120,
        )
        said = done.stdout + done.stderr
        assert done.returncode == code, said
        assert "Traceback" not in said
        return said


@pytest.fixture(name="shell")
def _shell(tmp_path: Path) -> Shell:
    return Shell(tmp_path / "instance")
