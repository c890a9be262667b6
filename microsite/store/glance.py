"""What every look at a coach asks: one cheap question each time, and all that decides about her times when it changed.

Asked on each GET, so past SQLAlchemy's expression language: plain SQL that both databases know, on SQLite through
connections of its own that only read. Nothing here is remembered; `work.look` does that, by revision.
"""

import sqlite3
from collections import deque
from collections.abc import Callable
from collections.abc import Sequence
from operator import itemgetter
from pathlib import Path
from typing import Any
from typing import NamedTuple

import msgspec

from microsite.core.bookings import LIVE
from microsite.core.changes import Doubt
from microsite.core.polling import HOT
from microsite.core.settings import CoachSettings
from microsite.core.settings import decode_settings
from microsite.core.spans import Spans
from microsite.errors import StoreUnreadable

from .mirror import SpanRow

Rows = Sequence[Sequence[Any]]
Question = Sequence[Any]
"""Plain SQL with `?` for values, and the values."""
Ask = Callable[..., list[Rows]]
"""Takes questions, answers all of them as of one moment."""
CACHE = "cache_size=-256"
"""KiB of the database that one connection keeps: each write of another one makes it forget them all, and the system
remembers the file anyway. SQLite's own choice, 2 MB, is for a program with one connection; here are up to fifty."""
EMBEDDED = "http://embedded.invalid/"
_STATES = ", ".join(f"'{state}'" for state in sorted(LIVE))
GLANCE = (
    "SELECT coach.revision, coach.open, MIN(calendar.last_ok_at), MIN(NULLIF(calendar.first_failed_at, 0)),"  # noqa: S608
    f" MAX(CASE WHEN calendar.url IS NULL OR substr(calendar.url, 1, {len(EMBEDDED)}) = '{EMBEDDED}'"
    f" OR calendar.last_ok_at BETWEEN ? - {HOT - 1} AND ? OR calendar.next_poll_at BETWEEN ? AND ? + {HOT}"
    " OR calendar.backoff_until > ? THEN 0 ELSE 1 END)"
    " FROM coach LEFT JOIN calendar ON calendar.coach = coach.slug WHERE coach.slug = ? GROUP BY coach.slug"
)
"""Constants of ours only; `work.polls` says in words which calendar is old."""
COACH = "SELECT revision, open, demo, settings, portrait FROM coach WHERE slug = ?"
SPANS = (
    "SELECT calendar.id, calendar.name, calendar.roles, calendar_span.serves, calendar_span.spans"
    " FROM calendar JOIN calendar_span ON calendar_span.calendar = calendar.id WHERE calendar.coach = ?"
)
HELD = (
    'SELECT offer, start, "end", "before", "after", pending_start, pending_end, doubt FROM booking'  # noqa: S608
    f' WHERE coach = ? AND state IN ({_STATES}) AND "end" > ?'
)
"""In no order: sorting some rows here costs less than having a tree built for them."""


class Glance(NamedTuple):
    """The coach's revision, whether her page is open, and how her calendars are; times are UTC seconds.

    `oldest_ok` is 0 where one was never read, `failing_since` the first failure of the one that fails longest; both
    None without any. `old`: one that is not embedded was read too long ago for a page, may be asked, and is not
    asked soon anyway.
    """

    revision: int
    open: bool
    oldest_ok: int | None
    failing_since: int | None
    old: bool


class HeldRow(NamedTuple):
    """What a live booking holds: its time, its buffers (minutes), and while it moves also the time it moves to.

    `doubt` is what was seen of its event and is not believed yet: a drag has a time, too.
    """

    offer: str
    start: int
    end: int
    before: int
    after: int
    pending_start: int | None
    pending_end: int | None
    doubt: Doubt | None


class Whole(NamedTuple):
    """All that decides about a coach's times at one revision; `written` is her settings as they are stored."""

    revision: int
    open: bool
    demo: bool
    settings: CoachSettings
    written: str
    portrait: str
    spans: list[SpanRow]
    held: list[HeldRow]


class Asker:
    """Asks on SQLite; each connection serves one caller at a time and is in no transaction between two.

    `unreadable` makes of the driver's error what is raised.
    """

    def __init__(self, path: str, seconds: float, unreadable: Callable[[sqlite3.Error], StoreUnreadable]) -> None:
        self._path, self._seconds, self._unreadable = path, seconds, unreadable
        self._idle: deque[sqlite3.Connection] = deque()

    def ask(self, *questions: Question) -> list[Rows]:
        """The answers to all questions at one moment. Raises StoreUnreadable."""
        conn = None
        try:
            conn = self._take()
            if len(questions) > 1:
                conn.execute("BEGIN")
            answers: list[Rows] = [conn.execute(sql, values).fetchall() for sql, *values in questions]
            if len(questions) > 1:
                conn.execute("COMMIT")
        except sqlite3.Error as error:
            if conn is not None:
                conn.close()
            raise self._unreadable(error) from error
        self._idle.append(conn)
        return answers

    def close(self) -> None:
        """Close what is idle."""
        while self._idle:
            self._idle.pop().close()

    def _take(self) -> sqlite3.Connection:
        try:
            return self._idle.pop()
        except IndexError:
            # Never a new, empty file where the database was.
            address = f"{Path(self._path).absolute().as_uri()}?mode=rw"
            conn = sqlite3.connect(address, self._seconds, isolation_level=None, check_same_thread=False, uri=True)
            conn.execute("PRAGMA query_only=ON")
            conn.execute(f"PRAGMA {CACHE}")
            return conn


def glance(ask: Ask, slug: str, now: int) -> Glance | None:
    """A coach at a glance."""
    (rows,) = ask((GLANCE, now, now, now, now, now, slug))
    return Glance(*rows[0]) if rows else None


def whole(ask: Ask, slug: str, ends_after: int, before: Whole | None = None) -> Whole | None:
    """All that decides about a coach's times, with what bookings that end after `ends_after` hold.

    Settings that are written as they were `before` are the same object again.
    """
    coaches, spans, bookings = ask((COACH, slug), (SPANS, slug), (HELD, slug, ends_after))
    if not coaches:
        return None
    revision, open_, demo, written, portrait = coaches[0]
    settings = before.settings if before and before.written == written else decode_settings(written)
    return Whole(
        revision,
        bool(open_),
        bool(demo),
        settings,
        written,
        portrait,
        [
            SpanRow(key, name, "open" if "open" in roles.split() else "busy", serves, Spans.unpack(packed))
            for key, name, roles, serves, packed in spans
        ],
        [_held(row) for row in sorted(bookings, key=itemgetter(1))],
    )


def _held(row: Sequence[Any]) -> HeldRow:
    found = HeldRow(*row)
    return found if row[-1] is None else found._replace(doubt=msgspec.msgpack.decode(row[-1], type=Doubt))
