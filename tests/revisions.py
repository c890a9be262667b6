"""In every test of every room: a transaction of ours that changes what decides about times raises a coach's revision.

The revision is the only thing that tells a kept page that it is old, on this machine or another. What tests themselves
write into the tables is their own business.
"""

import re
import sqlite3
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import event

DECIDES = re.compile(
    r"(INSERT INTO|DELETE FROM) (booking|calendar_span)\b"
    r"|DELETE FROM calendar\b|UPDATE calendar_span\b|UPDATE calendar SET .*\broles="
    r'|UPDATE booking SET .*\b("?(offer|start|end|before|after)"?|state|pending_start|pending_end|doubt)='
    r"|UPDATE coach SET .*\bsettings="
)
RAISES = re.compile(r"UPDATE coach SET .*\brevision=")
STORE = str(Path("microsite", "store"))
OTHERS = (Path(__file__).parent, Path(__file__).parent.parent / "bench")


def ours(depth: int) -> bool:
    """Whether the statement comes from the program, and not from a test or a measurement by way of the store."""
    frame: Any = sys._getframe(depth)
    while frame is not None:
        file = frame.f_code.co_filename
        if "sqlalchemy" not in file and STORE not in file and "contextlib" not in file:
            return not any(Path(file).is_relative_to(folder) for folder in OTHERS)
        frame = frame.f_back
    return False


def note(info: dict[str, Any], statement: str, depth: int) -> None:
    """Remember what a transaction has written."""
    if (found := DECIDES.match(statement)) and ours(depth):
        info["decides"] = found.group()
    if RAISES.match(statement):
        info["raises"] = True


def trace(raw: Any, record: Any) -> None:
    """SQLite tells of its statements by itself, of those as well that do not come by way of SQLAlchemy."""
    if isinstance(raw, sqlite3.Connection):
        raw.set_trace_callback(lambda statement: note(record.info, statement, 3))


def listen(conn: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    """PostgreSQL's driver does not."""
    if conn.dialect.name != "sqlite":
        note(conn.info, statement, 3)


def check(conn: Connection) -> None:
    """Refuse to commit what no kept page would hear of."""
    decides, raises = forget(conn)
    assert raises or not decides, f"changes times without a new revision: {decides}"


def forget(conn: Connection) -> tuple[str, bool]:
    """What was noted of a transaction that is over."""
    return conn.info.pop("decides", ""), conn.info.pop("raises", False)


@pytest.fixture(scope="session", autouse=True)
def _revisions() -> Iterator[None]:
    """Listen to every database of this run."""
    listeners = {"connect": trace, "before_cursor_execute": listen, "commit": check, "rollback": forget}
    for name, listener in listeners.items():
        event.listen(Engine, name, listener)
    yield
    for name, listener in listeners.items():
        event.remove(Engine, name, listener)
