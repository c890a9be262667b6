"""The conformance run: `make conformance`, or `make conformance SERVER="--url … --user …"` for any other server.

Without `--url` it starts Radicale and Xandikos and prints one Markdown row for each; with it, one for that account. It
works in a calendar that it makes itself; where the server makes none, give the URL of an empty one.
"""

import argparse
import getpass
import secrets
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

import msgspec

from microsite.calendars import discovery
from microsite.calendars.client import Client
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing

from .checks import CHECKS
from .servers import LOOPBACK
from .servers import radicale
from .servers import xandikos
from .target import Target


def main() -> int:
    """Print a header and a row for each server; 1 where a check failed."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--url", default="", help="a CalDAV address, or that of an empty calendar")
    parser.add_argument("--user", default="")
    parser.add_argument("--password", default=None, help="asked for if it is not given")
    parser.add_argument("--name", default="", help="what to call the server in the row")
    parser.add_argument("--profile", default="")
    given = parser.parse_args()
    print("| server |", " | ".join(CHECKS), "|")
    print("|---" * (len(CHECKS) + 1) + "|")
    rows = _other(given) if given.url else _always()
    for name, results in rows.items():
        print(f"| {name} |", " | ".join(results), "|")
    return 1 if any(result.startswith("**") for results in rows.values() for result in results) else 0


def _always() -> dict[str, list[str]]:
    """The two servers that come with the tests."""
    rows = {}
    for start in (radicale, xandikos):
        with tempfile.TemporaryDirectory() as folder, start(Path(folder)) as server:
            rows[server.name] = [
                _outcome(check, Target(server.account(server.new_calendar()), LOOPBACK)) for check in CHECKS.values()
            ]
    return rows


def _other(given: argparse.Namespace) -> dict[str, list[str]]:
    """Any account."""
    password = getpass.getpass() if given.password is None else given.password
    host = urlsplit(given.url).hostname or ""
    allowed = frozenset({host})
    account, made = _calendar(given.url, given.user, password, given.profile, allowed)
    results = [_outcome(check, Target(account, allowed)) for check in CHECKS.values()]
    if made:
        Target(account, allowed).client.wire.send("DELETE", account.url)
    return {given.name or host: results}


def _calendar(url: str, user: str, password: str, profile: str, allowed: frozenset[str]) -> tuple[Account, bool]:
    """A calendar of our own beside the ones found (or under the address, if there are none), or the one given."""
    try:
        home = discovery.discover(url, user, password, 30, allowed)[0].url.rstrip("/").rpartition("/")[0]
    except CalendarMissing:
        home = url.rstrip("/")
    account = Account(
        calendar="conformance",
        url=f"{home}/conformance-{secrets.token_hex(8)}/",
        username=user,
        password=password,
        profile=profile,
    )
    try:
        with Client(Wire(account, allowed=allowed)) as client:
            client.make_calendar("Conformance run")
    except CalendarError:
        return msgspec.structs.replace(account, url=url), False
    return account, True


def _outcome(check: Callable[[Target], str], target: Target) -> str:
    try:
        return check(target)
    except (AssertionError, CalendarError) as error:
        return f"**{type(error).__name__}: {error}**"


if __name__ == "__main__":
    sys.exit(main())
