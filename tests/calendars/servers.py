"""Real calendar servers in processes of their own, on free ports of loopback, for as long as a `with` lasts."""

import secrets
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec

from microsite.calendars.client import Client
from microsite.calendars.embedded import add_user
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from tests.waiting import free_port

LOOPBACK = frozenset({"127.0.0.1"})
USER = "coach"
PASSWORD = "a password of the tests"


class Server(msgspec.Struct, frozen=True):
    """A running server: where the calendars of `coach` are made."""

    name: str
    port: int
    home: str

    def account(self, calendar: str, port: int | None = None) -> Account:
        """The account of one calendar, at the server's own port or at a proxy's."""
        url = f"http://127.0.0.1:{port or self.port}{self.home}{calendar}/"
        return Account(calendar=calendar, url=url, username=USER, password=PASSWORD)

    def new_calendar(self) -> str:
        """Make a fresh calendar; its name."""
        name = f"c{secrets.token_hex(6)}"
        with Client(Wire(self.account(name), allowed=LOOPBACK)) as client:
            client.make_calendar("A calendar")
        return name


@contextmanager
def radicale(folder: Path) -> Iterator[Server]:
    """Radicale, as its own process."""
    port = free_port()
    add_user(folder / "users", USER, PASSWORD)
    settings = {
        "server-hosts": f"127.0.0.1:{port}",
        "server-max-connections": "40",
        "auth-type": "htpasswd",
        "auth-htpasswd-filename": str(folder / "users"),
        "auth-htpasswd-encryption": "bcrypt",
        "auth-cache-logins": "True",
        "auth-delay": "0",
        "server-delay-on-error": "0",
        "storage-filesystem-folder": str(folder / "collections"),
        "web-type": "none",
        "logging-level": "critical",
    }
    options = [part for name, value in settings.items() for part in (f"--{name}", value)]
    with _running([sys.executable, "-m", "radicale", "--config", "", *options], port):
        yield Server("Radicale", port, f"/{USER}/")


@contextmanager
def xandikos(folder: Path) -> Iterator[Server]:
    """Xandikos, as its own process. It knows no passwords on plain http, so it lets everybody in."""
    port = free_port()
    program = str(Path(sys.executable).with_name("xandikos"))
    options = ["--current-user-principal", f"/{USER}/", "--defaults", "--state-dir", str(folder / "state")]
    where = ["-d", str(folder / "collections"), "-l", "127.0.0.1", "-p", str(port), "--no-detect-systemd"]
    with _running([program, "serve", *where, *options], port):
        yield Server("Xandikos", port, f"/{USER}/calendars/")


@contextmanager
def _running(command: list[str], port: int) -> Iterator[None]:
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        _wait_for(port, process)
        yield
    finally:
        process.terminate()
        try:
            process.wait(60)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 90
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise RuntimeError(f"the server ended at once ({process.returncode})")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            threading.Event().wait(0.02)
        else:
            return
    raise RuntimeError("the server did not begin to listen")
