"""What the machines of one installation must have in common, and which of their processes are running."""

from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import text
from sqlalchemy import update

from .tables import mark
from .tables import process


class ProcessRow(NamedTuple):
    """A process that gave a sign of life at `seen_at` (UTC seconds). `kind` is serve, web or worker."""

    id: str
    kind: str
    machine: str
    seen_at: int


class Machines:
    """Answers inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def mark(self, name: str) -> str:
        """What all machines must agree on under that name; empty where nobody has said it yet."""
        return self._conn.scalar(select(mark.c.value).where(mark.c.name == name)) or ""

    def set_mark(self, name: str, value: str) -> None:
        """From now on this is what all must have."""
        if self._conn.execute(update(mark).where(mark.c.name == name).values(value=value)).rowcount == 0:
            self._conn.execute(insert(mark).values(name=name, value=value))

    def lock_marks(self) -> None:
        """One machine at a time compares and sets (SQLite writes alone anyway)."""
        if self._conn.dialect.name != "sqlite":
            self._conn.execute(text("LOCK TABLE mark IN SHARE ROW EXCLUSIVE MODE"))

    def seen(self, process_id: str, kind: str, machine: str, now: int) -> None:
        """That process lives."""
        alive = update(process).where(process.c.id == process_id).values(seen_at=now)
        if self._conn.execute(alive).rowcount == 0:
            self._conn.execute(insert(process).values(id=process_id, kind=kind, machine=machine, seen_at=now))

    def gone(self, process_id: str) -> None:
        """That process has ended."""
        self._conn.execute(delete(process).where(process.c.id == process_id))

    def forget_before(self, moment: int) -> None:
        """Whoever gave no sign of life since then has ended without a word."""
        self._conn.execute(delete(process).where(process.c.seen_at < moment))

    def running(self, since: int) -> list[ProcessRow]:
        """Who gave a sign of life since then, by machine and kind."""
        rows = select(process).where(process.c.seen_at >= since).order_by(process.c.machine, process.c.kind)
        return [ProcessRow(*row) for row in self._conn.execute(rows)]
