"""What was purged or erased is gone to the byte, and a copy made before opens nothing that its keys no longer open."""

import shutil
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event

from microsite.config import load_config
from microsite.core.bookings import Booking
from microsite.core.people import Secret
from microsite.core.spans import DAY
from microsite.errors import CannotOpen
from microsite.services import build
from microsite.store import engine as store_engine
from microsite.work import erase
from microsite.work.cancel import cancel
from microsite.work.purge import Purged
from microsite.work.purge import purge_now
from tests.conftest import House
from tests.postgres import copy_database
from tests.postgres import database_of

STRIDE, LENGTH = 16, 24
"""A page that was half overwritten still tells: every stretch of so many bytes is looked for."""
RETENTION = 60 * DAY
HEAD = b"age-encryption.org/v1"


class Kept:
    """A confirmed booking, and the sealed bytes that the store ever held of it."""

    def __init__(self, house: House, start: int | None = None) -> None:
        self.house = house
        placed = house.book(start=start)
        self.token: Secret = placed.token
        self.booking: Booking = placed.booking
        self.sealed: list[bytes] = []
        self.remember()
        house.drain()
        self.remember()

    def remember(self) -> None:
        """Keep a copy of the sealed parts as they are now; a sent letter gives the envelope a new form."""
        with self.house.services.store.read() as tx:
            self.sealed += [part for part in tx.bookings.sealed(self.booking.id) if part]

    def left(self) -> dict[str, int]:
        """How many stretches of ciphertext are in each file of the database."""
        found = {}
        for path in sorted(self.house.instance.glob("site.db*")):
            data = path.read_bytes()
            found[path.name] = sum(stretch in data for stretch in self.stretches())
        return found

    def stretches(self) -> Iterator[bytes]:
        """Parts of the sealed bytes that no other booking has."""
        for part in self.sealed:
            for at in range(0, len(part) - LENGTH, STRIDE):
                if not part[at:].startswith(HEAD):  # which every record has
                    yield part[at : at + LENGTH]


def test_before_a_purge_the_search_sees_every_sealed_byte(house: House) -> None:
    kept = Kept(house)
    assert len(kept.sealed) == 6
    assert sum(kept.left().values()) >= sum(1 for _ in kept.stretches())


def test_after_a_purge_no_byte_of_ciphertext_is_in_the_file_or_its_log(house: House) -> None:
    starts = house.starts()
    kept = [Kept(house, starts[0]), Kept(house, starts[12])]
    cancel(house.services, kept[1].booking.id, house.booking(kept[1].booking.id).ref)
    house.drain()
    house.now += RETENTION
    assert purge_now(house.services).records == 2
    assert [sum(each.left().values()) for each in kept] == [0, 0]


@pytest.mark.parametrize("mode", ["wal", "delete", "truncate"])
def test_in_every_mode_of_the_database_a_purge_leaves_neither_ciphertext_nor_rows(house: House, mode: str) -> None:
    """Where a disk cannot do write-ahead logging (some network drives), SQLite quietly keeps a rollback journal."""
    store = house.services.store
    prepare = store_engine._prepare_sqlite

    def otherwise(raw: sqlite3.Connection, record: Any) -> None:
        raw.isolation_level = None
        prepare(InMode(raw, mode), record)

    event.remove(store.engine, "connect", prepare)
    event.listen(store.engine, "connect", otherwise)
    store.close()  # a file changes its mode only while nobody else has it open
    with store.engine.connect() as conn:
        assert conn.exec_driver_sql("PRAGMA journal_mode").scalar_one() == mode
    kept = Kept(house)
    assert sum(kept.left().values()) > 0
    house.now += RETENTION
    assert purge_now(house.services).records == 1
    assert sum(kept.left().values()) == 0
    house.drain()
    assert rows_about(house, kept.booking.id) == []


class InMode:
    """A connection on which the store asks for its own journal mode, and gets another."""

    isolation_level: str | None = None

    def __init__(self, raw: sqlite3.Connection, mode: str) -> None:
        self.raw, self.mode = raw, mode

    def execute(self, statement: str) -> sqlite3.Cursor:
        """One statement."""
        return self.raw.execute(statement.replace("journal_mode=WAL", f"journal_mode={self.mode}"))


def rows_about(house: House, booking: str) -> list[str]:
    """The tables in which any value still names a booking."""
    with house.services.store.read() as tx:
        tables = tx.conn.exec_driver_sql("SELECT name FROM sqlite_master WHERE type = 'table'").scalars().all()
        return [each for each in tables if booking in str(tx.conn.exec_driver_sql(f'SELECT * FROM "{each}"').all())]


def test_after_an_erasure_no_byte_of_ciphertext_is_in_the_file_or_its_log(house: House) -> None:
    every = [Kept(house, start) for start in house.starts()[:40:5]]
    gone = every[::3]
    for kept in gone:
        erase.erase(house.services, kept.booking.id, house.booking(kept.booking.id).ref)
    assert [sum(kept.left().values()) for kept in gone] == [0] * 3
    assert all(sum(kept.left().values()) > 0 for kept in every if kept not in gone)


def test_a_purge_with_nothing_due_still_empties_the_log(house: House) -> None:
    """A reader that stood in the way of the last emptying must not keep erased bytes alive for weeks."""
    kept = Kept(house)
    with house.services.store.write() as tx:
        tx.bookings.remove(kept.booking.id)
    assert kept.left()["site.db-wal"] > 0
    assert purge_now(house.services) == Purged(0, 0, 0)
    assert sum(kept.left().values()) == 0


def test_a_purge_with_nothing_due_still_forgets_old_letters(house: House) -> None:
    """A cancelled booking has no envelope left to destroy; its letters must not wait for somebody else's."""
    kept = Kept(house, house.starts()[-1])
    cancel(house.services, kept.booking.id, house.booking(kept.booking.id).ref)
    house.drain()
    letters = house.instance / "mail" / "new"
    assert len(list(letters.iterdir())) == 4
    house.now += 2 * DAY
    assert purge_now(house.services) == Purged(0, 0, 0)
    assert list(letters.iterdir()) == []


def test_an_envelope_in_a_copy_from_before_cannot_be_opened_once_its_day_key_is_destroyed(
    house: House, folder: Path
) -> None:
    kept = Kept(house)
    old = _copy(house, folder)
    booking, sealed = old.booking(kept.booking.id), old.sealed(kept.booking.id)
    sealer = house.services.sealer
    assert sealer.open_delivery(booking.delivery_day, booking.id, sealed.delivery).language == "id"
    house.now = booking.end + 2 * DAY
    assert purge_now(house.services).day_keys == 1
    with pytest.raises(CannotOpen, match="destroyed"):
        sealer.open_delivery(booking.delivery_day, booking.id, sealed.delivery)
    for key in sorted((house.instance / "day-keys").iterdir()):
        assert key.name == "CACHEDIR.TAG"
    old.services.close()


def test_a_new_key_for_the_same_day_does_not_open_what_the_destroyed_one_sealed(house: House, folder: Path) -> None:
    kept = Kept(house)
    old = _copy(house, folder)
    booking, sealed = old.booking(kept.booking.id), old.sealed(kept.booking.id)
    house.services.sealer.destroy_day(booking.delivery_day)
    house.services.sealer.keyring.get_or_create(booking.delivery_day)
    with pytest.raises(CannotOpen):
        house.services.sealer.open_delivery(booking.delivery_day, booking.id, sealed.delivery)
    old.services.close()


class _Copy:
    """A copied database, opened on a machine that has none of the keys."""

    def __init__(self, folder: Path) -> None:
        self.services = build(load_config({"MICROSITE_INSTANCE": str(folder), **database_of(folder)}))

    def booking(self, booking_id: str) -> Booking:
        with self.services.store.read() as tx:
            found: Booking = tx.bookings.need(booking_id)
        return found

    def sealed(self, booking_id: str) -> Any:
        with self.services.store.read() as tx:
            return tx.bookings.sealed(booking_id)


def _copy(house: House, folder: Path) -> _Copy:
    """The database as a thief or a backup has it: files, without the key folder."""
    target = folder / "stolen"
    target.mkdir(mode=0o700)
    for path in house.instance.glob("site.db*"):
        shutil.copy(path, target)
    house.services.store.close()  # it opens again when it is used; PostgreSQL copies what nobody is in
    copy_database(house.instance, target)
    return _Copy(target)
