"""A store of the test's own, on the database that this run is about, with one coach and the means to book her."""

import secrets
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import Booking
from microsite.core.settings import CoachSettings
from microsite.core.settings import read_settings
from microsite.store import Store
from tests.postgres import wanted

NOW = 1_795_406_400
HOUR = 3600


def settings() -> CoachSettings:
    """A coach's settings, valid and plain."""
    return read_settings({"name": "Sari", "zone": "Asia/Jakarta", "email": "sari@example.org"}, "test")


def booking(start: int = NOW, coach: str = "sari") -> Booking:
    """A new confirmed hour."""
    name = secrets.token_hex(8)
    return Booking(
        id=name,
        coach=coach,
        ref=name,
        offer="sesi",
        start=start,
        end=start + HOUR,
        state=CONFIRMED,
        language="id",
        created_on="2026-11-23",
        purge_on="2027-11-23",
    )


def address(url: str) -> str:
    """PostgreSQL's own form of an address in SQLAlchemy's form."""
    return url.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Iterator[Store]:
    """A store on a file of SQLite, whatever database this run is about, with one coach, `sari`."""
    own = Store(f"sqlite:///{tmp_path}/site.db")
    own.upgrade()
    with own.write() as tx:
        tx.coaches.add("sari", settings(), demo=False, open_=True)
    yield own
    own.close()


@pytest.fixture(name="empty")
def _empty(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Store]:
    """A store with nothing in it, not even tables."""
    url = request.getfixturevalue("empty_postgres_url") if wanted() else f"sqlite:///{tmp_path}/site.db"
    store = Store(address(url))
    yield store
    store.close()


@pytest.fixture(name="store")
def _store(empty: Store) -> Store:
    """A store with one coach, `sari`."""
    empty.upgrade()
    with empty.write() as tx:
        tx.coaches.add("sari", settings(), demo=False, open_=True)
    return empty


collect_ignore = [] if wanted() else ["test_queue_tables.py"]
