"""Load over HTTP: `wrk` where it is installed, else a client of our own in a process of its own."""

import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import urlsplit

CONNECTIONS = 8


class Load(NamedTuple):
    """Answers a second, how many answers there were, and milliseconds of the median and the slowest hundredth."""

    per_second: float
    answers: int
    p50_ms: float
    p99_ms: float
    errors: int


def name(seconds: float) -> str:
    """Which client `load` takes."""
    return "wrk" if shutil.which("wrk") and seconds >= 1 else "python"


def load(url: str, headers: Mapping[str, str], seconds: float, connections: int = CONNECTIONS) -> Load:
    """Ask one address over and over on some connections; errors are answers of 400 and above, and broken ones."""
    if name(seconds) == "wrk":
        return _wrk(url, headers, seconds, connections)
    words = [sys.executable, "-m", "bench.client", url, str(seconds), str(connections)]
    asked = [f"{key}: {value}" for key, value in headers.items()]
    done = subprocess.run([*words, *asked], capture_output=True, text=True, check=True, timeout=seconds + 60)
    return Load(*(float(each) if "." in each else int(each) for each in done.stdout.split()))  # type: ignore[arg-type]


def _wrk(url: str, headers: Mapping[str, str], seconds: float, connections: int) -> Load:
    words = ["wrk", "-t1", f"-c{connections}", f"-d{round(seconds)}s", "--latency"]
    for key, value in headers.items():
        words += ["-H", f"{key}: {value}"]
    return what_wrk_says(
        subprocess.run([*words, url], capture_output=True, text=True, check=True, timeout=seconds + 60).stdout
    )


def what_wrk_says(said: str) -> Load:
    """The figures in what wrk prints; raises RuntimeError where it prints something else."""
    broken = sum(map(int, re.findall(r"(?:connect|read|write|timeout) (\d+)", said)))
    refused = sum(map(int, re.findall(r"Non-2xx or 3xx responses: (\d+)", said)))
    return Load(
        per_second=float(_found(r"Requests/sec:\s+([\d.]+)", said)),
        answers=int(_found(r"(\d+) requests in", said)),
        p50_ms=_milliseconds(_found(r"^ +50% +([\d.]+[mu]?s)$", said)),
        p99_ms=_milliseconds(_found(r"^ +99% +([\d.]+[mu]?s)$", said)),
        errors=broken + refused,
    )


def _found(pattern: str, said: str) -> str:
    match = re.search(pattern, said, re.MULTILINE)
    if match is None:
        raise RuntimeError(f"wrk said something unexpected:\n{said}")
    return match[1]


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]


def _ask(url: str, headers: list[str], until: float, took: list[float], errors: list[int]) -> None:
    import socket

    parts = urlsplit(url)
    target = f"{parts.path}?{parts.query}" if parts.query else parts.path
    request = "\r\n".join((f"GET {target} HTTP/1.1", f"Host: {parts.netloc}", *headers, "", "")).encode()
    with socket.create_connection((parts.hostname, parts.port)) as conn:
        conn.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while True:  # at least once, however late this began
            began = time.perf_counter()
            conn.sendall(request)
            if _read(conn) >= 400:
                errors.append(1)
            took.append(time.perf_counter() - began)
            if time.perf_counter() >= until:
                return


def _read(conn: "object") -> int:
    received = b""
    while b"\r\n\r\n" not in received:
        received += conn.recv(65536)  # type: ignore[attr-defined]
    head, _, body = received.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)content-length: *(\d+)", head)
    left = int(length[1]) - len(body) if length else 0
    while left > 0:
        left -= len(conn.recv(65536))  # type: ignore[attr-defined]
    return int(head.split(b" ", 2)[1])


def main(url: str, seconds: str, connections: str, *headers: str) -> None:
    """The client of our own: a thread for each connection; prints a Load."""
    took: list[float] = []
    errors: list[int] = []
    began = time.perf_counter()
    until = began + float(seconds)
    threads = [
        threading.Thread(target=_ask, args=(url, list(headers), until, took, errors)) for _ in range(int(connections))
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    ordered = sorted(took)
    p50, p99 = (ordered[int(len(ordered) * share)] * 1e3 for share in (0.5, 0.99))
    print(f"{len(took) / (time.perf_counter() - began):.3f} {len(took)} {p50:.4f} {p99:.4f} {len(errors)}")


if __name__ == "__main__":
    main(*sys.argv[1:])
