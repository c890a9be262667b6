"""procrastinate's own tables beside ours; collected only where the stores stand on PostgreSQL."""

from importlib import resources
from pathlib import Path

from sqlalchemy import inspect
from sqlalchemy import text

from microsite.store import Store
from microsite.store.upgrade import upgrade_queue


def test_the_queue_has_its_tables_and_our_index(store: Store) -> None:
    tables = set(inspect(store.engine).get_table_names())

    assert {"procrastinate_jobs", "procrastinate_workers", "procrastinate_events"} <= tables
    indexes = {index["name"] for index in inspect(store.engine).get_indexes("procrastinate_jobs")}
    assert "ix_microsite_given_up" in indexes


def test_a_newer_version_of_the_library_brings_only_what_is_new(store: Store, tmp_path: Path) -> None:
    for script in resources.files("procrastinate.sql.migrations").iterdir():
        if script.name.endswith(".sql"):
            (tmp_path / script.name).write_text("SELECT 'run again' / 0")
    more = "CREATE TABLE procrastinate_more (id int); COMMENT ON TABLE procrastinate_more IS '100 %s';"
    (tmp_path / "99.00.00_01_pre_more.sql").write_text(more)

    assert upgrade_queue(store, tmp_path) is True
    assert upgrade_queue(store, tmp_path) is False

    with store.read() as tx:
        assert tx.conn.scalar(text("SELECT obj_description('procrastinate_more'::regclass)")) == "100 %s"
