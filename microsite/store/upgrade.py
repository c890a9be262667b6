"""Brings a database to the newest shape, forward only; a copy of an SQLite file is made before it is changed."""

from pathlib import Path
from typing import TYPE_CHECKING

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import make_url

if TYPE_CHECKING:
    from .engine import Store


MIGRATIONS = Path(__file__).with_name("migrations")


def upgrade(store: "Store") -> bool:
    """Migrate to the newest revision; True where something had to be done."""
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    newest = ScriptDirectory.from_config(config).get_current_head()
    with store.engine.connect() as conn:
        current = MigrationContext.configure(conn).get_current_revision()
    if current == newest:
        return False
    if current is not None and store.sqlite:
        _copy(store, current)
    with store.engine.begin() as conn:
        config.attributes["connection"] = conn
        command.upgrade(config, "head")
    return True


def _copy(store: "Store", revision: str) -> None:
    """A consistent copy beside the file, named after the revision it still has."""
    path = Path(make_url(store.url).database or "")
    target = path.with_name(f"{path.stem}-before-{revision}{path.suffix}")
    target.unlink(missing_ok=True)
    with store.engine.connect() as conn:
        raw = conn.connection.driver_connection
        assert raw is not None  # noqa: S101 - a checked-out connection always has its driver connection
        raw.execute("VACUUM INTO ?", (str(target),))
    target.chmod(0o600)
