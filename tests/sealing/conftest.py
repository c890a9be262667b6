"""What the sealing tests share: a record full of markers, keys, and an eye for markers in anything printed."""

import traceback
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite import sealing
from microsite.core.people import Address
from microsite.core.people import ClientDetails
from microsite.core.people import Delivery
from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.store.keyring import DatabaseKeyring

NAME, EMAIL, NOTE = "Kx7nameQ2vLp", "Zt4mailB9wRd@example.org", "Hm3noteY6cJs"
ZONE = "Antarctica/Troll"
MARKERS = (NAME, "Zt4mailB9wRd", NOTE, ZONE)
DAY = "2026-11-25"


@pytest.fixture
def record() -> Record:
    """A record in which every field that a person wrote is a marker."""
    return Record(ClientDetails(NAME, EMAIL, NOTE), "2026-11", "id", 1_796_000_000)


@pytest.fixture
def delivery() -> Delivery:
    """An envelope's content in which address and zone are markers."""
    return Delivery(Address(EMAIL), "id", ZONE, Secret("T" * 43))


@pytest.fixture
def coach() -> tuple[Secret, str]:
    """The coach's everyday identity and its recipient."""
    return sealing.new_identity()


@pytest.fixture
def keyring(tmp_path: Path) -> sealing.FolderKeyring:
    """A folder of day keys."""
    return sealing.FolderKeyring(tmp_path / "day-keys")


@pytest.fixture(params=["folder", "database"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where day keys are kept: a folder, or the address of a database of their own."""
    if request.param == "folder":
        return tmp_path / "day-keys"
    url: str = request.getfixturevalue("empty_postgres_url")
    return url.replace("postgresql:", "postgresql+psycopg:")


@pytest.fixture
def either(where: Path | str) -> Iterator[sealing.Keyring]:
    """A keyring there."""
    if isinstance(where, Path):
        yield sealing.FolderKeyring(where)
        return
    database = DatabaseKeyring(where, sealing.new_key)
    yield database
    database.close()


@pytest.fixture
def sealer(keyring: sealing.FolderKeyring) -> sealing.Sealer:
    """The room as the rest of the house sees it."""
    return sealing.Sealer(sealing.ServerKey.new(), keyring)


@pytest.fixture
def crash_report() -> Callable[[BaseException], str]:
    """A function: everything a crash reporter would send about our frames, the local variables included."""

    def report(error: BaseException) -> str:
        assert error.__traceback__ is not None
        ours = error.__traceback__.tb_next  # the first frame is the test's own
        found = traceback.TracebackException(type(error), error, ours, capture_locals=True)
        return "".join(found.format()) + repr(error) + str(error.args)

    return report


@pytest.fixture
def shows() -> Callable[[str], bool]:
    """A function: whether a text shows any marker."""
    return lambda text: any(marker in text for marker in MARKERS)
