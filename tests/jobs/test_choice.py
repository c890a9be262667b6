"""Which engine a site gets, by its settings; and that a site on SQLite loads nothing of the other."""

import subprocess
import sys
from pathlib import Path

import pytest

from microsite.config import load_config
from microsite.errors import SettingsError

SQLITE = ""
POSTGRES = '[database]\nurl = "postgresql://site@127.0.0.1:1/site"\n'


def settings(folder: Path, database: str, engine: str = "") -> None:
    """Write the operator's settings."""
    jobs = f'[jobs]\nengine = "{engine}"\n' if engine else ""
    (folder / "config.toml").write_text(f'[site]\naddress = "http://localhost:8001"\n{database}{jobs}')


@pytest.mark.parametrize(
    ("database", "engine", "chosen"),
    [
        (SQLITE, "", "outbox"),
        (SQLITE, "auto", "outbox"),
        (SQLITE, "outbox", "outbox"),
        (POSTGRES, "", "procrastinate"),
        (POSTGRES, "outbox", "outbox"),
        (POSTGRES, "procrastinate", "procrastinate"),
    ],
)
def test_the_engine_follows_the_database_unless_it_is_named(
    tmp_path: Path, database: str, engine: str, chosen: str
) -> None:
    settings(tmp_path, database, engine)

    assert load_config({}, tmp_path).jobs_engine == chosen


def test_the_environment_may_name_the_database(tmp_path: Path) -> None:
    url = "postgresql://site@127.0.0.1:1/site"

    config = load_config({"MICROSITE_DATABASE_URL": url}, tmp_path)

    assert config.database_url == "postgresql+psycopg://site@127.0.0.1:1/site"
    assert config.jobs_engine == "procrastinate"


@pytest.mark.parametrize("engine", ["procrastinate", "celery"])
def test_an_engine_that_cannot_be_is_named_with_what_is_allowed(tmp_path: Path, engine: str) -> None:
    settings(tmp_path, SQLITE, engine)

    with pytest.raises(SettingsError, match="outbox") as caught:
        load_config({}, tmp_path)

    assert caught.value.field == "jobs.engine"
    assert engine in caught.value.found


def test_a_site_on_sqlite_loads_neither_the_driver_nor_the_library_of_the_other(tmp_path: Path) -> None:
    program = (
        "import sys; from pathlib import Path\n"
        "from microsite.config import load_config; from microsite.services import build\n"
        "built = build(load_config({}, Path(sys.argv[1]))); built.store.upgrade(); built.close()\n"
        "print(sorted({'psycopg', 'psycopg_pool', 'procrastinate'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, timeout=60)

    assert (done.stderr, done.returncode, done.stdout) == ("", 0, "[]\n")
