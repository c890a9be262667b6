"""The whole database as bytes, consistent while the site runs, and back again into an empty place.

SQLite is read into memory, so no second copy of it ever lies on a disk, where a purge could not reach it; PostgreSQL
streams through its own `pg_dump`. Names of the parts are the archive's: `site.db`, or `0001.pgdump` and following.
"""

import os
import shutil
import sqlite3
import subprocess
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from pathlib import Path
from typing import IO
from typing import NamedTuple

from sqlalchemy import URL
from sqlalchemy import make_url
from sqlalchemy import text

from microsite.errors import BackupError
from microsite.errors import StoreUnreadable

from .engine import Store

PART = 8 * 1024 * 1024
SQLITE, POSTGRES = "sqlite", "postgresql"
ROLLBACK = b"\x01\x01"
"""Bytes 18 and 19 of the header (file format 1.3.3): a file by itself, without a write-ahead log beside it."""


class Part(NamedTuple):
    """A part of the database's copy, by its name in the archive."""

    name: str
    content: bytes


@contextmanager
def snapshot(store: Store) -> Iterator[Iterator[Part]]:
    """The database as it is now: its moment is past when this is entered, however late the parts are taken.

    Raises StoreUnreadable where it is damaged or cannot be read, BackupError where `pg_dump` is missing or refuses.
    """
    if store.sqlite:
        yield iter([Part("site.db", _serialized(store))])
        return
    with _pg_dump(store.engine.url) as parts:
        yield parts


def shape(store: Store) -> str:
    """The revision that the database has; empty where it has none."""
    from alembic.runtime.migration import MigrationContext

    with store.engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision() or ""


def _serialized(store: Store) -> bytes:
    trouble = store.check()
    if trouble:
        raise StoreUnreadable(f"the database is damaged, so nothing was written and earlier backups stay: {trouble}")
    try:
        with closing(sqlite3.connect(f"file:{make_url(store.url).database}?mode=ro", uri=True)) as conn:
            whole = conn.serialize()
    except sqlite3.Error as error:
        raise StoreUnreadable(f"the database cannot be read ({type(error).__name__})") from error
    return whole[:18] + ROLLBACK + whole[20:]


@contextmanager
def _pg_dump(url: URL) -> Iterator[Iterator[Part]]:
    words = [_tool("pg_dump"), "--format=custom", "--no-owner", "--no-privileges"]
    with _postgres(words, url, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE) as process:
        parts = _parts(process)
        first = next(parts)  # with its first bytes the dump has its view of the database
        yield _chained(first, parts)


def _parts(process: "subprocess.Popen[bytes]") -> Iterator[Part]:
    assert process.stdout is not None  # noqa: S101 - asked for as a pipe
    number = 0
    while content := process.stdout.read(PART):
        number += 1
        yield Part(f"{number:04}.pgdump", content)
    said = process.stderr.read().decode(errors="replace") if process.stderr else ""
    if process.wait() or not number:
        raise BackupError(f"pg_dump could not copy the database; nothing was written. It says: {_line(said)}")


def _chained(first: Part, rest: Iterator[Part]) -> Iterator[Part]:
    yield first
    yield from rest


def check_sqlite(content: Path) -> str:
    """An empty text where a restored file is whole, else what SQLite says about it."""
    with closing(sqlite3.connect(content)) as conn:
        found: str = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
    return "" if found == "ok" else found


def check_in_memory(content: bytes) -> str:
    """The same for the bytes of one, without writing them anywhere."""
    with closing(sqlite3.connect(":memory:")) as conn:
        try:
            conn.deserialize(content)
            found: str = conn.execute("PRAGMA integrity_check(1)").fetchone()[0]
        except sqlite3.Error as error:
            return type(error).__name__
    return "" if found == "ok" else found


def must_be_empty(url: str) -> None:
    """Raise BackupError unless the PostgreSQL database at this URL answers and has no table yet."""
    store = Store(url)
    try:
        with store.read() as tx:
            asked = "SELECT count(*) FROM information_schema.tables WHERE table_schema = current_schema()"
            count = tx.conn.execute(text(asked)).scalar_one()
    finally:
        store.close()
    if count:
        raise BackupError("the database of the settings is not empty: restore needs one without tables")


def load_postgres(url: str, pieces: Iterable[bytes]) -> None:
    """Fill an empty PostgreSQL database from the pieces of a dump: whole, or not at all. Raises BackupError."""
    asked = make_url(url)
    words = [_tool("pg_restore"), "--no-owner", "--no-privileges", "--exit-on-error", "--single-transaction"]
    with _postgres([*words, "--dbname", asked.database or ""], asked, stdin=subprocess.PIPE) as process:
        _, said = _feed(process, pieces)
        if process.returncode:
            raise BackupError(f"pg_restore could not fill the database; it is empty still. It says: {_line(said)}")


def _feed(process: "subprocess.Popen[bytes]", pieces: Iterable[bytes]) -> tuple[None, str]:
    assert process.stdin is not None  # noqa: S101 - asked for as a pipe
    try:
        for piece in pieces:
            process.stdin.write(piece)
    except BrokenPipeError:
        pass  # it ended early; its code and words say why
    except BaseException:
        process.kill()
        raise
    _, said = process.communicate()
    return None, said.decode(errors="replace")


@contextmanager
def _postgres(
    words: list[str], url: URL, stdin: int, stdout: int | IO[bytes] = subprocess.DEVNULL
) -> Iterator["subprocess.Popen[bytes]"]:
    """A tool of PostgreSQL's, told in its environment where to go: arguments are for everybody to see."""
    asked: dict[str, object] = {f"PG{name.upper()}": value for name, value in url.query.items()}
    asked |= {"PGHOST": url.host, "PGPORT": url.port, "PGUSER": url.username, "PGPASSWORD": url.password}
    asked |= {"PGDATABASE": url.database}
    environ = os.environ | {name: str(value) for name, value in asked.items() if value}
    process = subprocess.Popen(  # noqa: S603 - our own words, no shell
        words, env=environ, stdin=stdin, stdout=stdout, stderr=subprocess.PIPE
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        for stream in (process.stdin, process.stdout, process.stderr):
            if stream is not None and not stream.closed:
                stream.close()


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise BackupError(f"{name} is not installed here; it comes with PostgreSQL's client (postgresql-client)")
    return found


def _line(said: str) -> str:
    return said.strip().splitlines()[0] if said.strip() else "nothing"
