"""The watch over revisions, which all tests stand under, notices what it should."""

from typing import Any

import pytest
from sqlalchemy import Executable
from sqlalchemy import update

from microsite.store import Store
from microsite.store.tables import coach
from microsite.store.tx import Tx
from tests import revisions


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


def outside(tx: Tx, statement: Executable) -> None:
    """Execute a statement as a module of ours would: compiled under a name that is not one of a test."""
    names: dict[str, Any] = {"tx": tx, "statement": statement}
    exec(compile("tx.conn.execute(statement)", "/microsite/work/outside.py", "exec"), names)


def test_a_change_of_ours_without_a_new_revision_is_not_committed(store: Store) -> None:
    statement = update(coach).where(coach.c.slug == "sari").values(settings="{}")
    with pytest.raises(AssertionError, match="without a new revision"), store.write() as tx:
        outside(tx, statement)
    with store.change("sari") as tx:
        outside(tx, statement)
    with store.write() as tx:
        tx.conn.execute(statement)
