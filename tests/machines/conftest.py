"""One furnished installation, with its processes, for all tests of a file that only add to it."""

from collections.abc import Iterator

import pytest

from tests.machines.cluster import Cluster
from tests.machines.cluster import cluster
from tests.postgres import Server
from tests.postgres import wanted

collect_ignore_glob = [] if wanted() else ["test_*.py"]
"""Several machines stand on PostgreSQL: these run in `make test-postgres`. What one machine can do is in `flow`."""


@pytest.fixture(scope="module", name="installation")
def _installation(tmp_path_factory: pytest.TempPathFactory, postgres: Server) -> Iterator[Cluster]:
    """Not started."""
    with cluster(tmp_path_factory.mktemp("machines"), postgres) as made:
        yield made
