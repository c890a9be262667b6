"""The write-ahead log is folded back beside the writers: in time, without growing, and in nobody's way."""

import itertools
import sqlite3
import threading
from pathlib import Path

import pytest

from microsite.store import Store
from microsite.store.checkpoints import AFTER
from microsite.store.checkpoints import LONG
from microsite.store.checkpoints import Checkpoints
from tests.store.conftest import NOW
from tests.store.conftest import booking
from tests.waiting import wait_until


def fill(store: Store, word: str, times: int = AFTER) -> None:
    """So many bookings, each with a word in it."""
    for number in range(times):
        with store.write() as tx:
            tx.bookings.add(booking(NOW + number), store.sealed(word.encode() * 200, None, None))


def test_what_was_written_gets_into_the_database_itself(file: Store, tmp_path: Path) -> None:
    fill(file, "first-word")

    wait_until(lambda: b"first-word" in (tmp_path / "site.db").read_bytes(), what="folding the log back")


def test_the_log_begins_anew_instead_of_growing(file: Store, tmp_path: Path) -> None:
    for word in ("first-word", "next-word", "third-word", "fourth-word"):
        fill(file, word)
        wait_until(lambda word=word: word.encode() in (tmp_path / "site.db").read_bytes(), what="folding the log back")
        assert file._checkpoints is not None
        wait_until(lambda: not file._checkpoints._alone.locked(), what="beginning it anew, now that nobody writes")
        if word == "first-word":
            once = (tmp_path / "site.db-wal").stat().st_size

    assert (tmp_path / "site.db-wal").stat().st_size < 2 * once


class Restless(Checkpoints):
    """Of a site where somebody has always written just now; notes what it asks of SQLite."""

    def __init__(self, store: Store) -> None:
        super().__init__(Path(str(store.file)), threading.Lock(), 10)
        self.asked: list[str] = []

    @property
    def _written(self) -> int:  # type: ignore[override]
        return next(self._commits)

    @_written.setter
    def _written(self, _number: int) -> None:
        self._commits = itertools.count()

    def _connect(self, seconds: float) -> sqlite3.Connection:
        conn = super()._connect(seconds)
        conn.set_trace_callback(self.asked.append)
        return conn


@pytest.mark.parametrize(("pages", "wait"), [(LONG // 4, False), (LONG, True)])
def test_writers_who_never_pause_wait_for_the_disk_only_once_the_log_is_long(
    file: Store, pages: int, wait: bool
) -> None:
    with file.write() as tx:
        tx.bookings.add(booking(), file.sealed(b"x" * 4096 * pages, None, None))
    folder = Restless(file)

    folder._fold()

    assert any("RESTART" in asked for asked in folder.asked) is wait


def test_who_reads_for_long_keeps_nobody_from_writing(file: Store) -> None:
    with file.read() as tx:
        before = tx.bookings.count("sari")
        fill(file, "word", 3 * AFTER)
        assert tx.bookings.count("sari") == before
    with file.read() as tx:
        assert tx.bookings.count("sari") == before + 3 * AFTER


def test_a_purge_empties_the_log_even_while_it_is_being_folded_back(file: Store, tmp_path: Path) -> None:
    ended = threading.Event()

    def fold() -> None:
        assert file._checkpoints is not None
        while not ended.is_set():
            file._checkpoints._fold()

    folding = threading.Thread(target=fold)
    folding.start()
    try:
        for _ in range(20):
            fill(file, "word", 3)
            file.truncate_log()
            assert (tmp_path / "site.db-wal").stat().st_size == 0
    finally:
        ended.set()
        folding.join(90)


def test_a_closed_store_leaves_no_thread_behind(file: Store) -> None:
    fill(file, "word")
    assert any(each.name == "checkpoints" for each in threading.enumerate())

    file.close()

    assert not any(each.name == "checkpoints" for each in threading.enumerate())
