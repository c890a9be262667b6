"""Statements that every booking runs: built once, and on SQLite handed to the driver as text.

SQLAlchemy takes several times as long for a statement that it knows as SQLite takes to carry it out, and whoever holds
the writers' line holds up every booking behind it. The statements are SQLAlchemy's still, so both databases have the
same ones; so are connections, transactions and errors. What is answered is as the driver gives it: no column that is
asked for may be of a type that is translated (on SQLite: Boolean).
"""

import sqlite3
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from typing import cast

from sqlalchemy import Connection
from sqlalchemy import Dialect
from sqlalchemy.exc import DBAPIError


class Text(NamedTuple):
    """A statement for SQLite's driver: the names in the order of its question marks, and the values it came with."""

    sql: str
    names: tuple[str, ...]
    fixed: dict[str, Any]


class Prepared:
    """A statement, run with values by name. `columns`: those that an INSERT or an UPDATE gives a value to."""

    def __init__(self, statement: Any, *columns: str) -> None:
        self._statement, self._columns = statement, columns
        self._text: Text | None = None

    def rows(self, conn: Connection, **values: Any) -> Sequence[Sequence[Any]]:
        """All that a question finds."""
        return cast(Sequence[Sequence[Any]], self._execute(conn, values).fetchall())

    def run(self, conn: Connection, **values: Any) -> int:
        """Write; answers how many rows an UPDATE or a DELETE found."""
        return int(self._execute(conn, values).rowcount)

    def _execute(self, conn: Connection, values: dict[str, Any]) -> Any:
        if conn.dialect.name != "sqlite":
            return conn.execute(self._statement, values)
        text = self._text = self._text or self._written(conn.dialect)
        given = text.fixed | values
        return driven(conn, text.sql, [given[name] for name in text.names])

    def _written(self, dialect: Dialect) -> Text:
        made = self._statement.compile(dialect=dialect, column_keys=self._columns or None)
        came = {name: value for name, value in made.params.items() if value is not None}
        fixed = {name: value for name, value in came.items() if name not in self._columns}
        return Text(str(made), tuple(made.positiontup), fixed)


def driven(conn: Connection, sql: str, values: Sequence[Any] = ()) -> Any:
    """The cursor of SQLite's driver, in the connection's transaction. Raises what SQLAlchemy raises."""
    raw: Any = conn.connection.driver_connection
    try:
        return raw.execute(sql, values)
    except sqlite3.Error as error:
        raised = DBAPIError.instance(sql, None, error, sqlite3.Error, hide_parameters=True)
        raise cast(DBAPIError, raised) from error
