"""A backup: one sealed file of one moment, taken while the site runs, without day keys, and never a half one."""

import fcntl
import json
import os
import re
import stat
import subprocess
import tarfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path

import pytest

from microsite.config import load_config
from microsite.core.bookings import ENDED
from microsite.core.bookings import LIVE
from microsite.errors import BackupError
from microsite.errors import MicrositeError
from microsite.errors import SettingsError
from microsite.errors import StoreUnreadable
from microsite.errors import WrongKey
from microsite.services import build
from microsite.work import backup
from microsite.work import terms
from microsite.work.cancel import cancel
from tests.conftest import House
from tests.postgres import empty_database_of
from tests.postgres import wanted

from .conftest import Copy
from .conftest import copy_of


def inside(copy: Copy, folder: Path) -> dict[str, bytes]:
    """What the plain `age` and `tar` find, by name."""
    folder.mkdir(exist_ok=True)
    key = folder / "key"
    key.write_text(copy.identity.reveal())
    opened = subprocess.run(["age", "-d", "-i", key, copy.path], capture_output=True, check=True).stdout
    with tarfile.open(fileobj=BytesIO(opened)) as tar:
        return {info.name: tar.extractfile(info).read() for info in tar}  # type: ignore[union-attr]


def test_the_plain_age_tool_and_tar_open_it(house: House, tmp_path: Path, shelf: Path) -> None:
    found = inside(copy_of(house.services, shelf), tmp_path)
    assert next(iter(found)) == "manifest.json"
    assert json.loads(found["manifest.json"])["made_at"] == house.now
    assert found["files/server.key"] == (house.instance / "server.key").read_bytes()
    assert "files/dav.htpasswd" in found
    assert sum(name.startswith("files/dav/collection-root/sari/open/") for name in found) == 5
    for name, content in found.items():
        (tmp_path / "out" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "out" / name).write_bytes(content)
    subprocess.run(["sha256sum", "--quiet", "-c", "SHA256SUMS"], cwd=tmp_path / "out", check=True)


def test_neither_day_keys_nor_letters_nor_any_identity_are_in_it(house: House, tmp_path: Path, shelf: Path) -> None:
    (house.instance / "demo-identity.txt").write_text(house.identity.reveal())
    house.book()
    house.drain()
    keys = [path.read_bytes() for path in (house.instance / "day-keys").glob("20*")]
    assert keys
    found = inside(copy_of(house.services, shelf), tmp_path)
    assert {name.split("/")[1] for name in found if name.startswith("files/")} == {
        "server.key",
        "dav.htpasswd",
        "backup-recipients.txt",
        "dav",
        *(["secrets"] if wanted() else []),  # the database's address, which stands in no file of the folder
    }
    everything = b"\0".join(found.values())
    for secret in [*keys, house.identity.reveal().encode(), b"budi@example.com", b"Budi"]:
        assert secret not in everything


def test_the_file_is_its_owners_alone_and_nothing_else_is_left_beside_it(house: House, shelf: Path) -> None:
    copy = copy_of(house.services, shelf)
    assert stat.S_IMODE(copy.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(shelf.stat().st_mode) == 0o700
    assert [path.name for path in shelf.iterdir()] == ["microsite-20261123T040000Z.tar.age"]


def test_without_a_key_nothing_is_written(house: House, shelf: Path) -> None:
    with pytest.raises(BackupError, match="microsite backup-key"):
        backup.make(house.services, shelf)
    assert not shelf.exists()


def test_a_key_of_ones_own_is_taken_and_a_secret_one_is_refused_unrepeated(house: House, shelf: Path) -> None:
    identity, recipient = house.services.sealer.new_identity()
    with pytest.raises(WrongKey) as refused:
        backup.new_key(house.services, identity.reveal())
    assert identity.reveal() not in str(refused.value)
    assert backup.new_key(house.services, recipient) is None
    assert backup.read_recipients(house.services) == [recipient]
    assert backup.make(house.services, shelf).keys == 1


def test_several_operators_may_hold_a_key(house: House, tmp_path: Path, shelf: Path) -> None:
    one, two = house.services.sealer.new_identity(), house.services.sealer.new_identity()
    (house.instance / backup.RECIPIENTS).write_text(f"# mine\n{one[1]}\n# hers\n{two[1]}\n")
    made = backup.make(house.services, shelf)
    assert made.keys == 2
    for number, (identity, _) in enumerate((one, two)):
        assert "database" in str(list(inside(Copy(made.path, identity), tmp_path / str(number))))


def test_older_ones_are_deleted_and_nothing_that_is_not_ours(house: House, shelf: Path) -> None:
    shelf.mkdir()
    for name in (
        "microsite-20261023T000000Z.tar.age",
        "microsite-20261025T000000Z.tar.age",
        "microsite-20261001T000000Z.tar.age.part",
        "letters-20200101T000000Z.tar.age",
        "microsite-20200101T000000Z.tar",
    ):
        (shelf / name).touch()
    backup.new_key(house.services)
    assert backup.make(house.services, shelf).deleted == 1
    assert sorted(path.name for path in shelf.iterdir()) == [
        "letters-20200101T000000Z.tar.age",
        "microsite-20200101T000000Z.tar",
        "microsite-20261025T000000Z.tar.age",
        "microsite-20261123T040000Z.tar.age",
    ]
    house.now += 3 * 86400
    assert backup.make(house.services, shelf, keep_days=2).deleted == 2


def test_no_backup_may_outlive_what_the_privacy_page_promises(house: House, shelf: Path) -> None:
    assert terms.promised_days(house.services) == 30
    with pytest.raises(SettingsError, match="at most 30"):
        backup.make(house.services, shelf, keep_days=31)
    assert not shelf.exists()


def test_a_damaged_database_is_told_and_older_backups_are_kept(tmp_path: Path, shelf: Path) -> None:
    house = House(tmp_path / "instance")
    shelf.mkdir()
    old = shelf / "microsite-20200101T000000Z.tar.age"
    old.touch()
    backup.new_key(house.services)
    house.services.store.truncate_log()
    house.services.store.close()
    with (house.instance / "site.db").open("r+b") as file:
        file.seek(4096 * 3)
        file.write(os.urandom(4096 * 8))
    with pytest.raises(StoreUnreadable):
        backup.make(house.services, shelf)
    house.close()
    assert list(shelf.iterdir()) == [old]


def test_a_full_disk_is_told_in_a_sentence_and_leaves_nothing(house: House) -> None:
    backup.new_key(house.services)
    with pytest.raises(BackupError, match="older ones were kept: "):
        backup.make(house.services, Path("/proc/nowhere"))


def test_a_backup_under_bookings_is_of_one_moment(tmp_path: Path, shelf: Path) -> None:
    """Each event in its calendars belongs to a booking in its database, and each confirmed booking has its event."""
    house = House(tmp_path / "instance")
    backup.new_key(house.services)
    ended, trouble = threading.Event(), list[Exception]()

    def live() -> None:
        try:
            while not ended.is_set():
                placed = house.book(house.starts()[40])
                house.drain()
                cancel(house.services, placed.booking.id, house.booking(placed.booking.id).ref)
                house.drain()
        except (MicrositeError, AssertionError) as error:
            trouble.append(error)

    visitor = threading.Thread(target=live)
    visitor.start()
    try:
        copies = [_next_copy(house, shelf) for _ in range(8)]
    finally:
        ended.set()
        visitor.join()
    assert trouble == []
    house.close()
    for number, copy in enumerate(copies):
        restored = tmp_path / f"r{number}"
        found = inside(copy, tmp_path / f"key{number}")
        database = empty_database_of(restored)
        copy.restore(restored, house.now, **database)
        services = build(load_config({"MICROSITE_INSTANCE": str(restored), **database}))
        with services.store.read() as tx:
            known = {each.coach_uid: each.state for each in tx.bookings.in_states(LIVE | ENDED)}
        services.close()
        events = [text for name, text in found.items() if "/sari/bookings/" in name and name.endswith(".ics")]
        there = {re.search(rb"(?m)^UID:(\S+)", text)[1].decode() for text in events}  # type: ignore[index]
        assert there <= set(known)
        assert {uid for uid, state in known.items() if state == "confirmed"} <= there


def _next_copy(house: House, shelf: Path) -> Copy:
    house.now += 1
    return copy_of(house.services, shelf)


def test_while_a_backup_takes_its_view_calendars_stand_still(tmp_path: Path, shelf: Path) -> None:
    """Radicale takes the same lock, alone, for every change: who cannot have it now waits."""
    house = House(tmp_path / "instance")
    backup.new_key(house.services)
    held: list[bool] = []

    class Watching:
        """The store, which looks whether calendars can be written to when it is asked for its view."""

        def __getattr__(self, name: str) -> object:
            return getattr(house.services.store, name)

        @contextmanager
        def snapshot(self) -> Iterator[object]:
            """The real one."""
            with (house.instance / "dav" / ".Radicale.lock").open("a") as lock:
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    held.append(False)
                except BlockingIOError:
                    held.append(True)
            with house.services.store.snapshot() as parts:
                yield parts

    backup.make(replace(house.services, store=Watching()), shelf)  # type: ignore[arg-type]
    assert held == [True]
    house.book(house.starts()[40])
    assert house.drain()
    house.close()
