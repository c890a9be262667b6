"""Coming to the newest shape: forward only, alone, all or nothing, with a copy first. On either database."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect
from sqlalchemy import text

from microsite.errors import StartRefused
from microsite.store import Store
from microsite.store.tables import metadata
from microsite.store.upgrade import MIGRATIONS
from microsite.store.upgrade import upgrade
from tests.postgres import wanted
from tests.store.conftest import NOW
from tests.store.conftest import booking
from tests.store.conftest import settings

NEXT = """
from alembic import op
import sqlalchemy as sa

revision, down_revision, branch_labels, depends_on = "next", {newest!r}, None, None


def upgrade():
    with op.batch_alter_table("coach", recreate="auto" if {postgres} else "always") as coach:
        coach.add_column(sa.Column("mood", sa.Text, nullable=False, server_default="fine"))
    {more}
"""


def head(store: Store) -> str | None:
    """The revision that the database has."""
    with store.engine.connect() as conn:
        return MigrationContext.configure(conn).get_current_revision()


def with_next(store: Store, folder: Path, more: str = "") -> Path:
    """Our migrations and one more."""
    copied = folder / "migrations"
    shutil.copytree(MIGRATIONS, copied, ignore=shutil.ignore_patterns("__pycache__"))
    script = NEXT.format(newest=head(store), postgres=wanted(), more=more)
    (copied / "versions" / "9999_next.py").write_text(script)
    return copied


def test_the_migrations_make_exactly_the_tables_of_the_code(store: Store) -> None:
    def ours(_object: Any, name: str | None, kind: str, _reflected: bool, _compare_to: Any) -> bool:
        return not (kind == "table" and str(name).startswith("procrastinate_"))

    with store.engine.connect() as conn:
        options = {"include_object": ours, "compare_type": True}
        assert compare_metadata(MigrationContext.configure(conn, opts=options), metadata) == []


def test_a_second_upgrade_has_nothing_to_do(empty: Store) -> None:
    assert empty.upgrade() is True
    assert empty.upgrade() is False


def test_two_who_upgrade_at_once_do_it_once(empty: Store) -> None:
    stores = [empty, Store(empty.url), Store(empty.url)]
    with ThreadPoolExecutor(3) as pool:
        list(pool.map(Store.upgrade, stores))

    with empty.read() as tx:
        assert tx.coaches.all() == []
    for other in stores[1:]:
        other.close()


def test_a_migration_that_rebuilds_a_table_keeps_what_hangs_on_it(store: Store, tmp_path: Path) -> None:
    """SQLite deletes the rows of a dropped table one by one, and with foreign keys on, whatever belongs to them."""
    new = booking()
    with store.change("sari") as tx:
        tx.bookings.add(new, store.sealed(b"record", None, None))

    assert upgrade(store, with_next(store, tmp_path)) is True

    assert "mood" in {column["name"] for column in inspect(store.engine).get_columns("coach")}
    with store.read() as tx:
        assert tx.bookings.get(new.id) == new
        if store.sqlite:
            assert tx.conn.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_links_and_jobs_of_before_0005_are_in_the_tables_that_it_makes_anew(empty: Store, tmp_path: Path) -> None:
    older = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, older, ignore=shutil.ignore_patterns("__pycache__", "0005*"))
    upgrade(empty, older)
    new = booking()
    with empty.write() as tx:
        tx.coaches.add("sari", settings(), demo=False, open_=True)
    with empty.change("sari") as tx:
        tx.bookings.add(new, empty.sealed(None, None, None))
        tx.links.add(b"image", "sari", new.id, "manage", NOW)
        tx.queue.put("book.check", new.id, NOW)

    assert empty.upgrade() is True

    with empty.write() as tx:
        assert tx.links.get(b"image", "manage", NOW - 1) is not None
        assert tx.queue.known("book.check", new.id) and tx.queue.due(NOW) == (1, NOW)
        tx.queue.put("book.check", new.id, NOW)
        assert tx.queue.counts() == (1, 0)
        tx.bookings.remove(new.id)
        assert tx.links.get(b"image", "manage", NOW - 1) is None
    assert {index["name"] for index in inspect(empty.engine).get_indexes("link")} == {"ix_link_booking"}
    assert {index["name"] for index in inspect(empty.engine).get_indexes("job")} == {"ix_job_run_at"}


def test_before_a_migration_an_sqlite_file_is_copied(store: Store, tmp_path: Path) -> None:
    old = head(store)
    upgrade(store, with_next(store, tmp_path))

    copies = list(tmp_path.glob("site-before-*.db"))
    assert len(copies) == (1 if store.sqlite else 0)
    for path in copies:
        assert path.stat().st_mode & 0o777 == 0o600
        copy = Store(f"sqlite:///{path}")
        assert (path.stem, head(copy)) == (f"site-before-{old}", old)
        with copy.read() as tx:
            assert tx.conn.execute(text("SELECT slug FROM coach")).scalar() == "sari"
        copy.close()


def test_a_new_database_is_not_copied(empty: Store, tmp_path: Path) -> None:
    empty.upgrade()

    assert not list(tmp_path.glob("*before*"))


def test_a_migration_that_fails_changes_nothing(store: Store, tmp_path: Path) -> None:
    old = head(store)
    with pytest.raises(ZeroDivisionError):
        upgrade(store, with_next(store, tmp_path, "op.drop_table('letter'); 1 / 0"))

    assert head(store) == old
    assert "letter" in inspect(store.engine).get_table_names()
    assert "mood" not in {column["name"] for column in inspect(store.engine).get_columns("coach")}
    assert store.upgrade() is False


def test_a_migration_that_would_leave_rows_without_their_coach_is_refused(store: Store, tmp_path: Path) -> None:
    with store.change("sari") as tx:
        tx.bookings.add(booking(), store.sealed(None, None, None))
    old = head(store)

    # PostgreSQL lets the bookings go with the coach: there the key is always on.
    if store.sqlite:
        with pytest.raises(StartRefused, match="rows of booking that belong to nothing"):
            upgrade(store, with_next(store, tmp_path, "op.execute('DELETE FROM coach')"))
        assert head(store) == old
    with store.read() as tx:
        assert len(tx.bookings.live("sari")) == 1


def test_a_database_of_a_newer_version_is_refused_and_left_alone(store: Store, tmp_path: Path) -> None:
    upgrade(store, with_next(store, tmp_path))

    with pytest.raises(StartRefused, match="newer version"):
        store.upgrade()

    assert head(store) == "next"
