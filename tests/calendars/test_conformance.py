"""The conformance run, on the two servers that are always at hand; their rows are known in advance."""

import subprocess
import sys

import pytest

from .checks import CHECKS
from .servers import LOOPBACK
from .servers import PASSWORD
from .servers import USER
from .servers import Server
from .target import Target

EXPECTED = {
    "create once": "yes",
    "etag, body": "rewritten",
    "create race": "1 of 8",
    "update race": "1 of 8",
    "delete race": "yes",
    "stale update refused": "yes",
    "stale delete refused": "yes",
    "sync": "idle, rename followed",
    "listing cut": "yes",
    "bogus token": "told",
    "lost token": "yes",
    "no etags": "yes",
    "weak etags": "yes",
    "her additions kept": "yes",
    "VAVAILABILITY": "no",
}
OTHERWISE = {"Xandikos": {"sync": "idle, rename refused", "VAVAILABILITY": "yes"}}


@pytest.mark.parametrize("check", CHECKS)
def test_a_server_does_what_we_rely_on(server: Server, check: str) -> None:
    target = Target(server.account(server.new_calendar()), LOOPBACK)
    with target.client:
        assert CHECKS[check](target) == OTHERWISE.get(server.name, {}).get(check, EXPECTED[check])


def test_the_run_prints_a_row_for_the_table_of_servers(server: Server) -> None:
    url = f"http://127.0.0.1:{server.port}{server.home}"
    options = ["--url", url, "--user", USER, "--password", PASSWORD, "--name", "A server"]
    run = subprocess.run(
        [sys.executable, "-m", "tests.calendars.conformance", *options], capture_output=True, text=True
    )
    header, line, row = run.stdout.splitlines()
    assert (run.returncode, run.stderr) == (0, "")
    assert row.startswith("| A server | yes | rewritten | 1 of 8 |") and row.count("|") == header.count("|")
    assert line.count("|") == header.count("|")
