"""A private PostgreSQL server of the tests' own: made in a temp folder on a free port, gone with the last test.

Made from Debian's binaries, as a user without rights when the tests run as root (`initdb` refuses root). In a run about
PostgreSQL (`make test-postgres`) every instance folder has a database there; a test that opens an SQLite file fails.
"""

import hashlib
import os
import pwd
import shutil
import signal
import subprocess
import sys
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

    def create(self, template: str = "template1", name: str = "") -> str:
        """The address of a new database."""
        name = name or f"site{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name} TEMPLATE {template}")
        return self.url(name)

    def has(self, name: str) -> bool:
        """Whether there is a database of that name."""
        with psycopg.connect(self.url("postgres")) as conn:
            return conn.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is not None

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
def running_server(*settings: str) -> Iterator[Server]:
    """Start a server (with more settings), and stop and remove it in the end."""
    where = binaries()
    assert where is not None, "PostgreSQL is not installed (Debian: apt-get install postgresql)"
    folder = Path(tempfile.mkdtemp(prefix="microsite-postgres-"))
    rights = _rights(folder)
    data, port = folder / "data", free_port()
    init = [where / "initdb", "-D", data, "-U", USER, "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"]
    start = [where / "postgres", "-D", data, "-p", str(port), "-k", "", "-h", "127.0.0.1"]
    for setting in (*QUICK, *settings):
        start += ["-c", setting]
    try:
        subprocess.run(init, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, cwd=folder, **rights)
        with (folder / "log").open("wb") as log:
            process = subprocess.Popen(start, stdout=log, stderr=log, cwd=folder, **rights)
        try:
            server = Server(folder, port)
            wait_until(server.answers, 90, "a running PostgreSQL")
            yield server
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(60)
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


class Databases:
    """One database for each instance folder, on one server that child processes find by the environment."""

    SERVER = "MICROSITE_TEST_SERVER"

    def __init__(self) -> None:
        self.made: dict[Path, str] = {}

    @property
    def server(self) -> Server:
        """The server of this run."""
        return Server(Path("/"), int(os.environ[self.SERVER]))

    def of(self, folder: Path) -> str:
        """The address of a folder's database: the one it has, or a new one that is migrated."""
        name = name_of(folder)
        if folder not in self.made and not self.server.has(name):
            self.server.create(TEMPLATE, name)
        self.made[folder] = self.server.url(name)
        return self.made[folder]

    def empty(self, folder: Path) -> str:
        """The address of a folder's database, which has nothing in it: what a restore asks for."""
        self.made[folder] = self.server.create(name=name_of(folder))
        return self.made[folder]

    def copy(self, folder: Path, to: Path) -> None:
        """Give a folder a copy of another one's database, in place of what it had."""
        self.forget(to)
        self.server.create(name_of(folder), name_of(to))
        self.made[to] = self.server.url(name_of(to))

    def forget(self, folder: Path) -> None:
        """Remove a folder's database, whoever is still connected to it."""
        self.server.sql(f"DROP DATABASE IF EXISTS {name_of(folder)} WITH (FORCE)")
        self.made.pop(folder, None)

    def tidy(self, gone: Path) -> None:
        """Remove the databases of the folders below one, and of those that are no longer there."""
        for folder in [each for each in self.made if gone in each.parents or not each.exists()]:
            self.forget(folder)


DATABASES = Databases()


def name_of(folder: Path) -> str:
    """What a folder's database is called."""
    return f"at_{hashlib.sha256(str(folder.absolute()).encode()).hexdigest()[:16]}"


def database_of(folder: Path) -> dict[str, str]:
    """What to put into the environment of a site in that folder so that it uses the database this run is about."""
    return {"MICROSITE_DATABASE_URL": DATABASES.of(folder)} if wanted() else {}


def empty_database_of(folder: Path) -> dict[str, str]:
    """The same, where a restore is to fill the database."""
    return {"MICROSITE_DATABASE_URL": DATABASES.empty(folder)} if wanted() else {}


def copy_database(folder: Path, to: Path) -> None:
    """After the folder was copied: the same for its database, where that does not lie in the folder."""
    if wanted():
        DATABASES.copy(folder, to)


OPENED: list[str] = []
"""The SQLite files that were opened in this process (it must stay empty in a run that is about PostgreSQL)."""


def _listen(event: str, arguments: tuple[object, ...]) -> None:
    if event == "sqlite3.connect":
        OPENED.append(str(arguments[0]))


def files_of_sqlite(folder: Path) -> list[str]:
    """The SQLite databases that somebody made below a folder, whoever it was."""
    return [str(path) for path in folder.rglob("*.db") if path.is_file()]


@pytest.fixture(scope="session", name="postgres")
def _postgres() -> Iterator[Server]:
    """One server for all tests, and on it a migrated database to copy from."""
    with running_server() as server:
        server.sql(f"CREATE DATABASE {TEMPLATE}")
        store = Store(server.url(TEMPLATE).replace("postgresql:", "postgresql+psycopg:"))
        store.upgrade()
        store.close()
        os.environ[Databases.SERVER] = str(server.port)
        yield server


@pytest.fixture(scope="session", autouse=True)
def _all_on_postgres(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """In a run that is about PostgreSQL the server is there before anything else, and nobody makes another database."""
    if wanted():
        request.getfixturevalue("postgres")
        sys.addaudithook(_listen)
    yield
    if wanted():
        assert files_of_sqlite(tmp_path_factory.getbasetemp()) == []


@pytest.fixture(autouse=True)
def _only_postgres(request: pytest.FixtureRequest) -> Iterator[None]:
    """In such a run no test opens an SQLite file, and no process that it starts makes one."""
    if not wanted():
        yield
        return
    folder: Path = request.getfixturevalue("tmp_path")
    yield
    DATABASES.tidy(folder)
    used = OPENED + files_of_sqlite(folder)
    OPENED.clear()
    assert used == [], "this test used SQLite in a run that is about PostgreSQL"


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
