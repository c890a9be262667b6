"""Results as lines of JSON, one for each part of a run, with the commit, the machine and its calibration in each."""

import json
import time
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

from .calibration import Calibration
from .figures import Figure
from .figures import Outcome
from .machine import ROOT
from .machine import commit
from .machine import facts

FOLDER = ROOT / "bench" / "results"


class Log:
    """The lines of one run."""

    def __init__(self, size: str, calibration: Calibration, folder: Path = FOLDER) -> None:
        self._began = datetime.fromtimestamp(time.time(), UTC)
        self._head = {
            "run": f"{self._began:%Y%m%dT%H%M%SZ}",
            "size": size,
            "commit": commit(),
            "machine": facts(),
            "calibration": calibration._asdict(),
        }
        folder.mkdir(parents=True, exist_ok=True)
        self.file = folder / f"{self._head['run']}-{size}.jsonl"

    def add(self, part: str, outcome: Outcome) -> None:
        """Write what a part found, at once: what was measured is kept whatever comes after."""
        line = {
            **self._head,
            "part": part,
            "figures": [figure.as_dict() for figure in outcome.figures],
            "remarks": list(outcome.remarks),
        }
        self._write(line)

    def refuse(self, part: str, reason: str) -> None:
        """Write that a part was not timed, and why."""
        self._write({**self._head, "part": part, "figures": [], "remarks": [], "refused": reason})

    def _write(self, line: dict[str, Any]) -> None:
        with self.file.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")


def read(folder: Path = FOLDER) -> Iterator[dict[str, Any]]:
    """Every line of every run, the oldest run first."""
    for file in sorted(folder.glob("*.jsonl")):
        for line in file.read_text("utf-8").splitlines():
            yield json.loads(line)


def figures_of(line: dict[str, Any]) -> list[Figure]:
    """The figures of a line."""
    return [Figure(**each) for each in line["figures"]]
