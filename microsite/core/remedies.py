"""Plain words for what a disk or a database file can be: what is wrong, as one word for the log, and what to do.

The numbers are those of `errno`, the names those of SQLite's result codes (extended ones begin with the plain one).
"""

import errno
from typing import NamedTuple


class Remedy(NamedTuple):
    """What is wrong with a file: a word for a log line, the same as a clause, and what to do about it."""

    word: str
    what: str
    advice: str

    def of(self, file: str) -> str:
        """One sentence about a file."""
        return f"{file}: {self.what}; {self.advice}"


FULL = Remedy("disk-full", "the disk is full", "make room there; the site then goes on by itself")
READ_ONLY = Remedy(
    "read-only",
    "it cannot be written, for the disk is read-only or the file belongs to another user",
    "mount the disk for writing (the system's log says why it is not), or give the folder to the site's user (chown)",
)
BROKEN = Remedy("disk-broken", "the disk reports errors", "copy away what can be read, replace it, restore a backup")
DAMAGED = Remedy("damaged", "the file is damaged", "stop the site, move the file away, and restore a backup")
FOLDER = Remedy("wrong-kind", "a folder is where a file belongs", "move it away (mv), then restore the file")
NO_FOLDER = Remedy("wrong-kind", "a file is where a folder belongs", "move it away (mv), then start again")
MISSING = Remedy("missing", "it is not there, or the folder above it is not", "restore it, or make the folder")
BUSY = Remedy("busy", "another program holds it locked", "see who has it open (fuser); a backup tool must not lock it")
UNKNOWN = Remedy("unreachable", "it does not answer", "see that the disk is there, then try again")
SERVER = Remedy("unreachable", "its server does not answer", "see that it runs and that database.url is right")

_DISK = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EFBIG: FULL,
    errno.EROFS: READ_ONLY,
    errno.EACCES: READ_ONLY,
    errno.EPERM: READ_ONLY,
    errno.EIO: BROKEN,
    errno.EISDIR: FOLDER,
    errno.ENOTDIR: NO_FOLDER,
    errno.EEXIST: NO_FOLDER,
    errno.ENOENT: MISSING,
}
_SQLITE = {
    "SQLITE_FULL": FULL,
    "SQLITE_READONLY": READ_ONLY,
    "SQLITE_CORRUPT": DAMAGED,
    "SQLITE_NOTADB": DAMAGED,
    "SQLITE_IOERR": BROKEN,
    "SQLITE_BUSY": BUSY,
    "SQLITE_LOCKED": BUSY,
}


def for_disk(number: int | None) -> Remedy | None:
    """What an error number of the system means for a file; None where it is no matter of files."""
    return _DISK.get(number or 0)


def for_sqlite(name: str) -> Remedy:
    """What a result code of SQLite means for the database file."""
    return next((remedy for code, remedy in _SQLITE.items() if name.startswith(code)), UNKNOWN)
