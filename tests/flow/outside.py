"""The world outside the site, as real programs: a Radicale of its own, a proxy that can hold or cut, a mail relay."""

import http.client
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request
from urllib.request import urlopen

from aiosmtpd.controller import Controller

from tests.conftest import free_port
from tests.conftest import wait_until
from tests.flow.coach import Letter
from tests.flow.coach import letter

USER = "rara"


@contextmanager
def radicale(folder: Path) -> Iterator[int]:
    """A calendar server in a process of its own, without passwords; its port."""
    port = free_port()
    options = {"server-hosts": f"127.0.0.1:{port}", "storage-filesystem-folder": str(folder), "auth-type": "none"}
    words = [word for name, text in options.items() for word in (f"--{name}", text)]
    with (folder.parent / "radicale.log").open("wb") as log:
        running = subprocess.Popen([sys.executable, "-m", "radicale", "--config", "", *words], stdout=log, stderr=log)
    try:
        wait_until(lambda: _answers(port), 60, "a calendar server")
        yield port
    finally:
        running.terminate()
        running.wait(60)


def make_calendar(port: int, name: str) -> str:
    """A new calendar on that server; its path."""
    path = f"/{USER}/{name}/"
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("MKCALENDAR", path, headers={"Authorization": "Basic cmFyYTp4"})
    assert connection.getresponse().status == 201
    connection.close()
    return path


def _answers(port: int) -> bool:
    try:
        with urlopen(Request(f"http://127.0.0.1:{port}/.web"), timeout=2):
            return True
    except URLError as error:
        return hasattr(error, "code")
    except (ConnectionError, TimeoutError):
        return False


class Proxy:
    """Stands before a server. It can be `cut` (no answers at all), or hold back the reply to one request.

    What is held was done by the server: only the answer does not arrive.
    """

    def __init__(self, behind: int) -> None:
        self.cut = False
        self.refused = 0
        self.held = threading.Event()
        self._hold = self._after = ""
        self._release = threading.Event()
        proxy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

            def __getattr__(self, name: str) -> Any:
                if name.startswith("do_"):
                    return lambda: proxy.pass_on(self, behind)
                raise AttributeError(name)

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def url(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def hold(self, method: str, after: str = "") -> None:
        """Hold the reply to the next request of that method (following one of `after`); `held` says it was done.

        Whatever else is asked meanwhile gets no answer either: however long it lasts, nobody learns what was done.
        """
        self._hold, self._after = method, after
        self.held.clear()
        self._release.clear()

    def let_go(self) -> None:
        """Hold nothing any more."""
        self._hold = self._after = ""
        self._release.set()
        self.held.clear()

    def pass_on(self, handler: BaseHTTPRequestHandler, behind: int) -> None:
        """One request to the server, and its reply back."""
        body = handler.rfile.read(int(handler.headers.get("Content-Length") or 0))
        if self.cut:
            self.refused += 1
            handler.close_connection = True
            return
        if self.held.is_set():
            self._release.wait(180)
            handler.close_connection = True
            return
        connection = http.client.HTTPConnection("127.0.0.1", behind, timeout=60)
        connection.request(handler.command, handler.path, body, dict(handler.headers))
        reply = connection.getresponse()
        content = reply.read()
        connection.close()
        if handler.command == self._after:
            self._after = ""
        elif handler.command == self._hold and not self._after:
            self._hold = ""
            self.held.set()
            self._release.wait(180)
            handler.close_connection = True
            return
        handler.send_response(reply.status)
        for name, text in reply.getheaders():
            if name.lower() not in {"connection", "transfer-encoding", "content-length", "date", "server"}:
                handler.send_header(name, text)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        handler.wfile.write(content)

    def close(self) -> None:
        """Stop."""
        self.let_go()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(20)


class Relay:
    """A mail relay on this machine that takes everything."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self._controller = Controller(self, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
        self._controller.start()

    @property
    def port(self) -> int:
        """Where it listens."""
        return int(self._controller.port)

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:
        """Take a letter."""
        self.taken.append(envelope.content)
        return "250 taken"

    def letters(self, to: str) -> list[Letter]:
        """The letters to an address, in order."""
        return [each for each in map(letter, list(self.taken)) if each.to == to]

    def close(self) -> None:
        """Stop."""
        self._controller.stop()
