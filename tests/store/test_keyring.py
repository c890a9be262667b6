"""Day keys on a PostgreSQL server of their own: what is destroyed is in no file of it, and what else is, is said."""

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from microsite.errors import StoreUnreadable
from microsite.sealing import new_key
from microsite.store.keyring import DatabaseKeyring
from tests.postgres import Server
from tests.postgres import running_server
from tests.waiting import wait_until

DAY, OTHER = "2026-11-25", "2026-11-26"


@pytest.fixture(scope="module", name="server")
def _server() -> Iterator[Server]:
    """A server set up as docs/several-machines.md says."""
    with running_server() as running:
        running.sql("ALTER SYSTEM SET wal_recycle = off")
        running.sql("SELECT pg_reload_conf()")
        yield running


@pytest.fixture(name="url")
def _url(server: Server) -> Iterator[str]:
    url = server.create()
    yield url
    server.drop(url)


def keyring(url: str) -> DatabaseKeyring:
    """The keys in that database."""
    return DatabaseKeyring(url.replace("postgresql:", "postgresql+psycopg:"), new_key)


def on_disk(server: Server, key: bytes) -> list[str]:
    """The files of the server, its log and its write-ahead log included, in which these bytes are."""
    with psycopg.connect(server.url("postgres"), autocommit=True) as conn:
        conn.execute("CHECKPOINT")
    found = [path for path in server.folder.rglob("*") if path.is_file()]
    return [path.relative_to(server.folder).as_posix() for path in found if key in _bytes(path)]


def _bytes(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except FileNotFoundError:  # PostgreSQL removes files meanwhile
        return b""


def test_a_destroyed_key_is_in_no_file_of_the_server_any_more(server: Server, url: str) -> None:
    keys = keyring(url)
    key, other = keys.get_or_create(DAY).reveal(), keys.get_or_create(OTHER).reveal()
    before = on_disk(server, key)
    assert any(name.startswith("data/pg_wal/") for name in before), "the search sees the write-ahead log"
    assert any(name.startswith("data/base/") for name in before), "the search sees the table"

    keys.destroy(DAY)

    assert on_disk(server, key) == []
    assert keys.get(OTHER).reveal() == other
    assert keys.doubts() == ()
    keys.close()


def test_where_the_role_may_not_end_the_log_the_key_lives_on_there_and_that_is_said(server: Server, url: str) -> None:
    """The negative control of the test above: without the rights the very same search finds it."""
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("DROP ROLE IF EXISTS keeper")
        conn.execute("CREATE ROLE keeper LOGIN")
        conn.execute("GRANT CREATE ON SCHEMA public TO keeper")
    keys = keyring(url.replace("//microsite@", "//keeper@"))
    key = keys.get_or_create(DAY).reveal()

    keys.destroy(DAY)

    assert {name.split("/")[1] for name in on_disk(server, key)} == {"pg_wal"}
    assert keys.doubts() == ("lingering",)
    keys.close()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute("GRANT pg_checkpoint TO keeper")
        conn.execute("GRANT EXECUTE ON FUNCTION pg_switch_wal() TO keeper")
    keys = keyring(url.replace("//microsite@", "//keeper@"))
    keys.get_or_create(OTHER)
    keys.destroy(OTHER)
    assert on_disk(server, key) == []
    assert keys.doubts() == ()
    keys.close()


@pytest.mark.parametrize(
    ("doubt", "statement", "back"),
    [
        ("recycled", "ALTER SYSTEM SET wal_recycle = on", "ALTER SYSTEM SET wal_recycle = off"),
        ("logged", "ALTER SYSTEM SET log_statement = 'all'", "ALTER SYSTEM RESET log_statement"),
        ("logged", "ALTER SYSTEM SET log_min_duration_statement = 0", "ALTER SYSTEM RESET log_min_duration_statement"),
        (
            "replicated",
            "SELECT pg_create_physical_replication_slot('copy')",
            "SELECT pg_drop_replication_slot('copy')",
        ),
    ],
)
def test_whatever_keeps_copies_is_named(url: str, server: Server, doubt: str, statement: str, back: str) -> None:
    with psycopg.connect(url, autocommit=True) as conn:
        for one in (statement, "SELECT pg_reload_conf()"):
            conn.execute(one)
        try:
            wait_until(lambda: doubts(url) == (doubt,), what=f"the doubt «{doubt}»")
        finally:
            for one in (back, "SELECT pg_reload_conf()"):
                conn.execute(one)
            wait_until(lambda: doubts(url) == (), what="the end of the doubt")


def doubts(url: str) -> tuple[str, ...]:
    """What is doubtful now; a server that was told to read its settings anew does so a little later."""
    keys = keyring(url)
    try:
        return keys.doubts()
    finally:
        keys.close()


def test_an_archived_log_is_named() -> None:
    with running_server("archive_mode=on", "archive_command=/bin/true", "wal_recycle=off") as archiving:
        keys = keyring(archiving.create())
        assert keys.doubts() == ("archived",)
        keys.close()


def test_two_keyrings_have_two_names_and_one_seen_twice_has_one(server: Server, url: str) -> None:
    keyrings = [keyring(where) for where in (url, url, server.create())]
    names = [each.place() for each in keyrings]
    assert names[0] == names[1] != names[2]
    assert len({each.cluster() for each in keyrings} - {""}) == 1
    for each in keyrings:
        each.close()


def test_a_key_database_that_does_not_answer_is_said_in_a_sentence() -> None:
    with pytest.raises(StoreUnreadable, match="key database"):
        keyring("postgresql://nobody@127.0.0.1:1/keys").get_or_create(DAY)
