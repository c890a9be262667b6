"""Brings a database to the newest shape, forward only; a copy of an SQLite file is made before it is changed.

On PostgreSQL the tables of the job queue's library are brought up to date as well, from the library's own scripts.
"""

from collections.abc import Iterator
from contextlib import closing
from contextlib import contextmanager
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError

from microsite.errors import StartRefused

from . import copies

if TYPE_CHECKING:
    from .engine import Store


MIGRATIONS = Path(__file__).with_name("migrations")
_ONE_AT_A_TIME = 7_305_518_261
"""Key of the advisory lock under which PostgreSQL is migrated: any constant of our own."""
_GIVEN_UP = "CREATE INDEX ix_microsite_given_up ON procrastinate_jobs (queueing_lock) WHERE status = 'failed'"


def upgrade(store: "Store", migrations: Path = MIGRATIONS) -> bool:
    """Migrate to the newest revision; True where something had to be done.

    Raises StartRefused for a newer database, StoreUnreadable for one that cannot be read or written; then nothing is
    changed.
    """
    try:
        return _upgrade(store, migrations)
    except DatabaseError as error:
        raise store.unreadable(error) from error


def _upgrade(store: "Store", migrations: Path) -> bool:
    config = Config()
    config.set_main_option("script_location", str(migrations).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    with store.engine.connect() as conn:
        current = MigrationContext.configure(conn).get_current_revision()
    known = {script.revision for script in scripts.walk_revisions()}
    if current is not None and current not in known:
        raise StartRefused(f"the database is of a newer version (its shape is {current}); install that version again")
    done = False
    if current != scripts.get_current_head():
        if current is not None and store.sqlite:
            _copy(store, current)
        with _migrating(store) as conn:
            config.attributes["connection"] = conn
            command.upgrade(config, "head")
        done = True
    if store.sqlite:
        return done
    return upgrade_queue(store, resources.files("procrastinate.sql.migrations")) or done


@contextmanager
def _migrating(store: "Store") -> Iterator[Connection]:
    """One transaction for all migrations, alone. On SQLite rebuilding a table must not delete what hangs on it."""
    with store.engine.connect() as conn:
        if store.sqlite:
            conn = conn.execution_options(immediate=True)
            # Only outside of a transaction: inside it the switch is silently ignored.
            raw = conn.connection
            raw.execute("PRAGMA foreign_keys=OFF")
        try:
            with conn.begin():
                if not store.sqlite:
                    conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
                yield conn
                if store.sqlite and (broken := conn.exec_driver_sql("PRAGMA foreign_key_check").first()):
                    raise StartRefused(f"the migration would leave rows of {broken[0]} that belong to nothing")
        finally:
            if store.sqlite:
                raw.execute("PRAGMA foreign_keys=ON")


def upgrade_queue(store: "Store", migrations: Traversable) -> bool:
    """Make procrastinate's tables, or run those of its migrations that are newer than what is there."""
    scripts = sorted((one for one in migrations.iterdir() if one.name.endswith(".sql")), key=lambda one: one.name)
    newest = scripts[-1].name
    with store.engine.begin() as conn:
        conn.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        there = conn.scalar(text("SELECT obj_description(to_regclass('procrastinate_jobs'), 'pg_class')"))
        if there == newest:
            return False
        if conn.scalar(text("SELECT to_regclass('procrastinate_jobs')")) is None:
            _run(conn, resources.files("procrastinate.sql").joinpath("schema.sql").read_text(encoding="utf-8"))
            _run(conn, _GIVEN_UP)
        for script in scripts:
            if there is not None and script.name > there:
                _run(conn, script.read_text(encoding="utf-8"))
        _run(conn, f"COMMENT ON TABLE procrastinate_jobs IS '{newest}'")
    return True


def _run(conn: Connection, script: str) -> None:
    # As one string without parameters, which is how the driver takes several statements (and leaves % alone).
    raw = conn.connection.driver_connection
    assert raw is not None  # noqa: S101 - a checked-out connection always has its driver connection
    with closing(raw.cursor()) as cursor:
        cursor.execute(script)


def _copy(store: "Store", revision: str) -> None:
    """A copy beside the file, named after the revision it still has; `copies` says when it goes."""
    file = store.file
    assert file is not None  # noqa: S101 - asked for on SQLite only
    with store.engine.connect() as conn:
        raw = conn.connection.driver_connection
        assert raw is not None  # noqa: S101 - a checked-out connection always has its driver connection
        copies.make(raw, file, revision)
