"""What changed in a collection of the embedded server, told by its files: asking the server costs it every object.

Radicale opens three files for each object to answer "nothing changed". Here the folder is listed and each file compared
with what it was when its etag was learnt (inode, time of change, size, as git does with its index). What differs is
then asked for, like any object of any server. Nothing is kept but that: after a start the server itself is asked first.
"""

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote

from microsite.calendars import dav
from microsite.core.bounded import Bounded

BYTES = 3 * 1024 * 1024
"""What one process remembers: some 8,000 objects. Larger collections are asked for as those of other servers are."""
ENTRY = 400
"""Bytes that one object costs here."""
SECOND = 1_000_000_000
FINE, COARSE = SECOND // 10, 3 * SECOND
"""Nanoseconds after which a file that is written anew has another time of change. Some disks only count seconds."""

DEEP = 2
"""Every calendar of the server is a folder in its owner's folder."""
Stamp = tuple[int, int, int]


class Look(NamedTuple):
    """The files of a collection by href, as they were at `at` (nanoseconds, the clock of the machine's files)."""

    at: int
    stamps: Mapping[str, Stamp]


class Files:
    """What this process knows of the collections below `root`, which the server shows below `mount`."""

    def __init__(self, root: Path, mount: str) -> None:
        self._root, self._mount = root, mount
        self._known: Bounded[str, dict[str, tuple[Stamp, str]]] = Bounded(BYTES, lambda known: ENTRY * (len(known) + 1))

    def look(self, path: str) -> Look | None:
        """The files of the collection at that path; None where there is no such folder."""
        parts = [unquote(part) for part in path.removeprefix(self._mount).strip("/").split("/")]
        if len(parts) != DEEP or not all(parts) or any("/" in part or part.startswith(".") for part in parts):
            return None
        at = time.time_ns()
        try:
            with os.scandir(self._root.joinpath(*parts)) as entries:
                stamps = {
                    dav.href_in(path, entry.name): _stamp(entry.stat(follow_symlinks=False))
                    for entry in entries
                    if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False)
                }
        except OSError:  # no such folder, or a file that was replaced while we looked
            return None
        return Look(at, stamps)

    def changed(self, path: str, look: Look, etags: Mapping[str, str]) -> list[str] | None:
        """The hrefs of whatever may differ from what these etags stand for; None where nothing is known here."""
        known = self._known.get(path)
        if known is None:
            return None
        same = {href for href, stamp in look.stamps.items() if known.get(href) == (stamp, etags.get(href, ""))}
        return sorted((set(look.stamps) | set(etags)) - same)

    def note(self, path: str, look: Look, etags: Mapping[str, str]) -> None:
        """These etags were learnt after that look. A file that was just written may change without another stamp."""
        settled = {href: stamp for href, stamp in look.stamps.items() if stamp[1] + _doubt(stamp[1]) <= look.at}
        self._known.put(path, {href: (stamp, etags.get(href, "")) for href, stamp in settled.items()})


def _stamp(found: os.stat_result) -> Stamp:
    return found.st_ino, found.st_mtime_ns, found.st_size


def _doubt(changed_at: int) -> int:
    return FINE if changed_at % SECOND else COARSE
