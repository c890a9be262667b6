"""Day keys in a PostgreSQL database of their own, for several machines: the same contract as `sealing.FolderKeyring`.

What PostgreSQL can promise: a deleted row stays in the table's file until the table is written anew, which `destroy`
has done at once, and in the write-ahead log until its segment is gone. With the rights for it `destroy` ends that
segment too, and a server set up as docs/several-machines.md says (`wal_recycle = off`) then removes the file. What is
archived, replicated, backed up or logged is out of reach: `doubts` says so, and nobody claims then that a key is
destroyed.
"""

import time
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date

from sqlalchemy import Connection
from sqlalchemy import create_engine
from sqlalchemy import text
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from microsite.core.people import SecretBytes
from microsite.errors import CannotOpen
from microsite.errors import StoreUnreadable

ANSWER_SECONDS = 5
DOUBTS_KEPT = 3600.0
"""Seconds for which what is known of the server's settings is not asked anew."""
_ONE_AT_A_TIME = 7_305_518_262
"""Key of the advisory lock under which the table is made: any constant of our own."""
_NAME_IT = (
    "DO $$ BEGIN EXECUTE format('COMMENT ON TABLE microsite_day_key IS %L',"
    " 'keyring ' || md5(gen_random_uuid()::text)); END $$"
)
"""A comment takes no parameter, so the server fills in a name of its own making."""
_TABLE = "CREATE TABLE IF NOT EXISTS microsite_day_key (day text PRIMARY KEY, key bytea NOT NULL)"
_MAKE = "INSERT INTO microsite_day_key (day, key) VALUES (:day, :key) ON CONFLICT (day) DO NOTHING"
_NAME = "SELECT obj_description('microsite_day_key'::regclass, 'pg_class')"
_RIGHTS = """
SELECT has_function_privilege('pg_switch_wal()', 'EXECUTE') AND EXISTS (
       SELECT 1 FROM pg_roles WHERE rolname = current_user AND rolsuper
           OR rolname = 'pg_checkpoint' AND pg_has_role(oid, 'MEMBER'))"""
_DOUBTS = {
    "archived": "SELECT current_setting('archive_mode') <> 'off'",
    "replicated": "SELECT pg_is_in_recovery() OR EXISTS (SELECT 1 FROM pg_stat_replication)"
    " OR EXISTS (SELECT 1 FROM pg_replication_slots)",
    "recycled": "SELECT current_setting('wal_recycle') <> 'off'",
    "lingering": f"SELECT NOT ({_RIGHTS})",
    "logged": "SELECT current_setting('log_parameter_max_length') <> '0' AND (current_setting('log_statement')"
    " IN ('mod', 'all') OR current_setting('log_min_duration_statement') <> '-1'"
    " OR current_setting('log_min_duration_sample') <> '-1' OR current_setting('log_transaction_sample_rate') <> '0')",
}
"""Each says why the bytes of a destroyed key may live on."""
_CLUSTER = "SELECT system_identifier::text FROM pg_control_system()"


class DatabaseKeyring:
    """The keys of one installation. `url` is SQLAlchemy's; `new_key` makes one.

    Every call raises StoreUnreadable where the database does not answer. Each statement is a transaction of its own,
    so that none keeps old rows alive for long.
    """

    def __init__(self, url: str, new_key: Callable[[], SecretBytes]) -> None:
        self._new_key = new_key
        self._engine = create_engine(
            url,
            pool_size=2,
            max_overflow=6,
            pool_timeout=ANSWER_SECONDS,
            pool_pre_ping=True,
            hide_parameters=True,
            isolation_level="AUTOCOMMIT",
            connect_args={"connect_timeout": ANSWER_SECONDS},
        )
        self._made = False
        self._doubts: tuple[float, tuple[str, ...]] | None = None

    def get_or_create(self, day: str) -> SecretBytes:
        """The day's key; of all who ask at the same time, on whichever machine, one makes it."""
        with self._connect() as conn:
            found = _key(conn, _checked(day))
            if found is None:
                conn.execute(text(_MAKE), {"day": day, "key": self._new_key().reveal()})
                found = _key(conn, day)
        if found is None:  # destroyed by somebody else in this very moment
            raise CannotOpen(f"the key of {day} is destroyed: no envelope of that day opens again")
        return found

    def get(self, day: str) -> SecretBytes:
        """The day's key; raises CannotOpen once it is destroyed."""
        with self._connect() as conn:
            found = _key(conn, _checked(day))
        if found is None:
            raise CannotOpen(f"the key of {day} is destroyed: no envelope of that day opens again")
        return found

    def destroy(self, day: str) -> None:
        """The row deleted, the table written anew without it, and the log ended where this role may do that."""
        with self._connect() as conn:
            gone = conn.execute(text("DELETE FROM microsite_day_key WHERE day = :day"), {"day": _checked(day)})
            if gone.rowcount == 0:
                return
            conn.execute(text("VACUUM FULL microsite_day_key"))
            if conn.scalar(text(_RIGHTS)):
                conn.execute(text("SELECT pg_switch_wal()"))
                conn.execute(text("CHECKPOINT"))

    def days(self) -> list[str]:
        """Every day that has a key, oldest first."""
        with self._connect() as conn:
            return list(conn.scalars(text("SELECT day FROM microsite_day_key ORDER BY day")))

    def put(self, day: str, key: SecretBytes) -> None:
        """A key that was made elsewhere, unless the day has one."""
        with self._connect() as conn:
            conn.execute(text(_MAKE), {"day": _checked(day), "key": key.reveal()})

    def place(self) -> str:
        """A name that this keyring has and no other."""
        with self._connect() as conn:
            return str(conn.scalar(text(_NAME)))

    def doubts(self) -> tuple[str, ...]:
        """Why a destroyed key may live on: some of archived, replicated, recycled, lingering, logged."""
        now = time.monotonic()
        if self._doubts is None or now - self._doubts[0] > DOUBTS_KEPT:
            with self._connect() as conn:
                found = tuple(name for name, asked in _DOUBTS.items() if conn.scalar(text(asked)))
            self._doubts = now, found
        return self._doubts[1]

    def cluster(self) -> str:
        """Which PostgreSQL server this is, whatever name it is reached by."""
        with self._connect() as conn:
            return str(conn.scalar(text(_CLUSTER)))

    def close(self) -> None:
        """Give every connection back."""
        self._engine.dispose()

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        try:
            with self._engine.connect() as conn:
                if not self._made:
                    _make_table(conn)
                    self._made = True
                yield conn
        except (DatabaseError, PoolTimeout) as error:
            raise StoreUnreadable("the key database cannot be read or written") from error


def _make_table(conn: Connection) -> None:
    if conn.scalar(text("SELECT to_regclass('microsite_day_key')")) is not None and conn.scalar(text(_NAME)):
        return
    conn.execute(text("SELECT pg_advisory_lock(:key)"), {"key": _ONE_AT_A_TIME})
    try:
        conn.execute(text(_TABLE))
        if not conn.scalar(text(_NAME)):
            conn.execute(text(_NAME_IT))
    finally:
        conn.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": _ONE_AT_A_TIME})


def _key(conn: Connection, day: str) -> SecretBytes | None:
    found = conn.scalar(text("SELECT key FROM microsite_day_key WHERE day = :day"), {"day": day})
    return None if found is None else SecretBytes(bytes(found))


def _checked(day: str) -> str:
    try:
        right = date.fromisoformat(day).isoformat() == day
    except ValueError:
        right = False
    if not right:  # the empty day of a booking without an envelope, or a database that was tampered with
        raise CannotOpen("there is no key without a day")
    return day
