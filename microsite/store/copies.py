"""The copies of an SQLite file that an upgrade made: which there are, which must go, and how they go.

A copy is for going back to the version before, in the first days. It must not remember what the site has forgotten:
it goes when it is a week old, or as soon as it holds a booking that was erased or purged since, whichever is first.
"""

import sqlite3
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

from sqlalchemy import Connection
from sqlalchemy import select

from .tables import booking

KEPT_SECONDS = 7 * 24 * 3600
BLOCK = 1 << 20


def copy_path(file: Path, revision: str) -> Path:
    """Where the copy of a database of that revision lies."""
    return file.with_name(f"{file.stem}-before-{revision}{file.suffix}")


def make(connection: sqlite3.Connection, file: Path, revision: str) -> None:
    """A consistent copy beside the file, whole or not at all."""
    target = copy_path(file, revision)
    new = target.with_name(f".{target.name}.new")
    new.unlink(missing_ok=True)
    try:
        connection.execute("VACUUM INTO ?", (str(new),))
        new.chmod(0o600)
        new.replace(target)
    finally:
        new.unlink(missing_ok=True)


def outdated(conn: Connection, file: Path, now: int, going: Iterable[str] = ()) -> list[Path]:
    """The copies whose time is over at `now` (UTC seconds); `conn` sees the database in use, `going` leave it now."""
    found = sorted(file.parent.glob(copy_path(file, "*").name))
    if not found:
        return []
    known = set(conn.scalars(select(booking.c.id))) - set(going)
    return [path for path in found if path.stat().st_mtime <= now - KEPT_SECONDS or not set(_bookings(path)) <= known]


def destroy(path: Path) -> None:
    """The copy overwritten, then removed; what the disk itself keeps elsewhere is out of reach."""
    for each in (path, *(path.with_name(path.name + end) for end in ("-wal", "-shm", "-journal"))):
        if each.is_file():
            _overwrite(each)
            each.unlink(missing_ok=True)


def _bookings(path: Path) -> Iterator[str]:
    """The bookings in a copy; one that cannot be read holds a booking that nobody knows."""
    try:
        with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as copy:
            yield from (found for (found,) in copy.execute("SELECT id FROM booking"))
    except sqlite3.DatabaseError:
        yield ""


def _overwrite(path: Path) -> None:
    with path.open("r+b") as file:
        left = path.stat().st_size
        while left > 0:
            left -= file.write(bytes(min(left, BLOCK)))
        file.flush()
