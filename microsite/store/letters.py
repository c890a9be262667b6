"""Letters: what was or will be told, with no address and no text. They are rendered when they are sent."""

from typing import Any
from typing import NamedTuple

from sqlalchemy import ColumnElement
from sqlalchemy import Connection
from sqlalchemy import and_
from sqlalchemy import bindparam
from sqlalchemy import func
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update

from .tables import letter

QUEUED = "queued"
SENT = "sent"
REFUSED = "refused"
DROPPED = "dropped"
"""Not sent on purpose: nobody to send it to (any more)."""


# Asked at every booking, so built once: building a statement costs more than asking it.
_OF = select(letter).where(letter.c.booking == bindparam("of")).order_by(letter.c.number)
_LAST = select(func.max(letter.c.number))
_ADD = insert(letter)


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


class Letters:
    """Answers questions about letters inside one transaction."""

    def __init__(self, conn: Connection) -> None:
        self._conn = conn

    def add(self, letter_id: str, coach: str, booking: str | None, **values: Any) -> LetterRow:
        """A new letter; it gets the next number of all. `values` are the other fields of LetterRow."""
        number = (self._conn.scalar(_LAST) or 0) + 1
        row = LetterRow(id=letter_id, coach=coach, booking=booking, number=number, state=QUEUED, **values)
        self._conn.execute(_ADD, row._asdict())
        return row

    def get(self, letter_id: str) -> LetterRow | None:
        """One letter."""
        row = self._conn.execute(select(letter).where(letter.c.id == letter_id)).first()
        return LetterRow(*row) if row else None

    def queued_before(self, row: LetterRow) -> bool:
        """Whether an earlier letter to the same person about the same booking still waits."""
        earlier = select(letter.c.id).where(_same_reader(row), letter.c.number < row.number, letter.c.state == QUEUED)
        return self._conn.execute(earlier.limit(1)).first() is not None

    def queued_after(self, row: LetterRow) -> str | None:
        """The id of the next letter to the same person about the same booking that waits."""
        later = select(letter.c.id).where(_same_reader(row), letter.c.number > row.number, letter.c.state == QUEUED)
        found: str | None = self._conn.scalar(later.order_by(letter.c.number).limit(1))
        return found

    def waiting(self, booking: str, recipient: str) -> bool:
        """Whether any letter to that person about that booking still waits."""
        same = (letter.c.booking == booking) & (letter.c.recipient == recipient)
        return (
            self._conn.execute(select(letter.c.id).where(same, letter.c.state == QUEUED).limit(1)).first() is not None
        )

    def of(self, booking: str) -> list[LetterRow]:
        """All letters about a booking, in order."""
        rows = self._conn.execute(_OF, {"of": booking})
        return [LetterRow(*row) for row in rows]

    def set_state(self, letter_id: str, state: str) -> bool:
        """Move a queued letter on; False where it no longer waits."""
        moved = update(letter).where(letter.c.id == letter_id, letter.c.state == QUEUED).values(state=state)
        return self._conn.execute(moved).rowcount == 1

    def drop_queued(self) -> int:
        """Let no letter that waits be sent; answers how many there were."""
        return self._conn.execute(update(letter).where(letter.c.state == QUEUED).values(state=DROPPED)).rowcount

    def all_queued(self) -> list[str]:
        """Ids of every letter that waits."""
        return list(self._conn.scalars(select(letter.c.id).where(letter.c.state == QUEUED).order_by(letter.c.number)))


def _same_reader(row: LetterRow) -> ColumnElement[bool]:
    # The coach is part of it: letters of no booking would else wait for another coach's mailbox.
    same: ColumnElement[bool] = and_(
        letter.c.coach == row.coach, letter.c.booking == row.booking, letter.c.recipient == row.recipient
    )
    return same
