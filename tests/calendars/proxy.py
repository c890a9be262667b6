"""A small HTTP proxy in front of a calendar server: counts what passes, and does to it what a test asks for."""

import http.client
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from dataclasses import field
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer


@dataclass
class Exchange:
    """One request and its reply, as a fault may change them."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes
    status: int = 0
    reply_headers: list[tuple[str, str]] = field(default_factory=list)
    reply: bytes = b""
    cut: int | None = None
    """Send only so many bytes of a body that was announced whole, then hang up (0: hang up without an answer)."""

    @property
    def is_answered(self) -> bool:
        """Did a fault put an answer of its own, so that the server is not asked?"""
        return self.status != 0

    def answer(self, status: int, body: bytes = b"", **headers: str) -> None:
        """Answer in the server's place, or instead of what it answered."""
        self.status, self.reply = status, body
        self.reply_headers = [(name.replace("_", "-"), value) for name, value in headers.items()]

    def drop_header(self, name: str) -> None:
        """Take a header off the reply."""
        self.reply_headers = [(key, value) for key, value in self.reply_headers if key.lower() != name.lower()]


Fault = Callable[[Exchange], None]


class Proxy:
    """What it saw (`seen`, `bytes`) and the faults it applies: `before` the server is asked, `after` it answered."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.before: list[Fault] = []
        self.after: list[Fault] = []
        self.seen: list[str] = []
        self.bytes = 0
        self.lock = threading.Lock()
        self.port = 0

    def heal(self) -> None:
        """End all faults and forget what was counted."""
        self.before, self.after = [], []
        self.seen, self.bytes = [], 0

    def handle(self, exchange: Exchange) -> None:
        """Ask the server unless a fault answered; then let the faults at the reply."""
        for fault in list(self.before):
            fault(exchange)
        if not exchange.is_answered:
            connection = http.client.HTTPConnection("127.0.0.1", self.upstream, timeout=120)
            try:
                connection.request(exchange.method, exchange.path, exchange.body, exchange.headers)
                response = connection.getresponse()
                exchange.status, exchange.reply = response.status, response.read()
                exchange.reply_headers = response.getheaders()
            finally:
                connection.close()
        for fault in list(self.after):
            fault(exchange)
        with self.lock:
            self.seen.append(exchange.method)
            self.bytes += len(exchange.reply)


@contextmanager
def proxy(upstream: int) -> Iterator[Proxy]:
    """A running proxy before the server at this port."""
    made = Proxy(upstream)

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True
        wbufsize = -1

        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            if not self.raw_requestline or not self.parse_request():
                self.close_connection = True
                return
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            exchange = Exchange(self.command, self.path, {**self.headers, "Connection": "close"}, body)
            exchange.headers.pop("Accept-Encoding", None)
            made.handle(exchange)
            self._reply(exchange)

        def _reply(self, exchange: Exchange) -> None:
            if exchange.cut == 0:
                self.close_connection = True
                return
            hop = {"content-length", "transfer-encoding", "connection", "keep-alive", "content-encoding"}
            self.send_response_only(exchange.status)
            for name, value in exchange.reply_headers:
                if name.lower() not in hop:
                    self.send_header(name, value)
            self.send_header("Content-Length", str(len(exchange.reply)))
            self.end_headers()
            self.wfile.write(exchange.reply[: exchange.cut])
            self.wfile.flush()
            self.close_connection = self.close_connection or exchange.cut is not None

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass  # a client that hangs up is what some of these tests are about

    with Quiet(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield made
        finally:
            server.shutdown()
            thread.join(5)
