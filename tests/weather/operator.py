"""What an operator does in a shell, and what she reads there."""

import re
import subprocess
import sys
from typing import NamedTuple

from tests.conftest import ROOT
from tests.conftest import Site


class Told(NamedTuple):
    """How a command ended, and all it said."""

    code: int
    text: str

    @property
    def wrong(self) -> list[str]:
        """What it complains of: findings of `doctor` with their advice, or the one sentence of a refusal."""
        found = re.findall(r"(?m)^  (?:WRONG|look ) .*(?:\n +→ .*)?", self.text)
        return found or ([] if self.code == 0 else self.text.strip().splitlines())


def told(site: Site, command: str) -> Told:
    """Run `microsite COMMAND` beside (or instead of) the site."""
    run = [sys.executable, "-m", "microsite.cli", command]
    done = subprocess.run(run, cwd=ROOT, env=site.environ, capture_output=True, text=True, timeout=120, check=False)
    assert "Traceback" not in done.stderr, done.stderr
    return Told(done.returncode, done.stdout + done.stderr)
