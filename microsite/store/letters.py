"""Letters: what was or will be told, with no address and no text. They are rendered when they are sent."""

from typing import Any
from typing import NamedTuple

from sqlalchemy import BindParameter
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from .prepared import Prepared
from .tables import letter

QUEUED = "queued"
SENT = "sent"
REFUSED = "refused"
DROPPED = "dropped"
"""Not sent on purpose: nobody to send it to (any more)."""


# Asked at every booking, so built once: building a statement costs more than asking it.
_GET = Prepared(select(letter).where(letter.c.id == bindparam("which")))
_OF = Prepared(select(letter).where(letter.c.booking == bindparam("of")).order_by(letter.c.number))
_LAST = Prepared(select(func.max(letter.c.number)))
_MOVE_ON = Prepared(update(letter).where(letter.c.id == bindparam("which"), letter.c.state == QUEUED), "state")


class LetterRow(NamedTuple):
    """One letter. `start`, `end`, `seq`, `dtstamp` are what it says, frozen when it was decided."""

    id: str
    coach: str
    booking: str | None
    number: int
    kind: str
    recipient: str
    message_id: str
    seq: int
    dtstamp: int
    start: int
    end: int
    old_start: int
    state: str


# The coach is part of the reader: letters of no booking would else wait for another coach's mailbox.
_NUMBER: BindParameter[int] = bindparam("number")
_WAITS = and_(letter.c.coach == bindparam("of"), letter.c.recipient == bindparam("recipient"), letter.c.state == QUEUED)
_SAME = {False: letter.c.booking == bindparam("about"), True: letter.c.booking.is_(None)}
"""By whether a letter is of no booking."""
_WAITING = {of_none: select(letter.c.id).where(_WAITS, same).limit(1) for of_none, same in _SAME.items()}
_BEFORE = {of_none: Prepared(waiting.where(letter.c.number < _NUMBER)) for of_none, waiting in _WAITING.items()}
_AFTER = {
    of_none: Prepared(waiting.where(letter.c.number > _NUMBER).order_by(letter.c.number))
    for of_none, waiting in _WAITING.items()
}
_ADD = Prepared(insert(letter), *LetterRow._fields)


class Letters:
    """Answers questions about letters inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def add(self, letter_id: str, coach: str, booking: str | None, **values: Any) -> LetterRow:
        """A new letter; it gets the next number of all. `values` are the other fields of LetterRow."""
        ((last,),) = _LAST.rows(self._conn)
        number = (last or 0) + 1
        row = LetterRow(id=letter_id, coach=coach, booking=booking, number=number, state=QUEUED, **values)
        _ADD.run(self._conn, **row._asdict())
        return row

    def get(self, letter_id: str) -> LetterRow | None:
        """One letter."""
        found = _GET.rows(self._conn, which=letter_id)
        return LetterRow(*found[0]) if found else None

    def queued_before(self, row: LetterRow) -> bool:
        """Whether an earlier letter to the same person about the same booking still waits."""
        return bool(_BEFORE[row.booking is None].rows(self._conn, **_reader(row), number=row.number))

    def queued_after(self, row: LetterRow) -> str | None:
        """The id of the next letter to the same person about the same booking that waits."""
        found = _AFTER[row.booking is None].rows(self._conn, **_reader(row), number=row.number)
        return str(found[0][0]) if found else None

    def waiting(self, booking: str, recipient: str) -> bool:
        """Whether any letter to that person about that booking still waits."""
        same = (letter.c.booking == booking) & (letter.c.recipient == recipient)
        return (
            self._conn.execute(select(letter.c.id).where(same, letter.c.state == QUEUED).limit(1)).first() is not None
        )

    def of(self, booking: str) -> list[LetterRow]:
        """All letters about a booking, in order."""
        return [LetterRow(*row) for row in _OF.rows(self._conn, of=booking)]

    def set_state(self, letter_id: str, state: str) -> bool:
        """Move a queued letter on; False where it no longer waits."""
        return _MOVE_ON.run(self._conn, which=letter_id, state=state) == 1

    def drop_queued(self) -> int:
        """Let no letter that waits be sent; answers how many there were."""
        return self._conn.execute(update(letter).where(letter.c.state == QUEUED).values(state=DROPPED)).rowcount

    def all_queued(self) -> list[str]:
        """Ids of every letter that waits."""
        return list(self._conn.scalars(select(letter.c.id).where(letter.c.state == QUEUED).order_by(letter.c.number)))


def _reader(row: LetterRow) -> dict[str, str]:
    """To whom, and about what, as the statements above want it."""
    same = {"of": row.coach, "recipient": row.recipient}
    return same if row.booking is None else {**same, "about": row.booking}
