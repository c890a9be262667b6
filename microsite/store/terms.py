"""The versions of the coaches' privacy pages: since when each was in force, and what it said."""

from typing import NamedTuple

from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from .tables import terms

_OF = select(terms).where(terms.c.coach == bindparam("coach")).order_by(terms.c.number)
"""Asked at every booking, so built once."""


class TermsRow(NamedTuple):
    """One version of a coach's page; `since` is a date, `number` its place in the order of use."""

    coach: str
    version: str
    since: str
    facts: str
    number: int


class TermsBook:
    """Answers questions about versions inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def of(self, coach: str) -> list[TermsRow]:
        """A coach's versions, the one in force last."""
        rows = self._conn.execute(_OF, {"coach": coach})
        return [TermsRow(*row) for row in rows]

    def put(self, coach: str, version: str, since: str, facts: str) -> None:
        """Let this version be the one in force since that day; one of before comes back with its new day."""
        last = self._conn.scalar(select(func.max(terms.c.number)).where(terms.c.coach == coach)) or 0
        again = update(terms).where(terms.c.coach == coach, terms.c.version == version)
        if self._conn.execute(again.values(since=since, number=last + 1)).rowcount == 0:
            new = {"coach": coach, "version": version, "since": since, "facts": facts, "number": last + 1}
            self._conn.execute(insert(terms).values(new))
