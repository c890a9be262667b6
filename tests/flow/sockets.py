"""Who is connected to whom, read from /proc (proc(5)): does the site ever call its own port?"""

import os
import socket
import threading
from contextlib import suppress
from pathlib import Path
from typing import Self

TABLES = (Path("/proc/net/tcp"), Path("/proc/net/tcp6"))
LOOK_SECONDS = 0.01


def callers(port: int, processes: set[int]) -> list[str]:
    """The sockets of these processes whose other end is that port."""
    owned = _sockets(processes)
    rows = [line.split() for table in TABLES if table.exists() for line in table.read_text().splitlines()[1:]]
    return [row[1] for row in rows if int(row[2].rpartition(":")[2], 16) == port and row[9] in owned]


def session(leader: int) -> set[int]:
    """The processes of a session."""
    found = set()
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                fields = (entry / "stat").read_text().rpartition(")")[2].split()
            except (FileNotFoundError, ProcessLookupError):
                continue
            if int(fields[3]) == leader and fields[0] != "Z":
                found.add(int(entry.name))
    return found


def _sockets(processes: set[int]) -> set[str]:
    inodes = set()
    for process in processes:
        folder, names = f"/proc/{process}/fd", list[str]()
        with suppress(FileNotFoundError):  # it ended meanwhile
            names = os.listdir(folder)
        for name in names:
            with suppress(FileNotFoundError):  # closed while it was looked at
                target = os.readlink(f"{folder}/{name}")
                inodes |= {target[8:-1]} if target.startswith("socket:[") else set()
    return inodes


class Watch:
    """Looks again and again, while it is open, whether the processes of a session call a port."""

    def __init__(self, port: int, leader: int) -> None:
        self.seen: list[str] = []
        self.looks = 0
        self._port, self._processes = port, session(leader)
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def _look(self) -> None:
        while not self._done.wait(LOOK_SECONDS):
            self.seen += callers(self._port, self._processes)
            self.looks += 1

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._done.set()
        self._thread.join()


def can_be_seen(port: int) -> bool:
    """Whether a call to that port from this very process would be noticed."""
    with socket.create_connection(("127.0.0.1", port)):
        return bool(callers(port, {os.getpid()}))
