"""A server that means harm, one way or another; it answers every request of every connection the same way."""

import gzip
import socket
import socketserver
import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager

HUGE = 300 * 1024 * 1024
_LAUGHS = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(10))
BOMB = f'<?xml version="1.0"?><!DOCTYPE m [{_LAUGHS}]><multistatus xmlns="DAV:">&l9;</multistatus>'.encode()
OUTSIDE = b'<!DOCTYPE m [<!ENTITY x SYSTEM "file:///etc/passwd">]><multistatus xmlns="DAV:">&x;</multistatus>'
Answer = Callable[[socket.socket, threading.Event], None]


def _head(length: int, status: str = "207 Multi-Status", more: str = "") -> bytes:
    return f"HTTP/1.1 {status}\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\n{more}\r\n".encode()


def redirect(connection: socket.socket, _: threading.Event) -> None:
    """Send the caller, and its password, elsewhere."""
    connection.sendall(_head(0, "302 Found", "Location: http://127.0.0.1:9/\r\n"))


def huge(connection: socket.socket, stop: threading.Event) -> None:
    """300 MB of calendar."""
    connection.sendall(_head(HUGE))
    block = b"x" * 1_048_576
    for _ in range(HUGE // len(block)):
        if stop.is_set():
            return
        connection.sendall(block)


def endless(connection: socket.socket, stop: threading.Event) -> None:
    """A body that names no length and has none."""
    connection.sendall(b"HTTP/1.1 207 Multi-Status\r\nTransfer-Encoding: chunked\r\n\r\n")
    block = b"10000\r\n" + b"x" * 0x10000 + b"\r\n"
    while not stop.is_set():
        connection.sendall(block)


def drip(connection: socket.socket, stop: threading.Event) -> None:
    """One byte now and then: each read is in time, the whole never is."""
    connection.sendall(_head(1000))
    while not stop.wait(0.1):
        connection.sendall(b"x")


def drip_head(connection: socket.socket, stop: threading.Event) -> None:
    """The same, before the body has even begun."""
    connection.sendall(b"HTTP/1.1 207 Multi-Status\r\nX-Slow: ")
    while not stop.wait(0.1):
        connection.sendall(b"x")


def many_heads(connection: socket.socket, stop: threading.Event) -> None:
    """Headers without end."""
    connection.sendall(b"HTTP/1.1 207 Multi-Status\r\n")
    number = 0
    while not stop.is_set():
        number += 1
        connection.sendall(f"X-{number}: {'y' * 8000}\r\n".encode())


def bomb(connection: socket.socket, _: threading.Event) -> None:
    """Ten billion laughs."""
    connection.sendall(_head(len(BOMB)) + BOMB)


def outside(connection: socket.socket, _: threading.Event) -> None:
    """An entity that is a file of ours."""
    connection.sendall(_head(len(OUTSIDE)) + OUTSIDE)


def squeezed(connection: socket.socket, _: threading.Event) -> None:
    """300 KB on the wire, 300 MB unpacked."""
    body = _squeezed()
    connection.sendall(_head(len(body), more="Content-Encoding: gzip\r\n") + body)


def deep(connection: socket.socket, _: threading.Event) -> None:
    """Elements in elements, four megabytes of them."""
    body = b'<multistatus xmlns="DAV:">' + b"<a>" * 1_300_000
    connection.sendall(_head(len(body)) + body)


_PACKED: list[bytes] = []


def _squeezed() -> bytes:
    if not _PACKED:
        _PACKED.append(gzip.compress(b"\0" * HUGE, compresslevel=1))
    return _PACKED[0]


WAYS: dict[str, Answer] = {
    way.__name__: way for way in (redirect, huge, endless, drip, drip_head, many_heads, bomb, outside, squeezed, deep)
}


def _request(connection: socket.socket) -> bool:
    """Read one whole request: closing on what was not read would break the connection before the harm is done."""
    connection.settimeout(5)
    with connection.makefile("rb") as lines:
        length = 0
        while (line := lines.readline()) not in (b"\r\n", b""):
            name, _, value = line.partition(b":")
            length = int(value) if name.lower() == b"content-length" else length
        return line != b"" and len(lines.read(length)) == length


@contextmanager
def hostile(way: str, reached: threading.Event | None = None) -> Iterator[int]:
    """A hostile server's port, as long as the `with` lasts; `reached` is set by the first request."""
    stop = threading.Event()
    if way == "squeezed":
        _squeezed()  # before the clock of a test begins

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if not _request(self.request):
                return
            if reached is not None:
                reached.set()
            try:
                WAYS[way](self.request, stop)
            except OSError:
                return  # the caller hung up, as it should

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True
        allow_reuse_address = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server.server_address[1]
        finally:
            stop.set()
            server.shutdown()
            thread.join(5)
