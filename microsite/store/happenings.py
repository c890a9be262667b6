"""The list of what happened, with no personal data: a coach, a reference, a time, a word."""

from sqlalchemy import Connection
from sqlalchemy import delete
from sqlalchemy import insert
from sqlalchemy import select

from .prepared import Prepared
from .tables import happening

_NOTE = Prepared(insert(happening), "coach", "ref", "at", "what")


class Happenings:
    """Appends to and reads the list inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def note(self, coach: str, ref: str, at: int, what: str) -> None:
        """Append one line."""
        _NOTE.run(self._conn, coach=coach, ref=ref, at=at, what=what)

    def of(self, coach: str) -> list[tuple[int, str, str]]:
        """(at, ref, what) of a coach, oldest first."""
        columns = select(happening.c.at, happening.c.ref, happening.c.what).where(happening.c.coach == coach)
        return [(at, ref, what) for at, ref, what in self._conn.execute(columns.order_by(happening.c.id))]

    def about(self, coach: str, ref: str, since: int) -> list[tuple[int, str]]:
        """(at, what) of a reference from then on, oldest first: before, it may have been another booking's."""
        mine = (happening.c.coach == coach) & (happening.c.ref == ref) & (happening.c.at >= since)
        rows = self._conn.execute(select(happening.c.at, happening.c.what).where(mine).order_by(happening.c.id))
        return [(at, what) for at, what in rows]

    def remove_before(self, at: int) -> int:
        """Forget what is older."""
        return self._conn.execute(delete(happening).where(happening.c.at < at)).rowcount
