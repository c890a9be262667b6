"""The way back: onto an empty machine only, whole or not at all, and nothing in a backup is trusted."""

import stat
import tarfile
from collections.abc import Callable
from io import BytesIO
from pathlib import Path

import pytest

from microsite import archive
from microsite import restoring
from microsite.config import load_config
from microsite.core.people import Secret
from microsite.core.spans import DAY
from microsite.errors import BackupError
from microsite.errors import CannotOpen
from microsite.errors import NotFound
from microsite.errors import StartRefused
from microsite.sealing.streams import sealed_into
from microsite.services import Services
from microsite.services import build
from microsite.work import backup
from microsite.work.purge import purge_now
from microsite.work.records import open_booking
from tests.conftest import ROOT
from tests.conftest import House
from tests.postgres import database_of
from tests.postgres import empty_database_of
from tests.postgres import wanted

from .conftest import Copy
from .conftest import copy_of


def opened(folder: Path, now: int, **environ: str) -> Services:
    """The restored house."""
    return build(load_config({"MICROSITE_INSTANCE": str(folder), **environ}), lambda: now)


def test_everything_comes_back_closed_to_others(
    house: House, tmp_path: Path, shelf: Path, empty: dict[str, str]
) -> None:
    placed = house.book()
    house.drain()
    said = copy_of(house.services, shelf).restore(tmp_path / "new", house.now, **empty)
    assert "2026-11-23 04:00 UTC" in said[0]
    for path in (tmp_path / "new").rglob("*"):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    services = opened(tmp_path / "new", house.now, **empty)
    with services.store.read() as tx:
        assert tx.bookings.need(placed.booking.id).state == "confirmed"
    assert (tmp_path / "new" / "server.key").read_bytes() == (house.instance / "server.key").read_bytes()
    assert not list((tmp_path / "new" / "day-keys").glob("20*"))
    services.close()


def test_the_drill(house: House, tmp_path: Path, shelf: Path, empty: dict[str, str]) -> None:
    """Yesterday's backup after today's purge: envelopes stay closed, records open with the coach's key, links work."""
    early, late = house.book(), house.book(house.starts()[-1])
    house.drain()
    copy = copy_of(house.services, shelf)
    with house.services.store.read() as tx:
        sealed = tx.bookings.sealed(early.booking.id).delivery
    house.now = early.booking.end + 2 * DAY
    assert purge_now(house.services).day_keys == 1
    copy.restore(tmp_path / "new", house.now, **empty)
    services = opened(tmp_path / "new", house.now, **empty)
    for sealer in (house.services.sealer, services.sealer):
        with pytest.raises(CannotOpen):
            sealer.open_delivery(early.booking.delivery_day, early.booking.id, sealed)
    with services.store.read() as tx:
        assert tx.bookings.with_delivery() == []
        ref = tx.bookings.need(late.booking.id).ref
        assert tx.links.get(services.sealer.lookup(late.token), "manage", house.now) is not None
    record = open_booking(services, "", ref, house.identity).record
    assert record.details.reveal().name == "Budi"
    services.close()


def test_what_was_purged_since_is_purged_again_before_anybody_is_served(
    house: House, tmp_path: Path, shelf: Path, empty: dict[str, str]
) -> None:
    placed = house.book()
    house.drain()
    copy = copy_of(house.services, shelf)
    said = copy.restore(tmp_path / "new", placed.booking.end + 40 * DAY, **empty)
    assert any("1 booking(s) whose time was over were purged" in line for line in said)
    services = opened(tmp_path / "new", house.now, **empty)
    with services.store.read() as tx, pytest.raises(NotFound):
        tx.bookings.need(placed.booking.id)
    services.close()


def test_no_session_of_then_opens_the_desk(house: House, tmp_path: Path, shelf: Path, empty: dict[str, str]) -> None:
    with house.services.store.write() as tx:
        tx.links.add(b"session", "sari", None, "desk-session", 2**40)
        tx.links.add(b"link", "sari", None, "desk-link", 2**40)
    copy_of(house.services, shelf).restore(tmp_path / "new", house.now, **empty)
    services = opened(tmp_path / "new", house.now, **empty)
    with services.store.read() as tx:
        assert tx.links.get(b"session", "desk-session", 0) is None
        assert tx.links.get(b"link", "desk-link", 0) is None
    services.close()


def test_a_folder_that_is_not_empty_is_left_alone(house: House, tmp_path: Path, shelf: Path) -> None:
    copy = copy_of(house.services, shelf)
    there = tmp_path / "new"
    there.mkdir()
    (there / "letter.txt").write_text("mine")
    with pytest.raises(BackupError, match="not empty"):
        copy.restore(there, house.now)
    assert [path.name for path in there.iterdir()] == ["letter.txt"]


def test_the_folder_of_a_fresh_clone_counts_as_empty(
    house: House, tmp_path: Path, shelf: Path, empty: dict[str, str]
) -> None:
    there = tmp_path / "new"
    there.mkdir(mode=0o755)
    (there / "config.example.toml").write_text("# an example")
    copy_of(house.services, shelf).restore(there, house.now, **empty)
    assert (there / "config.example.toml").read_text() == "# an example"
    opened(there, house.now, **empty).close()


def _cut(path: Path, _: Copy) -> None:
    path.write_bytes(path.read_bytes()[:-1000])


def _changed(path: Path, _: Copy) -> None:
    content = bytearray(path.read_bytes())
    content[-2000] ^= 1
    path.write_bytes(content)


def _something_else(path: Path, _: Copy) -> None:
    path.write_bytes(b"hello")


@pytest.mark.parametrize("harm", [_cut, _changed, _something_else])
def test_a_damaged_backup_restores_nothing(
    house: House, tmp_path: Path, shelf: Path, harm: Callable[[Path, Copy], None]
) -> None:
    copy = copy_of(house.services, shelf)
    harm(copy.path, copy)
    with pytest.raises(CannotOpen, match="damaged"):
        copy.restore(tmp_path / "new", house.now)
    assert list((tmp_path / "new").iterdir()) == []
    with pytest.raises(CannotOpen):
        list(restoring.check(copy.path, copy.identity))


def test_another_key_opens_nothing_and_is_not_repeated(house: House, tmp_path: Path, shelf: Path) -> None:
    copy = copy_of(house.services, shelf)
    wrong = house.services.sealer.new_identity()[0]
    with pytest.raises(CannotOpen, match="no identity at hand") as refused:
        Copy(copy.path, wrong).restore(tmp_path / "new", house.now)
    assert wrong.reveal() not in str(refused.value)
    assert list((tmp_path / "new").iterdir()) == []


def test_a_backup_can_be_tried_without_writing_anything(house: House, shelf: Path) -> None:
    copy = copy_of(house.services, shelf)
    before = sorted(house.instance.parent.rglob("*"))
    said = list(restoring.check(copy.path, copy.identity))
    assert "is whole" in said[1]
    assert sorted(house.instance.parent.rglob("*")) == before


MANIFEST = b'{"format": 1, "made_at": 1, "version": "x", "address": "x", "database": "sqlite", "shape": "0002"}'
HOSTILE = {
    "a way out of the folder": "files/../../escaped",
    "an absolute name": "/tmp/escaped",
    "a day key": "files/day-keys/2026-11-23",
    "an identity": "files/demo-identity.txt",
    "a job lock": "files/jobs.lock",
    "a folder of its own": "elsewhere/x",
    "a name with dots": "files/dav/./x",
}


def forged(recipient: str, path: Path, members: list[tarfile.TarInfo], manifest: bytes = MANIFEST) -> Path:
    """What somebody makes who knows the public key."""
    with path.open("wb") as file, sealed_into(file, [recipient]) as stream:
        with tarfile.open(fileobj=stream, mode="w|") as tar:
            first = tarfile.TarInfo(archive.MANIFEST)
            first.size = len(manifest)
            tar.addfile(first, BytesIO(manifest))
            for info in members:
                tar.addfile(info, BytesIO(bytes(info.size)))
    return path


@pytest.mark.parametrize("name", HOSTILE)
def test_nothing_is_written_that_no_backup_of_ours_has(house: House, tmp_path: Path, name: str) -> None:
    identity, recipient = house.services.sealer.new_identity()
    path = forged(recipient, tmp_path / "forged.age", [tarfile.TarInfo(HOSTILE[name])])
    with pytest.raises(BackupError, match="not restored"):
        Copy(path, identity).restore(tmp_path / "new", house.now)
    assert list((tmp_path / "new").iterdir()) == []
    assert not (tmp_path / "escaped").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.FIFOTYPE, tarfile.DIRTYPE])
def test_nothing_but_plain_files_is_taken(house: House, tmp_path: Path, kind: bytes) -> None:
    identity, recipient = house.services.sealer.new_identity()
    info = tarfile.TarInfo("files/dav/x")
    info.type, info.linkname = kind, "/etc/passwd"
    path = forged(recipient, tmp_path / "forged.age", [info])
    with pytest.raises(BackupError, match="not restored"):
        Copy(path, identity).restore(tmp_path / "new", house.now)


def test_a_backup_of_a_later_version_is_refused_by_its_number(house: House, tmp_path: Path) -> None:
    identity, recipient = house.services.sealer.new_identity()
    path = forged(recipient, tmp_path / "f.age", [], MANIFEST.replace(b'"format": 1', b'"format": 2'))
    with pytest.raises(BackupError, match="later version"):
        Copy(path, identity).restore(tmp_path / "new", house.now)


def test_a_restore_that_was_ended_is_noticed_by_every_start(tmp_path: Path) -> None:
    (tmp_path / "new").mkdir(mode=0o700)
    (tmp_path / "new" / "restoring").touch(mode=0o600)
    with pytest.raises(StartRefused, match="empty that folder"):
        opened(tmp_path / "new", 0)


def test_a_restore_that_was_ended_before_it_was_settled_is_settled_by_the_next_start(
    house: House, tmp_path: Path, shelf: Path, empty: dict[str, str]
) -> None:
    house.book()
    house.drain()
    copy = copy_of(house.services, shelf)
    lines = restoring.restore(
        {"MICROSITE_INSTANCE": str(tmp_path / "new"), **empty}, copy.path, copy.identity, lambda: house.now
    )
    next(lines)
    lines.close()  # type: ignore[attr-defined]
    assert (tmp_path / "new" / "restored.json").exists()
    services = opened(tmp_path / "new", house.now, **empty)
    assert list(restoring.settle(services))
    assert list(restoring.settle(services)) == []
    with services.store.read() as tx:
        assert tx.coaches.get("sari").restored_from == house.now
    services.close()


def test_a_password_from_a_file_of_the_old_machine_is_found_again(
    tmp_path: Path, shelf: Path, empty: dict[str, str]
) -> None:
    house = House(tmp_path / "instance")
    (tmp_path / "relay-password").touch(0o600)
    (tmp_path / "relay-password").write_text("a password of the relay\n")
    (house.instance / "config.toml").write_text(
        '[site]\naddress = "https://book.example"\n[mail]\nhost = "relay.example"\nsender = "a@book.example"\n'
        f'password_file = "{tmp_path / "relay-password"}" # kept apart\n'
    )
    house.close()
    services = opened(house.instance, house.now, **database_of(house.instance))
    copy = copy_of(services, shelf)
    services.close()
    (tmp_path / "relay-password").unlink()
    said = copy.restore(tmp_path / "new", house.now, **empty)
    assert any("is not on this machine" in line for line in said)
    config = load_config({"MICROSITE_INSTANCE": str(tmp_path / "new"), **empty})
    assert config.mail_password == Secret("a password of the relay")
    assert "# kept apart" in (tmp_path / "new" / "config.toml").read_text()


def test_a_database_of_another_kind_is_refused(tmp_path: Path, shelf: Path) -> None:
    house = House(tmp_path / "instance")
    copy = copy_of(house.services, shelf)
    house.close()
    other = {} if wanted() else {"MICROSITE_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    with pytest.raises(BackupError, match="of the same kind"):
        copy.restore(tmp_path / "new", house.now, **other)
    assert list((tmp_path / "new").iterdir()) == []


def test_it_is_all_done_by_three_commands(tmp_path: Path) -> None:
    """As docs/backup.md has them, with the key on standard input only."""
    from tests.cli.conftest import Shell

    old, new = Shell(tmp_path / "old"), Shell(tmp_path / "new")
    empty_database_of(new.instance)
    old.run("prepare")
    assert "microsite backup-key" in old.run("backup", "--to", str(tmp_path / "shelf"), code=1)
    identity = next(word for word in old.run("backup-key").split() if word.startswith("AGE-SECRET-KEY-"))
    assert "rotate-keys --backup-key" in old.run("backup-key", code=1)
    said = old.run("backup", "--to", str(tmp_path / "shelf"))
    (path,) = (tmp_path / "shelf").iterdir()
    assert f"{path}: " in said
    assert "is whole" in new.run("restore", str(path), "--identity", "-", "--check", answers=identity)
    assert not (tmp_path / "new").exists()
    assert "Restored into" in new.run("restore", str(path), "--identity", "-", answers=identity)
    new.run("prepare")
    assert "not empty" in new.run("restore", str(path), "--identity", "-", answers=identity, code=1)
    assert identity not in "".join(each.read_text("latin-1") for each in tmp_path.rglob("*") if each.is_file())


def test_what_stands_in_the_documents_is_what_is_in_a_backup() -> None:
    text = (ROOT / "docs" / "backup.md").read_text()
    for name in backup.KEPT:
        assert f"`{name}`" in text
