"""Statements that are handed to the driver as text: the same answers and the same errors, on either database."""

import pytest
from sqlalchemy import bindparam
from sqlalchemy import insert
from sqlalchemy import select
from sqlalchemy import update
from sqlalchemy.exc import IntegrityError

from microsite.store import Store
from microsite.store.prepared import Prepared
from microsite.store.tables import happening
from microsite.store.tables import link
from tests.store.conftest import NOW

NOTED = Prepared(insert(happening), "coach", "ref", "at", "what")
AT = Prepared(select(happening.c.ref, happening.c.at).where(happening.c.at > bindparam("since")))
LATER = Prepared(update(happening).where(happening.c.what == bindparam("word")).values(at=happening.c.at + 60))


def test_values_are_taken_by_their_names_and_those_of_the_statement_stay(store: Store) -> None:
    with store.write() as tx:
        for ref in ("abcd", "efgh"):
            NOTED.run(tx.conn, what="held", at=NOW, ref=ref, coach="sari")
        assert LATER.run(tx.conn, word="held") == 2
        assert LATER.run(tx.conn, word="moved") == 0
        assert [tuple(row) for row in AT.rows(tx.conn, since=NOW)] == [("abcd", NOW + 60), ("efgh", NOW + 60)]
        assert not AT.rows(tx.conn, since=NOW + 60)


def test_a_row_that_may_not_be_is_the_error_of_sqlalchemy_and_names_no_value(store: Store) -> None:
    with pytest.raises(IntegrityError) as caught, store.write() as tx:
        tx.links.add(b"image", "of-a-stranger", None, "manage", NOW)
    if store.sqlite:  # PostgreSQL's own sentence names the key that is missing
        assert "of-a-stranger" not in f"{caught.value} {caught.value.__cause__}"

    with store.read() as tx:
        assert not tx.conn.execute(select(link)).all()
