"""Another server key, another backup key: what must go on holding does, in the running site and after any kill."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from microsite.core.people import Secret
from microsite.errors import BackupError
from microsite.errors import CannotOpen
from microsite.work import backup
from microsite.work import rotate
from microsite.work.status import by_status_token
from microsite.work.status import status_token
from tests.conftest import ROOT
from tests.conftest import House
from tests.conftest import Site
from tests.flow.visitor import Visitor
from tests.flow.visitor import slots_from

from .conftest import Copy
from .conftest import copy_of

PASSWORD = Secret("a password of a calendar")
CALENDAR = "elsewhere"


def with_password(house: House) -> str:
    """A calendar that needs a password; its id."""
    sealed = house.services.sealer.seal_secret(PASSWORD, f"calendar/{CALENDAR}")
    with house.services.store.write() as tx:
        tx.mirror.add_calendar(CALENDAR, "sari", "https://dav.example/c/", "Kerja", {"busy"}, secret=sealed)
    return CALENDAR


def password(house: House) -> Secret:
    """What the calendar's password is now."""
    with house.services.store.read() as tx:
        sealed = tx.mirror.get(CALENDAR).secret
    return house.services.sealer.open_secret(sealed, f"calendar/{CALENDAR}")


def test_passwords_are_sealed_anew_and_a_running_site_follows_by_itself(house: House) -> None:
    with_password(house)
    old = house.services.sealer.server_key.newest(1)
    done = rotate.rotate(house.services)
    assert (done.passwords, done.unreadable, done.earlier) == (1, [], 1)
    assert password(house) == PASSWORD
    with house.services.store.read() as tx, pytest.raises(CannotOpen):
        old.open_secret(tx.mirror.get(CALENDAR).secret, f"calendar/{CALENDAR}")
    assert rotate.drop_earlier(house.services) == 1
    assert password(house) == PASSWORD


def test_the_status_page_opens_at_the_address_of_old_files_and_at_that_of_new_ones(house: House) -> None:
    booking = house.book().booking
    house.drain()
    old = status_token(house.services, booking.id).reveal()
    assert rotate.rotate(house.services).pages == 1
    new = status_token(house.services, booking.id).reveal()
    rotate.drop_earlier(house.services)
    assert old != new
    assert [by_status_token(house.services, token).id for token in (old, new)] == [booking.id] * 2


def test_day_keys_and_the_coachs_keys_are_not_touched(house: House) -> None:
    placed = house.book()
    house.drain()
    before = {path.name: path.read_bytes() for path in (house.instance / "day-keys").iterdir()}
    with house.services.store.read() as tx:
        sealed = tx.bookings.sealed(placed.booking.id)
    rotate.rotate(house.services)
    assert {path.name: path.read_bytes() for path in (house.instance / "day-keys").iterdir()} == before
    with house.services.store.read() as tx:
        assert tx.bookings.sealed(placed.booking.id) == sealed


def test_a_password_that_no_key_opens_is_named_and_left_as_it_is(house: House) -> None:
    with_password(house)
    with house.services.store.write() as tx:
        tx.mirror.touch(CALENDAR, secret=b"x" * 92)
    assert rotate.rotate(house.services).unreadable == ["sari: Kerja"]
    with pytest.raises(BackupError, match="earlier key still opens"):
        rotate.drop_earlier(house.services)


def test_a_form_that_was_open_during_a_rotation_is_still_taken(fresh_site: Site) -> None:
    visitor = Visitor(fresh_site.base)
    slot = slots_from(visitor, "/sari/sesi/", 4)[0]
    form = visitor.form("/sari/sesi/", slot)
    command = [sys.executable, "-m", "microsite.cli", "rotate-keys"]
    said = subprocess.run(command, cwd=ROOT, env=fresh_site.environ, capture_output=True, text=True, check=True).stdout
    assert "another key" in said
    visitor.arrive(visitor.send(form, name="Budi", email="budi@example.com", note=""))
    assert visitor.wait_for("confirmed").status == 200


def test_killed_anywhere_it_leaves_a_house_that_works(tmp_path: Path) -> None:
    house = House(tmp_path / "instance")
    booking = house.book().booking
    house.drain()
    with_password(house)
    page = status_token(house.services, booking.id).reveal()
    house.close()
    words = [sys.executable, "-m", "tests.backup.rotating", str(house.instance), CALENDAR, booking.id, page]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    deaths = [json.loads(line) for line in done.stdout.splitlines()]
    assert len(deaths) > 10
    assert [each["died"] for each in deaths] == [True] * (len(deaths) - 1) + [False]
    for each in deaths:
        assert each["password"] == PASSWORD.reveal(), each
        assert each["pages"] == [booking.id] * 3, each
    assert {each["keys"] for each in deaths} == {1, 2}


def test_another_backup_key_opens_the_next_backups_and_the_old_one_the_earlier(house: House, shelf: Path) -> None:
    from microsite import restoring

    first = copy_of(house.services, shelf)
    house.now += 1
    second = copy_of(house.services, shelf)
    assert list(restoring.check(first.path, first.identity))
    assert list(restoring.check(second.path, second.identity))
    for path, identity in ((first.path, second.identity), (second.path, first.identity)):
        with pytest.raises(CannotOpen):
            list(restoring.check(Copy(path, identity).path, identity))
    assert len(backup.read_recipients(house.services)) == 1
