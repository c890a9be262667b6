"""What makes an SQLite file fit for bookings, and what a file that is not looks like to the site."""

import os
import shutil
import sqlite3
import tempfile
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from microsite.errors import StartRefused
from microsite.errors import StoreUnreadable
from microsite.store import Store
from microsite.store.checkpoints import BOUND
from microsite.store.engine import _prepare_sqlite
from tests.store.conftest import NOW
from tests.store.conftest import booking
from tests.waiting import free_port

NOBODY = 65534


@pytest.mark.parametrize(
    ("pragma", "value"),
    [
        ("journal_mode", "wal"),
        ("synchronous", 2),
        ("foreign_keys", 1),
        ("secure_delete", 1),
        ("temp_store", 2),
        ("cache_size", -256),
        ("wal_autocheckpoint", BOUND),
    ],
)
def test_every_connection_is_prepared(file: Store, pragma: str, value: object) -> None:
    with file.read() as one, file.read() as two:
        for tx in (one, two):
            assert tx.conn.exec_driver_sql(f"PRAGMA {pragma}").scalar() == value


def test_what_is_asked_at_every_look_is_asked_over_connections_as_small(file: Store) -> None:
    assert file._ask(("PRAGMA cache_size",)) == [[(-256,)]]


@pytest.mark.parametrize(
    "asks",
    [
        lambda bookings: bookings.any_at("sari", "calendar", "/a.ics", ["confirmed", "pending"]),
        lambda bookings: bookings.in_states(["confirmed", "pending"]),
    ],
    ids=["which holds this event", "which hold their time"],
)
def test_bookings_that_hold_their_time_are_found_without_reading_the_others(
    file: Store, asks: Callable[[Any], object]
) -> None:
    asked: list[str] = []

    def listen(*given: Any) -> None:
        asked.append(given[2])

    event.listen(file.engine, "before_cursor_execute", listen)
    with file.read() as tx:
        assert not asks(tx.bookings)
        statement = asked[-1]
        plan = tx.conn.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", tuple("x" * statement.count("?"))).all()
    assert plan[0][3].startswith("SEARCH booking USING INDEX ix_booking_coach_state_start (coach=? AND state=?)")


def test_erasing_is_switched_on_where_sqlite_was_built_without_it_by_default(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / "site.db")) as raw:
        raw.execute("PRAGMA secure_delete=OFF")

        _prepare_sqlite(raw, None)

        assert raw.execute("PRAGMA secure_delete").fetchone() == (1,)


def test_a_writer_waits_for_another_process_instead_of_failing(file: Store) -> None:
    with file.read() as tx:
        assert tx.conn.exec_driver_sql("PRAGMA busy_timeout").scalar() == 10_000


def test_an_sqlite_that_cannot_erase_is_refused() -> None:
    class Unfit:
        """A driver's connection to an SQLite that was built without secure_delete."""

        isolation_level: str | None = ""

        def execute(self, _statement: str) -> "Unfit":
            return self

        def fetchone(self) -> tuple[int]:
            return (0,)

    with pytest.raises(StartRefused, match="secure_delete"):
        _prepare_sqlite(Unfit(), None)


@pytest.mark.parametrize("url", ["sqlite://", "sqlite:///:memory:"])
def test_a_database_in_memory_is_refused(url: str) -> None:
    with pytest.raises(StartRefused, match="must name a file"):
        Store(url)


def test_the_file_is_its_owners_only(file: Store, tmp_path: Path) -> None:
    with file.write() as tx:
        tx.bookings.add(booking(), file.sealed(None, None, None))

    modes = {path.name: path.stat().st_mode & 0o777 for path in tmp_path.glob("site.db*")}

    assert set(modes) == {"site.db", "site.db-wal", "site.db-shm"}
    assert set(modes.values()) == {0o600}


def test_what_is_deleted_is_nowhere_in_the_files_after_the_purge(file: Store, tmp_path: Path) -> None:
    sealed, new = b"sealed-words-of-somebody" * 50, booking()
    with file.write() as tx:
        tx.bookings.add(new, file.sealed(sealed, sealed, sealed))
    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"sealed-words-of-somebody" in held

    with file.write() as tx:
        tx.bookings.remove(new.id)
    file.truncate_log()

    held = b"".join(path.read_bytes() for path in tmp_path.iterdir())
    assert b"sealed-words-of-somebody" not in held


def test_a_file_that_is_no_database_is_said_in_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "site.db").write_bytes(b"budi@example.com " * 1000)
    broken = Store(f"sqlite:///{tmp_path}/site.db")

    for what in (broken.read, broken.write):
        with pytest.raises(StoreUnreadable, match=rf"^{tmp_path}/site.db: the file is damaged; .*backup$"), what():
            raise AssertionError("the body must not run")
    with pytest.raises(StoreUnreadable, match=rf"^{tmp_path}/site.db: the file is damaged; .*backup$"):
        broken.upgrade()
    broken.close()


def test_a_damaged_page_is_said_in_one_sentence(file: Store, tmp_path: Path) -> None:
    for number in range(50):
        with file.write() as tx:
            tx.bookings.add(booking(NOW + number), file.sealed(b"x" * 2000, None, None))
    file.truncate_log()
    file.close()
    content = bytearray((tmp_path / "site.db").read_bytes())
    content[4096:] = os.urandom(len(content) - 4096)
    (tmp_path / "site.db").write_bytes(content)

    damaged = Store(f"sqlite:///{tmp_path}/site.db")
    with pytest.raises(StoreUnreadable, match=r"site.db: the file is damaged; .*backup$"), damaged.read() as tx:
        tx.bookings.live("sari")
    damaged.close()


@contextmanager
def without_rights() -> Iterator[None]:
    """For root no file is read-only: be nobody for a while."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(NOBODY)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture(name="read_only")
def _read_only(file: Store) -> Iterator[Store]:
    """A copy of the store on a disk that takes no writes."""
    file.truncate_log()
    folder = Path(tempfile.mkdtemp(prefix="microsite-read-only-"))
    shutil.copy(Path(str(file.engine.url.database)), folder / "site.db")
    (folder / "site.db").chmod(0o444)
    folder.chmod(0o555)
    own = Store(f"sqlite:///{folder}/site.db")
    yield own
    own.close()
    folder.chmod(0o755)
    shutil.rmtree(folder)


def test_a_disk_that_takes_no_writes_is_said_in_one_sentence(read_only: Store) -> None:
    sentence = r"/site.db: it cannot be written, for the disk is read-only or the file belongs to another user; "
    with without_rights(), pytest.raises(StoreUnreadable, match=sentence), read_only.write() as tx:
        tx.coaches.set_open("sari", False)


def test_a_folder_that_is_gone_is_said_in_one_sentence(file: Store, tmp_path: Path) -> None:
    file.close()
    gone = Store(file.url)
    for path in tmp_path.iterdir():
        path.unlink()
    (tmp_path / "site.db").mkdir()

    with pytest.raises(StoreUnreadable, match=r"site\.db: a folder is where a file belongs"), gone.read():
        raise AssertionError("the body must not run")
    gone.close()


def test_a_server_that_does_not_answer_is_said_without_its_password() -> None:
    away = Store(f"postgresql+psycopg://site:s3cret@127.0.0.1:{free_port()}/site")

    for what in (away.read, away.write):
        with pytest.raises(StoreUnreadable, match=r"^the database: its server does not answer;") as caught, what():
            raise AssertionError("the body must not run")
        assert "s3cret" not in f"{caught.value} {caught.value.__cause__}"
    away.close()
