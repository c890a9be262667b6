"""Files of the instance that are broken: named with what to do, at the start, by `doctor`, and under a running site."""

import os
import shutil
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner

from microsite.cli import main
from tests.conftest import House
from tests.conftest import Site
from tests.conftest import free_port
from tests.flow.backstage import backstage
from tests.flow.visitor import TYPED
from tests.flow.visitor import Visitor
from tests.flow.visitor import slots_from
from tests.flow.visitor import wait_like_a_person
from tests.postgres import copy_database
from tests.postgres import database_of

from .operator import told

OFFER = "/sari/sesi/"
GARBAGE = bytes(range(128, 256)) * 64


def shorten(path: Path) -> None:
    """Cut the file in half."""
    os.truncate(path, path.stat().st_size // 2)


def garble(path: Path) -> None:
    """Other bytes instead."""
    path.write_bytes(GARBAGE)


def overwrite_the_middle(path: Path) -> None:
    """As a disk that has lost some blocks."""
    with path.open("r+b") as file:
        for page in range(2, path.stat().st_size // 4096 - 1):
            file.seek(page * 4096)
            file.write(os.urandom(4096))
    for rest in path.parent.glob("site.db-*"):
        rest.unlink()


def become_a_folder(path: Path) -> None:
    """As a container makes one for a file that was not there."""
    path.unlink(missing_ok=True)
    path.mkdir()


def become_a_file(path: Path) -> None:
    """The other way round."""
    shutil.rmtree(path)
    path.touch()


@pytest.fixture(name="made", scope="module")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An instance with the demo in it."""
    house = House(tmp_path_factory.mktemp("made") / "instance")
    house.close()
    return house.instance


DAMAGE = {
    "settings that are no text": ("config.toml", garble, "not TOML"),
    "a folder for settings": ("config.toml", become_a_folder, "a folder is where a file belongs; move it away"),
    "a server key cut short": ("server.key", shorten, "is damaged"),
    "a server key of other bytes": ("server.key", garble, "is not text; restore it"),
    "a folder for the server key": ("server.key", become_a_folder, "a folder is where a file belongs"),
    "a file for the day keys": ("day-keys", become_a_file, "move"),
    "a file for the letters": ("mail", become_a_file, "a file is where a folder belongs"),
    "a file for the calendars": ("dav", become_a_file, "a file is where a folder belongs"),
    "calendar passwords of other bytes": ("dav.htpasswd", garble, "is damaged; move it away"),
    "calendar passwords cut short": ("dav.htpasswd", shorten, "is damaged; move it away"),
}
DAMAGE_ABOUT_SQLITE = {
    "a database with lost blocks": ("site.db", overwrite_the_middle, "the file is damaged; stop the site"),
    "a database of other bytes": ("site.db", garble, "the file is damaged; stop the site"),
    "a folder for the database": ("site.db", become_a_folder, "a folder is where a file belongs"),
    "a folder for the lock": ("jobs.lock", become_a_folder, "a folder is where a file belongs"),
}


@pytest.mark.parametrize("case", DAMAGE)
@pytest.mark.parametrize("command", ["prepare", "doctor"])
def test_a_broken_file_is_named_with_what_to_do(made: Path, tmp_path: Path, case: str, command: str) -> None:
    """`prepare` is what `serve` runs first."""
    break_and_look(made, tmp_path / "instance", command, *DAMAGE[case])


@pytest.mark.parametrize("case", DAMAGE_ABOUT_SQLITE)
@pytest.mark.parametrize("command", ["prepare", "doctor"])
def test_a_broken_file_of_sqlite_or_its_queue_is_named_too(made: Path, tmp_path: Path, case: str, command: str) -> None:
    break_and_look(made, tmp_path / "instance", command, *DAMAGE_ABOUT_SQLITE[case])


def copied(made: Path, instance: Path) -> Path:
    """An instance of the test's own, with its database wherever that is."""
    shutil.copytree(made, instance)
    copy_database(made, instance)
    return instance


def break_and_look(
    made: Path, instance: Path, command: str, name: str, damage: Callable[[Path], None], sentence: str
) -> None:
    """One file is broken: the command says one line, which names it and what to do."""
    copied(made, instance)
    (instance / "jobs.lock").touch(mode=0o600)
    damage(instance / name)

    environ = {"MICROSITE_INSTANCE": str(instance), **database_of(instance)}
    done = CliRunner().invoke(main, [command], env=environ)

    assert done.exit_code == 1
    assert done.exception is None or isinstance(done.exception, SystemExit)
    assert f"{instance / name}" in done.output
    assert sentence in done.output
    assert len(done.output.strip().splitlines()) == 1


def test_garbage_in_the_lock_or_the_welcome_keeps_nothing_from_starting(made: Path, tmp_path: Path) -> None:
    instance = copied(made, tmp_path / "instance")
    for name in ("jobs.lock", "WELCOME.txt", "last-purge"):
        (instance / name).write_bytes(GARBAGE)
        (instance / name).chmod(0o600)
    site = Site(instance, free_port()).start()
    visitor = Visitor(site.base)
    visitor.book(OFFER, slots_from(visitor, OFFER, 3)[0])

    visitor.wait_for("confirmed")
    assert told(site, "doctor").wrong == []
    site.stop()


def test_a_database_that_was_emptied_is_told_of(tmp_path: Path) -> None:
    """A new, empty one would be served without a word otherwise."""
    instance = tmp_path / "instance"
    instance.mkdir(mode=0o700)
    (instance / "config.toml").write_text('[site]\naddress = "https://book.example"\n')
    (instance / "config.toml").chmod(0o600)
    environ = {"MICROSITE_INSTANCE": str(instance)}
    assert CliRunner().invoke(main, ["prepare"], env=environ).exit_code == 0

    done = CliRunner().invoke(main, ["doctor"], env=environ)

    assert done.exit_code == 1
    assert f"WRONG {instance / 'site.db'} holds no coach" in done.output


@pytest.fixture(name="running")
def _running(tmp_path: Path) -> Iterator[Site]:
    """A site of the test's own."""
    site = Site(tmp_path / "instance", free_port()).start()
    yield site
    site.stop()


def key_of(site: Site, slot: str) -> Path:
    """The file of the day key of a session that starts then."""
    return site.instance / "day-keys" / f"{slot[:4]}-{slot[4:6]}-{slot[6:8]}"


def test_files_that_break_under_the_site_cost_no_visitor_anything(running: Site) -> None:
    """Settings and the server key are in memory: they are missed only at the next start."""
    for name, damage in (("config.toml", garble), ("server.key", shorten), ("jobs.lock", garble)):
        damage(running.instance / name)
    visitor = Visitor(running.base)
    slots = slots_from(visitor, OFFER, 3)
    visitor.book(OFFER, slots[0])
    visitor.wait_for("confirmed")

    key = key_of(running, slots[0])
    shorten(key)
    form = visitor.form(OFFER, slots[-1])
    wait_like_a_person(form.seen_at)
    page = visitor.send_at_once(form)

    assert (page.status, page.state) == (503, "form")
    assert {name: page.post_form().fields[name] for name in TYPED} == TYPED
    assert "file=day-keys reason=damaged" in running.stderr.read_text()
    assert key.name not in running.stderr.read_text(), "the log does not tell the day of a session"

    key.rename(key.with_suffix(".old"))
    visitor.arrive(visitor.send_at_once(form))
    visitor.wait_for("confirmed")


def test_a_day_key_that_was_cut_short_is_named_by_doctor(tmp_path: Path) -> None:
    house = House(tmp_path / "instance")
    house.book()
    house.close()
    (key,) = (house.instance / "day-keys").glob("20*")
    shorten(key)

    environ = {"MICROSITE_INSTANCE": str(house.instance), **database_of(house.instance)}
    done = CliRunner().invoke(main, ["doctor"], env=environ)

    assert f"WRONG {key} is damaged\n" in done.output
    assert "move it away (mv)" in done.output


def test_a_database_that_breaks_under_a_site_is_a_kind_page_that_keeps_what_was_typed(running: Site) -> None:
    visitor, english = Visitor(running.base), Visitor(running.base)
    slots = slots_from(visitor, OFFER, 3)
    form, other = visitor.form(OFFER, slots[0]), english.form(f"/en{OFFER}", slots[-1])
    wait_like_a_person(other.seen_at)
    with backstage(running) as services:
        services.store.truncate_log()
    whole = (running.instance / "site.db").read_bytes()
    with (running.instance / "site.db").open("r+b") as file:
        for place in range(4096, len(whole), 4096):
            file.seek(place)
            file.write(os.urandom(4096))

    for who, page, language in ((visitor, form, "id"), (english, other, "en")):
        answer = who.send_at_once(page)
        assert (answer.status, answer.state, answer.lang) == (503, "unavailable", language)
        kept = answer.post_form().fields
        assert {name: kept[name] for name in TYPED} == TYPED
        assert kept == {**page.post_form().fields, **TYPED}
        assert who.get(OFFER).status == 503
    assert "file=site.db reason=damaged" in running.stderr.read_text()
    (line,) = told(running, "doctor").wrong
    assert line.startswith(f"{running.instance / 'site.db'}: the file is damaged; stop the site, ")
