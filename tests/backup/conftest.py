"""A house with a real calendar server and relay (those of tests/life), and a backup key of the tests."""

from pathlib import Path
from typing import NamedTuple

import pytest

from microsite import restoring
from microsite.core.people import Secret
from microsite.services import Services
from microsite.work import backup
from tests.life.conftest import _inbox as _inbox
from tests.life.conftest import _pattern as _pattern
from tests.life.conftest import _radicale_bench as _radicale_bench
from tests.life.conftest import _radicale_server as _radicale_server
from tests.life.conftest import _relay_port as _relay_port
from tests.postgres import wanted


class Copy(NamedTuple):
    """A backup that was made, and the key that opens it."""

    path: Path
    identity: Secret

    def restore(self, folder: Path, now: int, **environ: str) -> list[str]:
        """Restore it into a folder; what the command says."""
        given = {"MICROSITE_INSTANCE": str(folder), **environ}
        return list(restoring.restore(given, self.path, self.identity, lambda: now))


def copy_of(services: Services, folder: Path) -> Copy:
    """A backup of a house, with a new key."""
    identity = backup.new_key(services, replace=True)
    assert identity is not None
    return Copy(backup.make(services, folder).path, identity)


@pytest.fixture(name="shelf")
def _shelf(tmp_path: Path) -> Path:
    """Where backups go."""
    return tmp_path / "shelf"


@pytest.fixture(name="empty")
def _empty(request: pytest.FixtureRequest) -> dict[str, str]:
    """The place for a restored database: on PostgreSQL one without tables, where this run is about that."""
    return {"MICROSITE_DATABASE_URL": request.getfixturevalue("empty_postgres_url")} if wanted() else {}
