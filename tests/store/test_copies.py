"""A copy made before an upgrade lives a week at most, and never remembers what the site has forgotten."""

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from microsite.store import Store
from microsite.store import copies
from microsite.work.erase import erase
from microsite.work.purge import purge_now
from tests.conftest import NOW
from tests.conftest import ROOT
from tests.conftest import House
from tests.store.conftest import booking

DAY = 86_400


def copy_of(store: Store, revision: str = "0001", made: int = NOW) -> Path:
    """A copy as an upgrade makes it."""
    assert store.file is not None
    with store.engine.connect() as conn:
        raw = conn.connection.driver_connection
        assert isinstance(raw, sqlite3.Connection)
        copies.make(raw, store.file, revision)
    path = copies.copy_path(store.file, revision)
    os.utime(path, (made, made))
    return path


def test_a_copy_stays_a_week_and_then_goes(house: House) -> None:
    house.book()
    path = copy_of(house.services.store)

    house.now = NOW + 6 * DAY
    assert purge_now(house.services).copies == ()
    assert path.exists()
    house.now = NOW + 7 * DAY
    assert purge_now(house.services, dry_run=True).copies == ("site-before-0001.db",)
    assert path.exists()
    assert purge_now(house.services).copies == ("site-before-0001.db",)
    assert not list(house.instance.glob("*before*"))


def test_a_copy_that_holds_an_erased_booking_goes_with_it_at_once(house: House) -> None:
    placed = house.book().booking
    path = copy_of(house.services.store)

    erase(house.services, placed.id, placed.ref)

    assert not path.exists()


def test_a_copy_that_holds_a_purged_booking_goes_with_it(house: House) -> None:
    placed = house.book().booking
    house.now = placed.end + 45 * DAY
    path = copy_of(house.services.store, made=house.now - DAY)

    assert purge_now(house.services, dry_run=True).copies == (path.name,)
    assert purge_now(house.services).copies == (path.name,)
    assert not path.exists()


def test_bookings_made_since_then_do_not_end_a_copy(house: House) -> None:
    house.book()
    path = copy_of(house.services.store)
    house.book()

    assert purge_now(house.services).copies == ()
    assert path.exists()


@pytest.mark.parametrize("content", [b"", b"no database at all " * 500])
def test_a_copy_that_cannot_be_read_goes(house: House, content: bytes) -> None:
    path = house.instance / "site-before-0000.db"
    path.write_bytes(content)
    os.utime(path, (NOW, NOW))

    assert purge_now(house.services).copies == (path.name,)
    assert not path.exists()


def test_what_a_destroyed_copy_held_is_overwritten_before_it_goes(store: Store, tmp_path: Path) -> None:
    with store.change("sari") as tx:
        tx.bookings.add(booking(), store.sealed(b"sealed-words-of-somebody", None, None))
    path = copy_of(store)
    held = tmp_path / "the same bytes by another name"
    os.link(path, held)
    assert b"sealed-words-of-somebody" in held.read_bytes()

    copies.destroy(path)

    assert not path.exists()
    assert set(held.read_bytes()) == {0}


def test_purge_names_the_copies_it_would_destroy(house: House) -> None:
    copy_of(house.services.store, made=NOW - 300 * DAY)
    run = [sys.executable, "-m", "microsite.cli", "purge", "--dry-run"]
    environ = {**os.environ, "MICROSITE_INSTANCE": str(house.instance)}

    told = subprocess.run(run, cwd=ROOT, env=environ, capture_output=True, text=True, check=True).stdout

    assert "site-before-0001.db, a copy from before an upgrade, would be destroyed." in told
    assert (house.instance / "site-before-0001.db").exists()


def test_a_copy_can_be_put_back_and_used_by_the_version_before(store: Store, tmp_path: Path) -> None:
    path = copy_of(store)
    back = tmp_path / "back.db"
    shutil.copy(path, back)

    again = Store(f"sqlite:///{back}")
    assert again.upgrade() is False
    with again.read() as tx:
        assert [row.slug for row in tx.coaches.all()] == ["sari"]
    again.close()
    with closing(sqlite3.connect(path)) as conn:
        assert conn.execute("PRAGMA integrity_check").fetchone() == ("ok",)
