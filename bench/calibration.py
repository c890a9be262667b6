"""What this machine can do, taken in every run and printed with every result: a loop, a disk, a loopback."""

import os
import socket
import tempfile
import threading
import time
from pathlib import Path
from typing import NamedTuple

from .figures import percentile
from .rounds import least_cpu

LOOP = 100_000
BLOCK = 4096


class Calibration(NamedTuple):
    """CPU milliseconds of the loop, milliseconds of a write that is on the disk, exchanges a second over loopback."""

    loop_ms: float
    fsync_p50_ms: float
    fsync_p99_ms: float
    loopback_per_second: float


def calibrate(rounds: int, folder: Path | None = None) -> Calibration:
    """Take all three."""
    syncs = fsync_seconds(40 * rounds, folder)
    return Calibration(
        loop_ms=round(least_cpu(loop, rounds + 2) * 1e3, 3),
        fsync_p50_ms=round(percentile(syncs, 0.5) * 1e3, 3),
        fsync_p99_ms=round(percentile(syncs, 0.99) * 1e3, 3),
        loopback_per_second=round(loopback(0.1 * rounds)),
    )


def loop() -> int:
    """A hundred thousand steps of plain Python: the yardstick for CPU time."""
    total = 0
    for number in range(LOOP):
        total += number
    return total


def fsync_seconds(times: int, folder: Path | None = None) -> list[float]:
    """How long it takes until an appended block is on the disk that holds `folder` (or the temp folder)."""
    with tempfile.TemporaryFile(dir=folder) as file:
        return [sync_once(file.fileno()) for _ in range(times)]


def sync_once(descriptor: int) -> float:
    """Append one block and wait until it is on the disk."""
    began = time.perf_counter()
    os.write(descriptor, b"\0" * BLOCK)
    os.fsync(descriptor)
    return time.perf_counter() - began


def loopback(seconds: float) -> float:
    """Exchanges a second of a hundred bytes between two threads over a loopback connection."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        threading.Thread(target=_echo, args=(listening,), daemon=True).start()
        with socket.create_connection(listening.getsockname()) as client:
            client.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            count, began = 0, time.perf_counter()
            while (took := time.perf_counter() - began) < seconds:
                client.sendall(b"x" * 100)
                client.recv(4096)
                count += 1
    return count / took


def _echo(listening: socket.socket) -> None:
    served, _ = listening.accept()
    with served:
        served.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        while received := served.recv(4096):
            served.sendall(received)
