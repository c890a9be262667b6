"""The coach's calendars as they were last read: accounts, sync state, resources, merged spans. Never a title."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple
from urllib.parse import urlsplit
from zlib import crc32

import msgspec
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import or_
from sqlalchemy import select
from sqlalchemy import update

from microsite.core.mirror import Reading
from microsite.core.mirror import Seen
from microsite.core.spans import Spans

from .tables import calendar
from .tables import calendar_span
from .tables import resource

PARTS = 256
"""Coaches are dealt out to so many parts, for work that several machines share."""
CLOCK_SLACK = 60
"""Seconds by which the clocks of two machines may differ."""


SPANS_OF = (
    select(calendar.c.id, calendar.c.name, calendar.c.roles, calendar_span.c.serves, calendar_span.c.spans)
    .join(calendar_span, calendar_span.c.calendar == calendar.c.id)
    .where(calendar.c.coach == bindparam("coach"))
)
CALENDARS_OF = select(calendar).where(calendar.c.coach == bindparam("coach"))
_GET = select(calendar).where(calendar.c.id == bindparam("which"))
_SET_STATE = update(calendar).where(calendar.c.id == bindparam("which"), calendar.c.version == bindparam("known"))
_ETAGS = select(resource.c.href, resource.c.etag).where(resource.c.calendar == bindparam("which"))
_SPANS_IN = select(resource.c.serves, resource.c.spans).where(resource.c.calendar == bindparam("which"))
_FORGET_SPANS = delete(calendar_span).where(calendar_span.c.calendar == bindparam("which"))
_ADD_SPANS = insert(calendar_span)
"""Asked at every booking, so built once: building a statement costs more than asking it."""


def part_of(coach: str) -> int:
    """The part that a coach belongs to, on every machine and for ever: it lies in the database."""
    return crc32(coach.encode()) % PARTS


class CalendarRow(NamedTuple):
    """One calendar of a coach. `roles` is a set of busy, open, bookings, feed; times are UTC seconds."""

    id: str
    coach: str
    url: str
    name: str
    roles: frozenset[str]
    username: str
    secret: bytes | None
    profile: str
    state: str
    sync_token: str
    ctag: str
    version: int
    last_ok_at: int
    last_full_at: int
    window_end: int
    next_poll_at: int
    interval: int
    backoff_until: int
    first_failed_at: int
    failures: int
    problem: str
    part: int

    @property
    def kind(self) -> str:
        """Whether its events open time or block it."""
        return "open" if "open" in self.roles else "busy"


class SpanRow(NamedTuple):
    """The merged spans of one calendar, for all offers (`serves` empty) or for one."""

    calendar: str
    name: str
    kind: str
    serves: str
    spans: Spans


class Mirror:
    """Answers questions about calendars inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def add_calendar(
        self, calendar_id: str, coach: str, url: str, name: str, roles: Iterable[str], **more: Any
    ) -> None:
        """A new calendar. `more`: username, secret (sealed), profile."""
        values = {"id": calendar_id, "coach": coach, "url": url, "name": name, "roles": " ".join(sorted(roles))}
        self._conn.execute(insert(calendar).values(part=part_of(coach), **values, **more))

    def calendars(self, coach: str) -> list[CalendarRow]:
        """A coach's calendars."""
        return [_calendar(row) for row in self._conn.execute(CALENDARS_OF, {"coach": coach})]

    def get(self, calendar_id: str) -> CalendarRow | None:
        """One calendar."""
        row = self._conn.execute(_GET, {"which": calendar_id}).first()
        return _calendar(row) if row else None

    def count(self) -> int:
        """How many calendars all coaches have together."""
        return self._conn.execute(select(func.count()).select_from(calendar)).scalar_one()

    def at_url(self, url: str) -> list[CalendarRow]:
        """The calendars at that address (the embedded server names collections by path)."""
        return [_calendar(row) for row in self._conn.execute(select(calendar).where(calendar.c.url == url))]

    def at_host(self, host: str) -> list[CalendarRow]:
        """The calendars, of any coach, that live on this host."""
        near = calendar.c.url.contains(f"://{host}", autoescape=True)
        rows = [_calendar(row) for row in self._conn.execute(select(calendar).where(near))]
        return [row for row in rows if urlsplit(row.url).hostname == host]

    def failing(self, times: int) -> list[CalendarRow]:
        """The calendars that failed so often in a row, of any coach."""
        return [_calendar(row) for row in self._conn.execute(select(calendar).where(calendar.c.failures >= times))]

    def due(self, now: int, parts: range = range(PARTS), most: int | None = None) -> list[CalendarRow]:
        """The calendars whose turn it is to be polled, and those whose turn was set by a clock that was wrong.

        Of the coaches in `parts` (see `part_of`); up to `most`.
        """
        turn = or_(
            and_(calendar.c.next_poll_at <= now, calendar.c.backoff_until <= now),
            calendar.c.last_ok_at > now + CLOCK_SLACK,
            calendar.c.first_failed_at > now + CLOCK_SLACK,
        )
        mine = calendar.c.part.between(parts.start, parts.stop - 1)
        return [_calendar(row) for row in self._conn.execute(select(calendar).where(mine, turn).limit(most))]

    def set_state(self, known: CalendarRow, **values: Any) -> bool:
        """Change a calendar if nobody else synced it since it was read."""
        values |= {"version": known.version + 1, "which": known.id, "known": known.version}
        return self._conn.execute(_SET_STATE, values).rowcount == 1

    def touch(self, calendar_id: str, **values: Any) -> None:
        """Change a calendar's schedule, whoever else is at it."""
        self._conn.execute(update(calendar).where(calendar.c.id == calendar_id).values(**values))

    def etags(self, calendar_id: str) -> dict[str, str]:
        """href to etag of all that is known."""
        rows = self._conn.execute(_ETAGS, {"which": calendar_id})
        return {href: etag for href, etag in rows}

    def read_anew(self, calendar_id: str, window_end: int) -> None:
        """Let the next sync read every object again, for a window up to `window_end`; until then the spans stay."""
        self._conn.execute(update(resource).where(resource.c.calendar == calendar_id).values(etag=""))
        # The version: a sync that is under way knows the old etags and must not store its token over this.
        self.touch(
            calendar_id, window_end=window_end, state="NEW", sync_token="", ctag="", version=calendar.c.version + 1
        )

    def forget(self, calendar_id: str) -> None:
        """Drop all that was read of a calendar; until it is read anew nothing is known of it."""
        for table in (resource, calendar_span):
            self._conn.execute(delete(table).where(table.c.calendar == calendar_id))
        self.touch(calendar_id, state="NEW", sync_token="", ctag="", last_ok_at=0, version=calendar.c.version + 1)

    def remove(self, calendar_id: str) -> None:
        """Forget a calendar itself, with its sealed password and all that was read of it."""
        self._conn.execute(delete(calendar).where(calendar.c.id == calendar_id))

    def forget_all(self) -> None:
        """Believe nothing that is known of any calendar until it is read anew; no time is offered before."""
        self._conn.execute(update(resource).values(etag=""))
        unread = {"window_end": 0, "state": "NEW", "sync_token": "", "ctag": "", "last_ok_at": 0, "last_full_at": 0}
        calm = {
            "next_poll_at": 0,
            "interval": 0,
            "backoff_until": 0,
            "first_failed_at": 0,
            "failures": 0,
            "problem": "",
        }
        self._conn.execute(update(calendar).values(**unread, **calm, version=calendar.c.version + 1))

    def secrets(self) -> list[tuple[str, bytes]]:
        """(calendar id, sealed secret) of every calendar that has one."""
        rows = self._conn.execute(select(calendar.c.id, calendar.c.secret).where(calendar.c.secret.is_not(None)))
        return [(key, secret) for key, secret in rows]

    def put_readings(self, calendar_id: str, readings: Sequence[Reading]) -> None:
        """Store readings over what was known at their hrefs."""
        self.drop_resources(calendar_id, [reading.href for reading in readings])
        if readings:
            self._conn.execute(insert(resource), [_resource(calendar_id, reading) for reading in readings])

    def drop_resources(self, calendar_id: str, hrefs: Sequence[str]) -> None:
        """Forget what is gone."""
        for at in range(0, len(hrefs), 500):
            gone = resource.c.href.in_(hrefs[at : at + 500])
            self._conn.execute(delete(resource).where(resource.c.calendar == calendar_id, gone))

    def merge(self, calendar_id: str) -> None:
        """Recompute the merged spans of one calendar from its resources."""
        rows = self._conn.execute(_SPANS_IN, {"which": calendar_id})
        by_offer: dict[str, list[tuple[int, int]]] = {}
        for serves, packed in rows:
            by_offer.setdefault(serves, []).extend(Spans.unpack(packed))
        self._conn.execute(_FORGET_SPANS, {"which": calendar_id})
        for serves, spans in by_offer.items():
            packed = Spans.of(spans).pack()
            self._conn.execute(_ADD_SPANS, {"calendar": calendar_id, "serves": serves, "spans": packed})

    def spans(self, coach: str) -> list[SpanRow]:
        """All merged spans of a coach."""
        return [
            SpanRow(key, name, "open" if "open" in roles.split() else "busy", serves, Spans.unpack(packed))
            for key, name, roles, serves, packed in self._conn.execute(SPANS_OF, {"coach": coach})
        ]

    def seen(self, coach: str) -> list[Seen]:
        """Our own events as they were last seen, in any of the coach's calendars."""
        rows = (
            select(resource.c.calendar, resource.c.seen)
            .join(calendar, calendar.c.id == resource.c.calendar)
            .where(calendar.c.coach == coach, resource.c.seen.is_not(None))
        )
        return [
            msgspec.structs.replace(msgspec.msgpack.decode(packed, type=Seen), calendar=calendar_id)
            for calendar_id, packed in self._conn.execute(rows)
        ]

    def warnings(self, coach: str) -> list[tuple[str, str, str]]:
        """(calendar name, href, warning code) of everything that needs the coach's eye."""
        rows = (
            select(calendar.c.name, resource.c.href, resource.c.warning)
            .join(calendar, calendar.c.id == resource.c.calendar)
            .where(calendar.c.coach == coach, resource.c.warning != "")
        )
        return [(name, href, warning) for name, href, warning in self._conn.execute(rows)]

    def odd(self, calendar_id: str) -> list[tuple[str, Spans]]:
        """(warning code, spans) of what needs the coach's eye in one calendar."""
        of_this = resource.c.calendar == calendar_id
        rows = select(resource.c.warning, resource.c.spans).where(of_this, resource.c.warning != "")
        return [(warning, Spans.unpack(packed)) for warning, packed in self._conn.execute(rows)]


def _calendar(row: Sequence[Any]) -> CalendarRow:
    found = CalendarRow(*row)
    return found._replace(roles=frozenset(str(row[4]).split()))


def _resource(calendar_id: str, reading: Reading) -> dict[str, Any]:
    return {
        "calendar": calendar_id,
        "href": reading.href,
        "etag": reading.etag,
        "uid": reading.uid,
        "serves": reading.serves,
        "spans": reading.spans,
        "warning": reading.warning,
        "seen": None if reading.seen is None else msgspec.msgpack.encode(reading.seen),
    }
