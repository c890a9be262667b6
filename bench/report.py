"""Writes the last figures into docs/benchmarks.md, between its two marks: `python -m bench.report`.

Of each part the newest line counts, a full run's before a quick one's of the same commit or a later one's.
"""

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from .figures import Figure
from .goals import Goal
from .goals import load
from .machine import ROOT
from .results import FOLDER
from .results import figures_of
from .results import read
from .run import PARTS

PAGE = ROOT / "docs" / "benchmarks.md"
BEGIN, END = "<!-- last figures: begin -->", "<!-- last figures: end -->"


def main(page: Path = PAGE, results: Path = FOLDER) -> int:
    """0 where the page was written, 1 where there is nothing to write."""
    newest = newest_of(read(results))
    if not newest:
        print("There are no results yet: run `make bench-full` first.")
        return 1
    text = page.read_text("utf-8")
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    page.write_text(f"{head}{BEGIN}\n{table(newest)}\n{END}{tail}", "utf-8")
    print(f"Written: {page.name}")
    return 0


def newest_of(lines: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The line that counts for each part, in the order of the parts; refused parts count as well."""
    found: dict[str, dict[str, Any]] = {}
    for line in lines:
        if line["size"] == "tiny":
            continue
        known = found.get(line["part"])
        if known is None or (line["size"], line["commit"]) == (known["size"], known["commit"]) or _better(line, known):
            found[line["part"]] = line
    return [found[name] for name in PARTS if name in found]


def table(lines: list[dict[str, Any]]) -> str:
    """Where and when, and a row for each figure with its goal."""
    goals = {goal.figure: goal for goal in load()}
    first = lines[0]
    machine, calibration = first["machine"], first["calibration"]
    said = [
        f"{machine['cpu']}, {machine['cores']} cores, {machine['system']}, Python {machine['python']}."
        f" Loop {calibration['loop_ms']} ms, write to disk {calibration['fsync_p50_ms']} ms (slowest hundredth"
        f" {calibration['fsync_p99_ms']} ms), loopback {calibration['loopback_per_second']:.0f} exchanges a second.",
        "",
        "| figure | median | lowest to highest | goal | |",
        "|---|---:|---:|---|---|",
    ]
    for line in lines:
        said.append(f"| **{line['part']}** | | | {line['run']}, {line['size']}, `{line['commit']}` | |")
        if line.get("refused"):
            said.append(f"| not timed | | | {line['refused']} | refused |")
        said += [row(figure, goals.get(figure.name), line["size"]) for figure in figures_of(line)]
    return "\n".join(said)


def row(figure: Figure, goal: Goal | None, size: str) -> str:
    """One figure beside its goal."""
    spread = f"{figure.low:.4g} to {figure.high:.4g}" if figure.rounds > 1 else ""
    value = f"{figure.value:.4g} {figure.unit}".strip()
    if goal is None or (goal.only and goal.only != size):
        return f"| {figure.name} | {value} | {spread} | | |"
    return f"| {figure.name} | {value} | {spread} | {goal.limit} | {'held' if goal.met(figure.value) else 'MISSED'} |"


def _better(line: dict[str, Any], known: dict[str, Any]) -> bool:
    """A full run goes before a quick one of the same commit; any run of a later time with another commit is newer."""
    if line["commit"] == known["commit"]:
        return (line["size"] == "full", line["run"]) > (known["size"] == "full", known["run"])
    return bool(line["run"] > known["run"])


if __name__ == "__main__":
    sys.exit(main())
