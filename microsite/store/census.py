"""Counting without looking: how many of what there are, by SQL and over the whole installation. Never who, never when.

For whoever watches the machine: `/healthz`, `/metrics`, `doctor`. No row is decoded and no coach's settings are read.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import case
from sqlalchemy import func
from sqlalchemy import or_
from sqlalchemy import select

from .letters import QUEUED
from .tables import booking
from .tables import calendar
from .tables import coach
from .tables import letter


class CalendarCounts(NamedTuple):
    """Calendars by sync state, those that fail, and the oldest and newest successful reading (UTC seconds, 0: none)."""

    states: Mapping[str, int]
    failing: int
    oldest_ok_at: int
    newest_ok_at: int


class Census:
    """Answers counts inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def coaches(self) -> int:
        """How many coaches there are."""
        return self._conn.scalar(select(func.count()).select_from(coach)) or 0

    def bookings(self) -> dict[str, int]:
        """How many bookings are kept, by state."""
        rows = self._conn.execute(select(booking.c.state, func.count()).group_by(booking.c.state))
        return {state: number for state, number in rows}

    def calendars(self) -> CalendarCounts:
        """How the calendars are."""
        failing = case((_failing(), 1), else_=0)
        rows = self._conn.execute(
            select(calendar.c.state, func.count(), func.sum(failing)).group_by(calendar.c.state)
        ).all()
        read = select(func.min(calendar.c.last_ok_at), func.max(calendar.c.last_ok_at)).where(calendar.c.last_ok_at > 0)
        oldest, newest = self._conn.execute(read).one()
        states = {state: number for state, number, _ in rows}
        return CalendarCounts(states, int(sum(bad or 0 for _, _, bad in rows)), oldest or 0, newest or 0)

    def failing_by_coach(self) -> dict[str, int]:
        """How many of each coach's calendars fail; coaches without one are left out."""
        rows = self._conn.execute(select(calendar.c.coach, func.count()).where(_failing()).group_by(calendar.c.coach))
        return {slug: number for slug, number in rows}

    def letters(self) -> int:
        """How many letters wait."""
        return self._conn.scalar(select(func.count()).where(letter.c.state == QUEUED)) or 0

    def size(self) -> int:
        """Bytes of the database."""
        if self._conn.dialect.name == "sqlite":
            pages = self._conn.exec_driver_sql("PRAGMA page_count").scalar_one()
            return int(pages * self._conn.exec_driver_sql("PRAGMA page_size").scalar_one())
        return int(self._conn.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one())


def _failing() -> ColumnElement[bool]:
    return or_(calendar.c.first_failed_at > 0, and_(calendar.c.last_ok_at == 0, calendar.c.failures > 0))
