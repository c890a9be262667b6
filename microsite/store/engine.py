"""Opens the database and its transactions: SQLite (WAL, BEGIN IMMEDIATE, FULL, secure_delete) or PostgreSQL.

**The lock.** `change(coach)` first raises that coach's revision: one writer per coach on both databases, and the cache
key of every picker moves with whatever is written. `write()` is for what cannot change a slot.
"""

import shutil
import sqlite3
import threading
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import AbstractContextManager
from contextlib import contextmanager
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from sqlalchemy import Connection
from sqlalchemy import Engine
from sqlalchemy import create_engine
from sqlalchemy import event
from sqlalchemy import make_url
from sqlalchemy.exc import DatabaseError
from sqlalchemy.exc import IntegrityError
from sqlalchemy.exc import ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from microsite.core import remedies
from microsite.core.courtesy import Courtesy
from microsite.errors import NotFound
from microsite.errors import StartRefused
from microsite.errors import StoreUnreadable

from . import copies
from .bookings import Sealed
from .checkpoints import BOUND
from .checkpoints import Checkpoints
from .glance import CACHE
from .glance import Asker
from .glance import Glance
from .glance import Question
from .glance import Rows
from .glance import Whole
from .glance import glance
from .glance import whole
from .invitations import InvitationRow
from .keys import KeyRow
from .prepared import driven
from .signins import CredentialRow
from .tx import Tx
from .where import refuse_network

BUSY_SECONDS = 10
COURTESY = 0.05
"""Seconds that a booking waits for the one before it to be through."""
KEPT = 4
"""Connections that stay open: each remembers its pages and statements, 0.7 MB. What a rush takes beyond these is closed
after it; writers wait in one line before they take one, so there is seldom such a rush."""
PAGE = 64 * 1024
"""More than one transaction writes at most in a quiet house."""
PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "foreign_keys=ON",
    "secure_delete=ON",
    "temp_store=MEMORY",
    CACHE,
    f"wal_autocheckpoint={BOUND}",
)
ONE_VIEW = {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}


class Store:
    """The database of one installation."""

    def __init__(self, url: str) -> None:
        self.url = url
        self.sqlite = make_url(url).get_backend_name() == "sqlite"
        self.engine = _sqlite(url) if self.sqlite else _postgres(url)
        # SQLite gives a reader one consistent view; PostgreSQL must be asked for it.
        self._reader = self.engine if self.sqlite else self.engine.execution_options(**ONE_VIEW)
        self._writer = self.engine.execution_options(immediate=True)
        # SQLite's own lock is unfair under load; one waiting line per process keeps the longest wait short.
        line, file = threading.Lock(), self.file
        self._line = line if file else None
        self._turn = Courtesy(COURTESY) if file else None
        self._changes, self._changed = 0, threading.Condition()
        self._asker = Asker(str(file), BUSY_SECONDS, self.unreadable) if file else None
        self._checkpoints = Checkpoints(file, line, BUSY_SECONDS) if file else None

    @property
    def file(self) -> Path | None:
        """The SQLite file; None on PostgreSQL."""
        return Path(make_url(self.url).database or "") if self.sqlite else None

    def unreadable(self, error: DatabaseError | PoolTimeout | sqlite3.Error) -> StoreUnreadable:
        """The driver's error as a sentence that names the file and says what to do."""
        cause = error.orig if isinstance(error, DatabaseError) else error
        file = self.file
        if file is None:
            return StoreUnreadable(f"{remedies.SERVER.of('the database')} ({type(cause).__name__})", "", "unreachable")
        remedy = remedies.for_sqlite(getattr(cause, "sqlite_errorname", ""))
        if file.is_dir():
            remedy = remedies.FOLDER
        elif remedy is remedies.BROKEN and not _room(file):
            remedy = remedies.FULL  # a log that cannot grow is told as an input/output error
        return StoreUnreadable(remedy.of(str(file)), file.name, remedy.word)

    @contextmanager
    def read(self) -> Iterator[Tx]:
        """A consistent view; writes nothing. Raises StoreUnreadable where the database does not answer."""
        try:
            with self._reader.connect() as conn, conn.begin():
                yield Tx(conn)
        except (IntegrityError, ProgrammingError):
            raise
        except (DatabaseError, PoolTimeout) as error:
            raise self.unreadable(error) from error

    @contextmanager
    def write(self) -> Iterator[Tx]:
        """A transaction that changes no slot. Raises StoreUnreadable where the database cannot be written."""
        try:
            with self._line or nullcontext(), self._writer.connect() as conn, conn.begin():
                tx = Tx(conn)
                yield tx
        except (IntegrityError, ProgrammingError):
            raise
        except (DatabaseError, PoolTimeout) as error:
            raise self.unreadable(error) from error
        if self._checkpoints is not None:
            self._checkpoints.note()
        for call in tx.after:
            call()

    @contextmanager
    def change(self, coach: str) -> Iterator[Tx]:
        """A transaction that may change the coach's slots: takes her lock first. Raises NotFound."""
        with self.write() as tx:
            if not tx.coaches.raise_revision(coach):
                raise NotFound("no such coach")
            yield tx
        with self._changed:
            self._changes += 1
            self._changed.notify_all()

    @property
    def changes(self) -> int:
        """How often this process has changed anything of any coach."""
        return self._changes

    def wait_for_change(self, since: int, seconds: float) -> None:
        """Wait until this process has changed anything after it had made `since` changes, but at most so long."""
        with self._changed:
            self._changed.wait_for(lambda: self._changes != since, seconds)

    def turn(self) -> AbstractContextManager[None]:
        """Wait until the booking before this one is through: on SQLite they are through one by one anyway.

        Else whoever prepares one takes the interpreter from the one that writes and holds up all. Where the one before
        takes long (a key server's answer), it is waited for a moment only.
        """
        return nullcontext() if self._turn is None else self._turn.turn()

    def glance(self, coach: str, now: int) -> Glance | None:
        """The coach's revision and how her calendars are: cheap enough for every GET. Raises StoreUnreadable."""
        return glance(self._ask, coach, now)

    def whole(self, coach: str, ends_after: int, before: Whole | None = None) -> Whole | None:
        """All that decides about the coach's times, at one moment. Raises StoreUnreadable."""
        return whole(self._ask, coach, ends_after, before)

    def _ask(self, *questions: Question) -> list[Rows]:
        if self._asker is not None:
            return self._asker.ask(*questions)
        with self.read() as tx:
            return tx.ask(*questions)

    @staticmethod
    def sealed(record: bytes | None, copy: bytes | None, delivery: bytes | None) -> Sealed:
        """The sealed parts of a new booking."""
        return Sealed(record, copy, delivery)

    @staticmethod
    def invitation(lookup: bytes, coach: str, offer: str, uses: int, expires_at: int, label: str) -> InvitationRow:
        """A new invitation's row."""
        return InvitationRow(lookup, coach, offer, uses, expires_at, label)

    @staticmethod
    def key(key_id: str, coach: str, recipient: str, kind: str, now: int, wrapped: bytes | None = None) -> KeyRow:
        """A new key's row."""
        return KeyRow(key_id, coach, recipient, wrapped, kind, now, None)

    @staticmethod
    def credential(credential_id: bytes, coach: str, public_key: bytes, sign_count: int, today: str) -> CredentialRow:
        """A new passkey's row."""
        return CredentialRow(credential_id, coach, public_key, sign_count, today, None, None)

    def upgrade(self) -> bool:
        """Migrate to the newest shape, forward only; True where something had to be done."""
        # Alembic is needed only here, once at start.
        from .upgrade import upgrade

        return upgrade(self)

    def check(self) -> str:
        """An empty text where the database is whole, else what SQLite says about it. Reads the whole file."""
        with self.read() as tx:
            if not self.sqlite:
                return ""
            found: str = tx.conn.exec_driver_sql("PRAGMA quick_check(1)").scalar_one()
        return "" if found == "ok" else found

    def snapshot(self) -> AbstractContextManager[Iterator[Any]]:
        """See `snapshot.snapshot`: the whole database in parts with a name and a content."""
        from .snapshot import snapshot

        return snapshot(self)

    def shape(self) -> str:
        """See `snapshot.shape`."""
        from .snapshot import shape

        return shape(self)

    def cluster(self) -> str:
        """Which PostgreSQL server this is, whatever name it is reached by; empty on SQLite."""
        if self.sqlite:
            return ""
        with self.read() as tx:
            return str(tx.conn.exec_driver_sql("SELECT system_identifier FROM pg_control_system()").scalar_one())

    def truncate_log(self) -> None:
        """After a purge: fold the write-ahead log back and empty it, so that nothing deleted stays readable there."""
        if self._checkpoints is not None:
            self._checkpoints.truncate()

    def old_copies(self, now: int, going: Iterable[str] = ()) -> list[Path]:
        """Copies made before an upgrade whose time is over at `now`, or will be once the bookings `going` are gone.

        On PostgreSQL there are none.
        """
        with self.read() as tx:
            return copies.outdated(tx.conn, self.file, now, going) if self.file else []

    @staticmethod
    def destroy_copy(path: Path) -> None:
        """One of them, overwritten and removed."""
        copies.destroy(path)

    def close(self) -> None:
        """Give every connection back."""
        if self._asker is not None:
            self._asker.close()
        if self._checkpoints is not None:
            self._checkpoints.close()
        self.engine.dispose()


def _room(file: Path) -> bool:
    """Whether a page of the database still fits on its disk."""
    return shutil.disk_usage(file.parent).free >= PAGE


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if not path or path == ":memory:":
        raise StartRefused("database.url must name a file: an in-memory database forgets bookings")
    file = Path(path)
    refuse_network(file)
    if not file.exists():
        file.touch(mode=0o600)
    engine = create_engine(
        url,
        pool_size=KEPT,
        max_overflow=32 - KEPT,
        pool_use_lifo=True,  # the fewest that do
        hide_parameters=True,
        connect_args={"timeout": BUSY_SECONDS},
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(raw: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: a deferred one that later writes fails at once under load.
    raw.isolation_level = None
    for pragma in PRAGMAS:
        raw.execute(f"PRAGMA {pragma}")
    if raw.execute("PRAGMA secure_delete").fetchone()[0] != 1:
        raise StartRefused("this SQLite was built without secure_delete: erased data would stay readable in the file")


def _begin_sqlite(conn: Connection) -> None:
    driven(conn, "BEGIN IMMEDIATE" if conn.get_execution_options().get("immediate") else "BEGIN")


def _postgres(url: str) -> Engine:
    return create_engine(url, pool_size=8, max_overflow=24, pool_pre_ping=True, hide_parameters=True)
