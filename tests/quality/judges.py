"""The judges from outside: axe-core in the page, html-validate and the Nu checker over files, Lighthouse over a site.

They are installed into build/quality by `make quality`; nothing of them is part of the site.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any
from typing import NamedTuple

from playwright.sync_api import Page

from tests.conftest import ROOT
from tests.flow.browser import FLAGS
from tests.flow.browser import executable

INSTALLED = ROOT / "build" / "quality" / "node_modules"
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
ASK_AXE = """rules => axe.run(document, {runOnly: rules, resultTypes: ['violations']}).then(found =>
  found.violations.flatMap(each => each.nodes.map(node => `${each.id}: ${node.target.join(' ')}`)))"""
OVERFLOW = """() => [...document.querySelectorAll('body *')]
  .filter(one => !one.closest('.vh, .valley, .rooms, svg, option') && getComputedStyle(one).position !== 'absolute')
  .filter(one => one.getBoundingClientRect().right > innerWidth + 1)
  .map(one => `${one.tagName.toLowerCase()}.${one.className} is too wide`)
  .concat(document.documentElement.scrollWidth > innerWidth ? ['the page scrolls sideways'] : [])"""
SLOW = (
    "--only-categories=performance",
    "--throttling-method=devtools",  # really slowed down; Lighthouse's usual way computes from a fast run
    "--throttling.requestLatencyMs=400",
    "--throttling.downloadThroughputKbps=400",
    "--throttling.uploadThroughputKbps=400",
    "--throttling.cpuSlowdownMultiplier=6",
)
COMPUTED = (
    "--only-categories=performance",
    "--throttling.rttMs=400",
    "--throttling.throughputKbps=400",
    "--throttling.cpuSlowdownMultiplier=6",
)


class Run(NamedTuple):
    """One run of Lighthouse: scores 0-100, milliseconds, the layout shift, bytes over the wire, requests."""

    scores: dict[str, int]
    lcp: float
    cls: float
    size: int
    requests: int


def axe(page: Page) -> list[str]:
    """What axe-core finds in the page as it is: WCAG 2.2 A and AA, and its best practices."""
    if not page.evaluate("Boolean(window.axe)"):
        page.evaluate((INSTALLED / "axe-core" / "axe.min.js").read_text(encoding="utf-8"))
    found: list[str] = page.evaluate(ASK_AXE, RULES)
    return found


def overflow(page: Page) -> list[str]:
    """What reaches beyond the window."""
    found: list[str] = page.evaluate(OVERFLOW)
    return found


def html_validate(folder: Path) -> list[str]:
    """What html-validate's recommended rules find in a folder of pages."""
    report = folder / "report.json"  # a pipe would be cut: it ends before all is written
    tool = str(INSTALLED / ".bin" / "html-validate")
    ran = subprocess.run(
        [tool, "--preset", "recommended", "--formatter", f"json={report}", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if not report.exists():
        return [f"html-validate did not run: {ran.stderr.strip()}"]
    return [
        f"{Path(file['filePath']).name}:{said['line']}: {said['ruleId']}: {said['message']}"
        for file in json.loads(report.read_text(encoding="utf-8"))
        for said in file["messages"]
    ]


def nu(folder: Path) -> list[str]:
    """What the Nu HTML checker finds; without Java that is the finding."""
    if shutil.which("java") is None:
        return ["there is no Java on this machine, so the Nu checker did not run"]
    jar = INSTALLED / "vnu-jar" / "build" / "dist" / "vnu.jar"
    command = ["java", "-jar", str(jar), "--format", "json", "--skip-non-html", str(folder)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False)
    said: list[dict[str, Any]] = json.loads(ran.stderr)["messages"]
    return [
        f"{each.get('url', '').rsplit('/', 1)[-1]}:{each.get('lastLine', '')}: {each['message']}"
        for each in said
        if each["type"] != "info" or each.get("subType") == "warning"
    ]


def lighthouse(url: str, *options: str) -> Run:
    """One run on a running site, as a phone in Jakarta."""
    command = [
        str(INSTALLED / ".bin" / "lighthouse"),
        url,
        "--quiet",
        "--output=json",
        f"--chrome-flags={' '.join(FLAGS)}",
        *options,
    ]
    environ = {**os.environ, "CHROME_PATH": executable(), "TZ": "Asia/Jakarta"}
    ran = subprocess.run(command, capture_output=True, text=True, check=True, env=environ)
    report = json.loads(ran.stdout)
    audits = report["audits"]
    return Run(
        {name: round(100 * each["score"]) for name, each in report["categories"].items()},
        audits["largest-contentful-paint"]["numericValue"],
        audits["cumulative-layout-shift"]["numericValue"],
        int(audits["total-byte-weight"]["numericValue"]),
        len(audits["network-requests"]["details"]["items"]),
    )
