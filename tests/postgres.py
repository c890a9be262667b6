"""A private PostgreSQL server of the tests' own: made in a temp folder on a free port, gone with the last test.

Made from Debian's binaries, as a user without rights when the tests run as root (`initdb` refuses root).
"""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from glob import glob
from itertools import count
from pathlib import Path

import psycopg
import pytest

from microsite.store import Store
from tests.waiting import free_port
from tests.waiting import wait_until

USER = "microsite"
TEMPLATE = "migrated"
QUICK = ("fsync=off", "synchronous_commit=off", "full_page_writes=off", "max_connections=100", "autovacuum=off")


def binaries() -> Path | None:
    """The folder of the newest installed server, if there is one."""
    found = sorted(glob("/usr/lib/postgresql/*/bin/initdb"), key=lambda path: int(path.split("/")[4]))
    on_path = shutil.which("initdb")
    return Path(found[-1]).parent if found else Path(on_path).parent if on_path else None


class Server:
    """A running server and the databases made on it."""

    def __init__(self, folder: Path, port: int) -> None:
        self.folder, self.port = folder, port
        self._numbers = count(1)

    def url(self, name: str) -> str:
        """The address of one of its databases."""
        return f"postgresql://{USER}@127.0.0.1:{self.port}/{name}"

    def sql(self, statement: str) -> None:
        """Run one statement outside any transaction."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
            conn.execute(statement.encode())

    def create(self, template: str = "template1") -> str:
        """The address of a new database."""
        name = f"site{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def drop(self, url: str) -> None:
        """Remove a database, whoever is still connected to it."""
        self.sql(f"DROP DATABASE {url.rsplit('/', 1)[1]} WITH (FORCE)")

    def answers(self) -> bool:
        """Whether it takes connections."""
        try:
            self.sql("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


@contextmanager
def running_server() -> Iterator[Server]:
    """Start a server, and stop and remove it in the end."""
    where = binaries()
    assert where is not None, "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    folder = Path(tempfile.mkdtemp(prefix="microsite-postgres-"))
    rights = _rights(folder)
    data, port = folder / "data", free_port()
    init = [where / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    start = [where / "postgres", "-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1"]
    for setting in QUICK:
        start += ["-c", setting]
    try:
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder, **rights)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(start, stdout=log, stderr=log, cwd=folder, **rights)
        try:
            server = Server(folder, port)
            wait_until(server.answers, 30, "a running PostgreSQL")
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(30)
    finally:
        shutil.rmtree(folder)


def _rights(folder: Path) -> dict[str, object]:
    """How to start a process without root's rights, and let it own the folder."""
    if os.geteuid() != 0:
        return {}
    names = {entry.pw_name for entry in pwd.getpwall()}
    user = pwd.getpwnam("postgres" if "postgres" in names else "nobody")
    os.chown(folder, user.pw_uid, user.pw_gid)
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


def wanted() -> bool:
    """Whether this run's houses and engines are to stand on PostgreSQL (`make test-postgres`)."""
    return os.environ.get("MICROSITE_TEST_DATABASE", "") == "postgres"


@pytest.fixture(scope="session", name="postgres")
def _postgres() -> Iterator[Server]:
    """One server for all tests, and on it a migrated database to copy from."""
    with running_server() as server:
        server.sql(f"CREATE DATABASE {TEMPLATE}")
        store = Store(server.url(TEMPLATE).replace("postgresql:", "postgresql+psycopg:"))
        store.upgrade()
        store.close()
        yield server


@pytest.fixture(name="postgres_url")
def _postgres_url(postgres: Server) -> Iterator[str]:
    """A migrated database of the test's own."""
    url = postgres.create(TEMPLATE)
    yield url
    postgres.drop(url)


@pytest.fixture(name="empty_postgres_url")
def _empty_postgres_url(postgres: Server) -> Iterator[str]:
    """A database of the test's own with nothing in it."""
    url = postgres.create()
    yield url
    postgres.drop(url)


@pytest.fixture(name="database")
def _database(request: pytest.FixtureRequest) -> dict[str, str]:
    """What to put into a site's environment so that it uses the database that this run is about."""
    return {"MICROSITE_DATABASE_URL": request.getfixturevalue("postgres_url")} if wanted() else {}


@pytest.fixture(scope="session", name="session_database")
def _session_database(request: pytest.FixtureRequest) -> dict[str, str]:
    """The same for a site that lives as long as the tests do."""
    return {"MICROSITE_DATABASE_URL": request.getfixturevalue("postgres").create(TEMPLATE)} if wanted() else {}
