"""A run about PostgreSQL is one: nothing in it opens an SQLite file, and whoever does fails."""

import os
import subprocess
import sys
from pathlib import Path

from tests import postgres
from tests.about_sqlite import ABOUT_SQLITE
from tests.about_sqlite import stale
from tests.cli.conftest import Shell
from tests.conftest import ROOT
from tests.conftest import House
from tests.conftest import Site
from tests.postgres import wanted
from tests.web.conftest import Pages


def kind(house: House | Pages) -> str:
    """What the house's own store says that it stands on."""
    with house.services.store.read() as tx:
        if house.services.store.sqlite:
            return str(tx.conn.exec_driver_sql("SELECT 'SQLite ' || sqlite_version()").scalar())
        return str(tx.conn.exec_driver_sql("SELECT version()").scalar())


EXPECTED, ENGINE = ("PostgreSQL", "Procrastinate") if wanted() else ("SQLite", "Outbox")


def test_the_house_and_the_pages_stand_on_the_database_that_the_run_is_about(house: House, tmp_path: Path) -> None:
    pages = Pages(tmp_path / "pages")
    assert kind(house).startswith(EXPECTED) and kind(pages).startswith(EXPECTED)
    assert type(house.services.jobs).__name__ == type(pages.services.jobs).__name__ == ENGINE
    pages.close()


def test_a_running_site_and_a_shell_write_into_that_database(site: Site, tmp_path: Path) -> None:
    shell = Shell(tmp_path / "instance")
    shell.run("prepare")
    for instance in (site.instance, shell.instance):
        assert (instance / "WELCOME.txt").exists()
        assert bool(postgres.files_of_sqlite(instance)) is not wanted()


def test_the_list_of_what_is_left_out_names_tests_that_are_there() -> None:
    assert stale() == []
    assert all(ABOUT_SQLITE.values())


THREE = """
import sqlite3, subprocess, sys

def test_opens_one_here(tmp_path):
    sqlite3.connect(":memory:").close()

def test_opens_none(tmp_path):
    pass

def test_starts_a_process_that_makes_one(tmp_path):
    program = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('create table a (b)')"
    subprocess.run([sys.executable, "-c", program, str(tmp_path / "site.db")], check=True)
"""


def test_in_a_run_about_postgres_a_test_that_uses_sqlite_fails(tmp_path: Path) -> None:
    """pytest in a process of its own, on tests that do what none may."""
    (tmp_path / "test_three.py").write_text(THREE)
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "--rootdir", str(tmp_path), str(tmp_path), "-rA"]
    environ = {**os.environ, "MICROSITE_TEST_DATABASE": "postgres", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(command, cwd=tmp_path, env=environ, capture_output=True, text=True, timeout=120)

    said = done.stdout
    assert "ERROR test_three.py::test_opens_one_here" in said, said + done.stderr
    assert "ERROR test_three.py::test_starts_a_process_that_makes_one" in said
    assert "ERROR test_three.py::test_opens_none" not in said
    assert said.count("this test used SQLite") >= 2
