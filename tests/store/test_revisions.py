"""The watch over revisions, which all tests stand under, notices what it should."""

from typing import Any

import pytest
from sqlalchemy import update

from microsite.store import Store
from microsite.store.bookings import Sealed
from microsite.store.tables import coach
from tests import revisions
from tests.store.conftest import booking


@pytest.mark.parametrize(
    "statement",
    [
        "INSERT INTO booking (id) VALUES (?)",
        "DELETE FROM booking WHERE booking.id = ?",
        "UPDATE booking SET state=?, version=? WHERE booking.id = ?",
        'UPDATE booking SET "end"=?, version=? WHERE booking.id = ?',
        "UPDATE booking SET pending_start=? WHERE booking.id = ?",
        "INSERT INTO calendar_span (calendar) VALUES (?)",
        "UPDATE coach SET settings=? WHERE coach.slug = ?",
    ],
)
def test_what_decides_about_times_is_known(statement: str) -> None:
    assert revisions.DECIDES.match(statement)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE booking SET record=? WHERE booking.id = ?",
        "UPDATE booking SET reminded_for=?, version=? WHERE booking.id = ?",
        "SELECT booking.state FROM booking",
        "INSERT INTO booking_archive (id) VALUES (?)",
    ],
)
def test_what_does_not_is_left_alone(statement: str) -> None:
    assert not revisions.DECIDES.match(statement)


def run(code: str, file: str, **names: Any) -> None:
    """Run this as that file would."""
    exec(compile(code, file, "exec"), names)


# Both by way of SQLAlchemy and past it, as a booking goes.
EXECUTED = (
    "tx.conn.execute(update(coach).where(coach.c.slug == 'sari').values(settings='{}'))",
    "tx.bookings.add(booking(), Sealed(None, None, None))",
)


@pytest.mark.parametrize("code", EXECUTED)
def test_a_change_of_ours_without_a_new_revision_is_not_committed(store: Store, code: str) -> None:
    ours = "/microsite/work/outside.py"
    names = {"update": update, "coach": coach, "booking": booking, "Sealed": Sealed}
    with pytest.raises(AssertionError, match="without a new revision"), store.write() as tx:
        run(code, ours, tx=tx, **names)
    with store.change("sari") as tx:
        run(code, ours, tx=tx, **names)
    with store.write() as tx:
        run(code, __file__, tx=tx, **names)
