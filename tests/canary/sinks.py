"""Where something could leak to, read as bytes. What is meant to be where is `places`'s; forms are `encodings`'s."""

import re
import sqlite3
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import closing
from contextlib import suppress
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from pathlib import Path
from typing import Any
from typing import NamedTuple
from urllib.parse import urlsplit

import psycopg

from microsite import archive
from microsite.core.people import Secret
from microsite.sealing.streams import opened_from
from tests.postgres import DATABASES
from tests.postgres import wanted

from .encodings import Flat
from .encodings import Searched

ADDRESSES = frozenset({"location", "content-location", "refresh", "link", "hx-redirect", "hx-location", "hx-push-url"})
EMPTY = re.compile(rb"\0{17,}")
LONG = re.compile(r"[A-Za-z0-9_-]{40,}")


class Piece(NamedTuple):
    """Some bytes of a sink, and where in it they were."""

    sink: str
    where: str
    data: bytes


class Found(NamedTuple):
    """A marker in a place: which sink, where in it, what kind of marker, in which forms."""

    sink: str
    where: str
    kind: str
    forms: tuple[str, ...]


Markers = dict[str, list[str | bytes]]
"""Words that must not be found, by what they are."""


def search(pieces: Iterable[Piece], markers: Markers) -> list[Found]:
    """Every marker in every piece."""
    prepared: dict[bytes, list[tuple[str, tuple[str, ...]]]] = {}
    found = []
    for piece in dict.fromkeys(pieces):
        if piece.data not in prepared:
            searched = (Flat if piece.sink == "database server" else Searched)(piece.data)
            hits = ((kind, tuple(searched.find(word))) for kind, words in markers.items() for word in words)
            prepared[piece.data] = [(kind, forms) for kind, forms in hits if forms]
        found += [Found(piece.sink, piece.where, kind, forms) for kind, forms in prepared[piece.data]]
    return found


def instance(folder: Path) -> Iterator[Piece]:
    """All that a site keeps: database files, calendar files, letters, keys, and what else there is, with its names."""
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        sink = _sink_of(name)
        yield Piece(f"{sink} name", "a file name", name.encode())
        with suppress(FileNotFoundError):  # moved or removed meanwhile
            if path.is_file():
                data = path.read_bytes()
                yield Piece(sink, _without_numbers(name), data)
                if sink == "letter file":
                    yield from letter(data)


def _sink_of(name: str) -> str:
    if name.startswith("site.db"):
        return "database file"
    return {"dav": "calendar file", "mail": "letter file"}.get(name.split("/")[0], "instance file")


def _without_numbers(name: str) -> str:
    """A place's own name: letters and days have names that change with every run."""
    return re.sub(r"\d{4}-\d\d-\d\d", "<day>", re.sub(r"[0-9a-f]{32,}", "<name>", name))


JOBS = {"job", "procrastinate_jobs", "procrastinate_events", "procrastinate_periodic_defers"}
"""Tables of what is to be done."""


def database(instance: Path) -> Iterator[Piece]:
    """What the instance's database holds, wherever this run has it."""
    if wanted():
        with psycopg.connect(DATABASES.of(instance), autocommit=True) as conn:
            conn.execute("CHECKPOINT")
            yield from rows(conn, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
            yield from table_files(conn)
    else:
        with closing(sqlite3.connect(f"file:{instance / 'site.db'}?mode=ro", uri=True)) as conn:
            yield from rows(conn, "SELECT name FROM sqlite_master WHERE type = 'table'")


def rows(conn: Any, tables: str) -> Iterator[Piece]:
    """Every value of every table, whole, where the raw file may have it in parts."""
    for (table,) in conn.execute(tables).fetchall():
        found = conn.execute(f'SELECT * FROM "{table}"')
        columns = [column[0] for column in found.description]
        for row in found:
            for column, value in zip(columns, row, strict=True):
                if value is not None:
                    data = value if isinstance(value, bytes) else str(value).encode()
                    yield Piece("job row" if table in JOBS else "database row", f"{table}.{column}", data)


def table_files(conn: Any) -> Iterator[Piece]:
    """The files of PostgreSQL that hold our tables and their indexes, rows that are gone included."""
    ours = "SELECT pg_relation_filepath(oid) FROM pg_class WHERE relkind IN ('r', 'i', 't', 'S') AND oid >= 16384"
    (folder,) = conn.execute("SHOW data_directory").fetchone()
    for (name,) in conn.execute(ours).fetchall():
        yield Piece("database file", "a table file", (Path(folder) / name).read_bytes())


def server_rows(url: str) -> Iterator[Piece]:
    """Every value of every table of a database that a test made for itself."""
    with psycopg.connect(url) as conn:
        yield from rows(conn, "SELECT tablename FROM pg_tables WHERE schemaname = 'public'")


def server_files(folder: Path) -> Iterator[Piece]:
    """Every file of a PostgreSQL server: tables, its write-ahead log, statistics, and what it writes about itself.

    Pages are mostly empty: long runs of zero bytes are left out. Nothing in there is compressed by anybody.
    """
    for path in sorted(folder.rglob("*")):
        with suppress(FileNotFoundError):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                place = "log" if name == "log" else name.split("/")[1] if "/" in name else name
                yield Piece("database server", place, EMPTY.sub(bytes(16), path.read_bytes()))


def letter(data: bytes) -> Iterator[Piece]:
    """A letter's headers and parts, each decoded as a mail program would."""
    message = message_from_bytes(data, EmailMessage, policy=SMTP)
    to = "the coach" if "sari@example.org" in str(message["To"]) else "the client"
    for name, value in message.items():
        yield Piece("letter header", f"to {to}: {name}", str(value).encode())
    for part in message.walk():
        if not part.is_multipart():
            body = part.get_payload(decode=True)
            assert isinstance(body, bytes)
            yield Piece("letter part", f"to {to}: {part.get_content_type()}", body)
            for name, value in part.items():
                if part is not message:
                    yield Piece("letter header", f"to {to}: part {name}", str(value).encode())


def backup(path: Path, identity: str) -> Iterator[Piece]:
    """A backup as it lies there, and all that is in it for the one who has the key."""
    yield Piece("backup file", "a file name", path.name.encode())
    yield Piece("backup file", "a backup", path.read_bytes())
    if path.read_bytes().startswith(b"age-encryption.org/v1"):
        with path.open("rb") as file, opened_from(file, [Secret(identity)]) as stream:
            for member in archive.read(stream):
                yield Piece("backup content name", "a file name", member.name.encode())
                yield Piece("backup content", _without_numbers(member.name), member.text())


def folder(sink: str, path: Path) -> Iterator[Piece]:
    """Every file below a folder, and what the files are called."""
    for each in sorted(path.rglob("*")):
        yield Piece(sink, "a file name", each.relative_to(path).as_posix().encode())
        with suppress(FileNotFoundError):
            if each.is_file():
                yield Piece(sink, "a file", each.read_bytes())


def processes(group: int) -> Iterator[Piece]:
    """What `ps` and /proc tell everybody about the processes of a group: arguments, environment, titles of threads."""
    for folder_ in Path("/proc").glob("[0-9]*"):
        with suppress(FileNotFoundError, ProcessLookupError, PermissionError):
            # After the title in brackets: state, parent, process group (proc(5)).
            if int((folder_ / "stat").read_text().rpartition(")")[2].split()[2]) != group:
                continue
            for name in ("cmdline", "environ"):
                yield Piece("process", name, (folder_ / name).read_bytes())
            for title in folder_.glob("task/*/comm"):
                yield Piece("process", "title", title.read_bytes())


def exchange(
    who: str, method: str, url: str, sent: dict[str, str], status: int, headers: Iterable[tuple[str, str]], body: bytes
) -> Iterator[Piece]:
    """What a server, a proxy and a browser's history see of one request and its answer."""
    parts = urlsplit(url)
    asked = f"{who} {method} {LONG.sub('<token>', parts.path)}"
    yield Piece("address asked", asked, f"{parts.path}?{parts.query}".encode())
    if "Referer" in sent:
        yield Piece("referrer", asked, sent["Referer"].encode())
    yield Piece("page", f"{asked} {status}", body)
    for name, value in headers:
        data = value.encode("latin-1", "replace")
        if name.lower() == "set-cookie":
            yield Piece("cookie", f"{asked} {status} {value.partition('=')[0]}", data)
        else:
            sink = "address given" if name.lower() in ADDRESSES else "header"
            yield Piece(sink, f"{asked} {status} {name.title()}", data)
