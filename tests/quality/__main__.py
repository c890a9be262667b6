"""`make quality`: every state before the judges, Lighthouse on a running site, and the figures in docs/quality.md."""

import logging
import os
import platform
import statistics
import subprocess
import sys
from datetime import UTC
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from microsite.work import adjust
from microsite.work import demo
from microsite.work import look
from microsite.work import portrait
from tests import likeness
from tests.conftest import ROOT
from tests.conftest import Site
from tests.conftest import free_port
from tests.flow.backstage import backstage

from . import judges
from .every_state import WIDTHS
from .every_state import every_state
from .judges import Run

RUNS = 5
SLOW_RUNS = 3
PATHS = {"the sessions": "/sari/", "choosing a time": "/sari/sesi/?tz=Asia/Jakarta", "what is kept": "/sari/privacy"}
MOST_BYTES, MOST_REQUESTS, MOST_SHIFT, MOST_SLOW = 45_000, 6, 0.02, 2500
LEAST_PERFORMANCE = 98


class Measured(NamedTuple):
    """The runs of one page: as Lighthouse comes, really slowed down, and once with the slowness computed."""

    usual: list[Run]
    slow: list[Run]
    computed: Run

    @property
    def slow_lcp(self) -> float:
        """Milliseconds to the largest paint on a slow telephone, the median."""
        return statistics.median(run.lcp for run in self.slow)


def measure(url: str) -> Measured:
    """All runs of one page."""
    usual = [judges.lighthouse(url) for _ in range(RUNS)]
    slow = [judges.lighthouse(url, *judges.SLOW) for _ in range(SLOW_RUNS)]
    return Measured(usual, slow, judges.lighthouse(url, *judges.COMPUTED))


def shortfalls(name: str, measured: Measured) -> list[str]:
    """Where the figures are not what they must be."""
    said, runs = [], measured.usual
    performance = statistics.median(run.scores["performance"] for run in runs)
    if performance < LEAST_PERFORMANCE:
        said.append(f"performance {performance}")
    for category in sorted(set(runs[0].scores) - {"performance"}):
        worst = min(run.scores[category] for run in runs)
        said += [f"{category} {worst}"] if worst < 100 else []
    for what, value, most in (
        ("bytes", max(run.size for run in runs), MOST_BYTES),
        ("requests", max(run.requests for run in runs), MOST_REQUESTS),
        ("layout shift", max(run.cls for run in runs), MOST_SHIFT),
        ("ms to the largest paint on a slow telephone", measured.slow_lcp, MOST_SLOW),
    ):
        said += [f"{what}: {value:g}, at most {most:g}"] if value > most else []
    return [f"Lighthouse: {name}: {each}" for each in said]


def line(name: str, measured: Measured) -> str:
    """One row of the table."""
    runs = measured.usual
    performance = [run.scores["performance"] for run in runs]
    others = "/".join(str(min(run.scores[each] for run in runs)) for each in ("accessibility", "best-practices", "seo"))
    size, requests = max(run.size for run in runs), max(run.requests for run in runs)
    lcp, shift = statistics.median(run.lcp for run in runs), max(run.cls for run in runs)
    slow, computed = measured.slow_lcp / 1000, measured.computed.lcp / 1000
    return (
        f"| {name} | {statistics.median(performance):.0f} ({min(performance)}–{max(performance)}) | {others} |"
        f" {size / 1000:.1f} KB | {requests} | {lcp / 1000:.1f} s | {shift:.3f} | {slow:.1f} s ({computed:.1f} s) |"
    )


def commit() -> str:
    """Which version was measured."""
    asked = {"cwd": ROOT, "capture_output": True, "text": True, "check": True}
    name = subprocess.run(["git", "rev-parse", "--short", "HEAD"], **asked).stdout.strip()  # type: ignore[call-overload]
    changed = subprocess.run(["git", "status", "--porcelain", "-uno"], **asked).stdout  # type: ignore[call-overload]
    return f"{name}, with changes" if changed else str(name)


def adorn(site: Site) -> None:
    """Give the demo coach whatever makes her pages heavier: a portrait and her own colour."""
    with backstage(site) as services:
        portrait.keep(services, demo.SLUG, likeness.draw(grain=0.16))
        coach = look.coach(services, demo.SLUG)
        adjust.save(services, coach, {**adjust.document(coach.settings), "accent": "#1d6b4a"})


def report(rows: list[str], looked: str, found: list[str]) -> str:
    """The text of docs/quality.md."""
    machine = f"{os.cpu_count()} cores, {platform.system()} {platform.machine()}, Python {platform.python_version()}"
    faults = "\n".join(f"- {each}" for each in found) if found else "None."
    return f"""# Quality, as measured

Written by `make quality`, which prints the same and fails where a figure is not kept.
Last run: {datetime.now(UTC):%d %B %Y, %H:%M} UTC, commit {commit()}, on {machine}.

## Every state before the judges

{looked}: each state of the gallery (tests/web/gallery.py) in both languages, light and dark, at
{", ".join(map(str, WIDTHS))} px. axe-core with WCAG 2.2 A and AA and its best practices; nothing wider than the window;
html-validate (recommended) and the Nu checker over the HTML as it was sent.

## Lighthouse, mobile, {RUNS} runs each on a running site; its coach has a portrait and a colour of her own

| page | performance: median (range) | the other three | size | requests | largest paint | shift | slow phone |
|---|---|---|---|---|---|---|---|
{chr(10).join(rows)}

Wanted: performance ≥ {LEAST_PERFORMANCE}; accessibility, best practices and SEO 100;
≤ {MOST_BYTES // 1000} KB and ≤ {MOST_REQUESTS} requests with nothing cached, shift ≤ {MOST_SHIFT};
on a slow phone (400 ms, 400 kbit/s, a processor six times slower) the largest paint within {MOST_SLOW / 1000} s.
Measured with the connection and the processor really slowed down, median of {SLOW_RUNS}; in brackets what Lighthouse
computes from a fast run instead, where each file waits for a connection of its own.

## Findings

{faults}

No tool replaces people with TalkBack, VoiceOver or NVDA; that has not been done yet.
"""


def main() -> None:
    """Look, measure, write down; exit with 1 where anything was found."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    looked, found = every_state()
    rows = []
    with TemporaryDirectory() as folder:
        site = Site(Path(folder) / "instance", free_port()).start()
        try:
            adorn(site)
            for name, path in PATHS.items():
                measured = measure(site.base + path)
                rows.append(line(name, measured))
                print(rows[-1], flush=True)
                found += shortfalls(name, measured)
        finally:
            site.stop()
    (ROOT / "docs" / "quality.md").write_text(report(rows, looked, found), encoding="utf-8")
    print(*found, sep="\n", end="\n" if found else "")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
