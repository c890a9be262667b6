"""Bookings and their sealed parts. A change of state is always one guarded UPDATE."""

from collections.abc import Iterable
from collections.abc import Sequence
from typing import Any
from typing import NamedTuple

import msgspec
from sqlalchemy import Connection
from sqlalchemy import bindparam
from sqlalchemy import delete
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.core.changes import Doubt
from microsite.errors import NotFound

from .prepared import Prepared
from .tables import booking
from .tables import coach as coaches

_PLAIN = [booking.c[name] for name in Booking.__struct_fields__]
# Asked at every booking, so built once: building a statement costs more than asking it.
_SEALED_PARTS = ("record", "copy", "delivery")
_ADD = Prepared(insert(booking), *Booking.__struct_fields__, *_SEALED_PARTS)
_GET = Prepared(select(*_PLAIN).where(booking.c.id == bindparam("booking")))
_REF_TAKEN = Prepared(
    select(booking.c.id).where(booking.c.coach == bindparam("coach"), booking.c.ref == bindparam("ref"))
)
_BY_REF = Prepared(select(*_PLAIN).where(booking.c.coach == bindparam("coach"), booking.c.ref == bindparam("ref")))
_SEALED = Prepared(
    select(booking.c.record, booking.c.copy, booking.c.delivery).where(booking.c.id == bindparam("booking"))
)
_CHANGE = update(booking).where(booking.c.id == bindparam("which"), booking.c.version == bindparam("known"))
_OWN_UIDS = Prepared(select(booking.c.coach_uid).where(booking.c.coach == bindparam("of")))
_LIVE = (
    select(*_PLAIN)
    .where(booking.c.coach == bindparam("coach"), booking.c.state.in_(LIVE), booking.c.end > bindparam("after"))
    .order_by(booking.c.start)
)
_DOUBTS = select(booking.c.id, booking.c.doubt).where(
    booking.c.coach == bindparam("coach"), booking.c.doubt.is_not(None)
)


class Sealed(NamedTuple):
    """The sealed parts of a booking: the coach's record, the client's copy, the delivery envelope."""

    record: bytes | None
    copy: bytes | None
    delivery: bytes | None


class Bookings:
    """Answers questions about bookings inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def add(self, new: Booking, sealed: Sealed) -> None:
        """A new booking with its sealed parts."""
        _ADD.run(self._conn, **msgspec.structs.asdict(new), **sealed._asdict())

    def get(self, booking_id: str) -> Booking | None:
        """One booking."""
        return _first(_GET.rows(self._conn, booking=booking_id))

    def need(self, booking_id: str | None) -> Booking:
        """One booking that must be there; raises NotFound if it was erased or purged."""
        found = self.get(booking_id or "")
        if found is None:
            raise NotFound("no such booking")
        return found

    def by_ref(self, coach: str, ref: str) -> Booking | None:
        """The coach's booking of that reference. PostgreSQL refuses a zero byte, and no reference has one."""
        if not ref.isalnum():
            return None
        return _first(_BY_REF.rows(self._conn, coach=coach, ref=ref))

    def ref_taken(self, coach: str, ref: str) -> bool:
        """Whether one of the coach's bookings has that reference."""
        return bool(_REF_TAKEN.rows(self._conn, coach=coach, ref=ref))

    def sealed(self, booking_id: str) -> Sealed:
        """The sealed parts, as far as they still exist."""
        found = _SEALED.rows(self._conn, booking=booking_id)
        return Sealed(*found[0]) if found else Sealed(None, None, None)

    def change(self, known: Booking, **values: Any) -> Booking | None:
        """Change a booking if it is still as `known` was read; None where someone else was quicker."""
        under = {"which": known.id, "known": known.version, "version": known.version + 1}
        done = self._conn.execute(_CHANGE, values | under)
        if done.rowcount != 1:
            return None
        plain = {name: value for name, value in values.items() if name in Booking.__struct_fields__}
        return msgspec.structs.replace(known, **plain, version=known.version + 1)

    def doubts(self, coach: str) -> dict[str, Doubt]:
        """What was noted about the coach's bookings, by booking id."""
        rows = self._conn.execute(_DOUBTS, {"coach": coach})
        return {booking_id: msgspec.msgpack.decode(packed, type=Doubt) for booking_id, packed in rows}

    def set_doubt(self, booking_id: str, doubt: Doubt | None) -> None:
        """Note a doubt, or forget it."""
        packed = None if doubt is None else msgspec.msgpack.encode(doubt)
        self._conn.execute(update(booking).where(booking.c.id == booking_id).values(doubt=packed))

    def set_sealed(self, booking_id: str, **parts: bytes | None) -> None:
        """Replace sealed parts by name."""
        self._conn.execute(update(booking).where(booking.c.id == booking_id).values(**parts))

    def live(self, coach: str, ends_after: int = 0) -> list[Booking]:
        """The coach's bookings that hold their time, by start."""
        return _bookings(self._conn.execute(_LIVE, {"coach": coach, "after": ends_after}))

    def coming(self, coach: str, states: Iterable[str], ends_after: int) -> list[Booking]:
        """Bookings in these states that have not ended, by start."""
        rows = select(*_PLAIN).where(booking.c.coach == coach, booking.c.state.in_(states), booking.c.end > ends_after)
        return _bookings(self._conn.execute(rows.order_by(booking.c.start)))

    def own_uids(self, coach: str) -> frozenset[str]:
        """The UIDs of all events that we wrote for this coach and still remember."""
        return frozenset(uid for (uid,) in _OWN_UIDS.rows(self._conn, of=coach))

    def any_at(self, coach: str, calendar: str, href: str, states: Iterable[str]) -> bool:
        """Whether a booking of the coach in one of these states has its event at that address."""
        theirs = (booking.c.coach == coach) & booking.c.state.in_(states)  # there is an index for these two
        there = (booking.c.coach_calendar == calendar) & (booking.c.coach_href == href)
        return self._conn.execute(select(booking.c.id).where(theirs, there).limit(1)).first() is not None

    def in_states(self, states: Iterable[str]) -> list[Booking]:
        """Every coach's bookings in these states."""
        everybody = booking.c.coach.in_(select(coaches.c.slug))  # says nothing, but lets those in other states lie
        return _bookings(self._conn.execute(select(*_PLAIN).where(everybody, booking.c.state.in_(states))))

    def all(self) -> list[Booking]:
        """Every booking of every coach."""
        return _bookings(self._conn.execute(select(*_PLAIN)))

    def with_delivery(self) -> list[Booking]:
        """Every booking that still has a delivery envelope."""
        return _bookings(self._conn.execute(select(*_PLAIN).where(booking.c.delivery.is_not(None))))

    def stand_still(self, ahead: int) -> None:
        """Forget doubts and moves that were under way, and count the client's files on by so many (RFC 5545 3.8.7.4).

        For bookings that came out of a backup: files that were sent since carry higher numbers than are known here.
        """
        still = {"pending_start": None, "pending_end": None, "doubt": None}
        moved_on = {"client_seq": booking.c.client_seq + ahead, "version": booking.c.version + 1}
        self._conn.execute(update(booking).values(still | moved_on))

    def records(self, coach: str) -> list[tuple[Booking, bytes]]:
        """The coach's bookings that still have a sealed record, with it, by start."""
        rows = select(*_PLAIN, booking.c.record).where(booking.c.coach == coach, booking.c.record.is_not(None))
        return [(_booking(row[:-1]), bytes(row[-1])) for row in self._conn.execute(rows.order_by(booking.c.start))]

    def replace_record(self, booking_id: str, old: bytes, new: bytes | None) -> bool:
        """Put another sealed record, or none, in the place of the old one; False where that is no longer there."""
        same = update(booking).where(booking.c.id == booking_id, booking.c.record == old)
        return self._conn.execute(same.values(record=new)).rowcount == 1

    def due_for_purge(self, today: str) -> list[Booking]:
        """Bookings whose purge date has come."""
        return _bookings(self._conn.execute(select(*_PLAIN).where(booking.c.purge_on <= today)))

    def remove(self, booking_id: str) -> None:
        """Delete the row with everything that hangs on it."""
        self._conn.execute(delete(booking).where(booking.c.id == booking_id))

    def count(self, coach: str) -> int:
        """How many bookings are held for a coach."""
        return self._conn.scalar(select(func.count()).where(booking.c.coach == coach)) or 0


def _booking(row: Sequence[Any]) -> Booking:
    values = dict(zip(Booking.__struct_fields__, row, strict=True))
    values["discreet"] = bool(values["discreet"])  # SQLite's driver knows numbers only
    return Booking(**values)


def _first(rows: Sequence[Sequence[Any]]) -> Booking | None:
    return _booking(rows[0]) if rows else None


def _bookings(rows: Iterable[Sequence[Any]]) -> list[Booking]:
    return [_booking(row) for row in rows]
