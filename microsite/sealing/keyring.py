"""The keys of delivery envelopes: one a session day, destroyed the day after, in no backup. When is `work`'s decision.

A day is the UTC date of the session's end, written YYYY-MM-DD.
"""

from contextlib import suppress
from datetime import UTC
from datetime import date
from datetime import datetime
from pathlib import Path
from typing import Protocol

from ..core.people import SecretBytes
from ..errors import CannotOpen
from . import files
from .ciphers import KEY_BYTES
from .ciphers import new_key

NOT_FOR_BACKUPS = b"Signature: 8a477f597d28d172789f06886806bc55\n# Day keys: a copy of them undoes their destruction.\n"
"""Backup tools leave out a folder with this in CACHEDIR.TAG (borg, restic and tar when asked, others by themselves)."""


class Keyring(Protocol):
    """What envelopes need of a place for keys; safe for threads and processes, and never kept in memory."""

    def get_or_create(self, day: str) -> SecretBytes:
        """The day's key; whoever asks at the same time gets the same one."""

    def get(self, day: str) -> SecretBytes:
        """The day's key; raises CannotOpen once it is destroyed."""

    def destroy(self, day: str) -> None:
        """No envelope of this day opens again; a day without a key is no error."""

    def days(self) -> list[str]:
        """Every day that has a key, oldest first; one made late, after its day was destroyed, shows up here too."""

    def doubts(self) -> tuple[str, ...]:
        """Why the bytes of a destroyed key may live on, as words for the operator; empty where it can be claimed."""

    def place(self) -> str:
        """A name that tells this keyring from any other; empty for one that is where the instance folder is."""

    def cluster(self) -> str:
        """Which database server holds the keys; empty where none does."""


def day_of(end: int) -> str:
    """The day of a session that ends at `end` (UTC seconds)."""
    return datetime.fromtimestamp(end, UTC).date().isoformat()


class FolderKeyring:
    """One file of 32 bytes a day, in a folder of mode 0700 on this machine.

    Whoever copies the folder can open envelopes in a copy of the database, for as long as they keep both.
    """

    def __init__(self, folder: Path) -> None:
        """Makes the folder if needed; raises StartRefused if others can look into it."""
        self._folder = folder
        files.make_folder(folder)
        with suppress(FileExistsError):
            files.create(folder / "CACHEDIR.TAG", SecretBytes(NOT_FOR_BACKUPS))

    def get_or_create(self, day: str) -> SecretBytes:
        """The day's key, on the disk before anything is sealed with it."""
        if not self._path(day).exists():
            with suppress(FileExistsError):  # somebody else was faster; theirs is the day's key
                files.create(self._path(day), new_key())
        return self.get(day)

    def get(self, day: str) -> SecretBytes:
        """The day's key; raises CannotOpen if it is destroyed or damaged."""
        try:
            key = SecretBytes(self._path(day).read_bytes())
        except FileNotFoundError:
            raise CannotOpen(f"the key of {day} is destroyed: no envelope of that day opens again") from None
        if len(key.reveal()) != KEY_BYTES:
            raise CannotOpen(f"the key of {day} is damaged: no envelope of that day opens again")
        return key

    def destroy(self, day: str) -> None:
        """Overwrites the file and removes it; a snapshot of the disk made before still holds it."""
        files.destroy(self._path(day))

    def days(self) -> list[str]:
        """Every day that has a key, oldest first."""
        return sorted(path.name for path in self._folder.iterdir() if _is_day(path.name))

    def doubts(self) -> tuple[str, ...]:
        """None: who makes snapshots of this machine's disk is asked to leave the folder out."""
        return ()

    def place(self) -> str:
        """The instance folder's own."""
        return ""

    def cluster(self) -> str:
        """No database server."""
        return ""

    def _path(self, day: str) -> Path:
        if not _is_day(day):  # the empty day of a booking without an envelope, or a database that was tampered with
            raise CannotOpen("there is no key without a day")
        return self._folder / day


def _is_day(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False
