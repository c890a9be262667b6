"""Day keys: one a day whoever asks first, gone without a trace when destroyed, in nobody's sight or backup.

What every keyring must do is tried with both: the folder, and the database that several machines share.
"""

import multiprocessing
import os
import stat
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from microsite.errors import CannotOpen
from microsite.errors import StartRefused
from microsite.sealing import new_key
from microsite.sealing.keyring import FolderKeyring
from microsite.sealing.keyring import day_of
from microsite.store.keyring import DatabaseKeyring

DAY = "2026-11-25"
DAYS = [f"2026-11-{day:02}" for day in range(1, 31)]


def test_a_day_has_one_key_of_256_bits_and_another_day_another(either):
    key = either.get_or_create(DAY).reveal()
    assert len(key) == 32
    assert either.get_or_create(DAY).reveal() == either.get(DAY).reveal() == key
    assert either.get_or_create("2026-11-26").reveal() != key


def test_a_second_keyring_on_the_folder_finds_the_same_keys(keyring, tmp_path):
    key = keyring.get_or_create(DAY).reveal()
    assert FolderKeyring(tmp_path / "day-keys").get(DAY).reveal() == key


def test_a_day_that_never_had_a_key_is_like_one_whose_key_is_destroyed(either):
    with pytest.raises(CannotOpen) as never:
        either.get(DAY)
    either.get_or_create(DAY)
    either.destroy(DAY)
    with pytest.raises(CannotOpen) as destroyed:
        either.get(DAY)
    assert str(never.value) == str(destroyed.value)


def test_destroying_overwrites_the_bytes_before_the_name_goes(keyring, tmp_path):
    key = keyring.get_or_create(DAY).reveal()
    with (tmp_path / "day-keys" / DAY).open("rb") as still_open:
        keyring.destroy(DAY)
        assert key not in still_open.read()
    assert not (tmp_path / "day-keys" / DAY).exists()


def test_destroying_twice_or_a_day_without_a_key_is_no_error(either):
    either.get_or_create(DAY)
    either.destroy(DAY)
    either.destroy(DAY)
    assert either.days() == []


def test_a_day_whose_key_was_destroyed_gets_another_one_and_the_other_days_keep_theirs(either):
    first, other = either.get_or_create(DAY).reveal(), either.get_or_create("2026-11-26").reveal()
    either.destroy(DAY)
    assert either.get_or_create(DAY).reveal() != first
    assert either.get("2026-11-26").reveal() == other
    assert either.days() == [DAY, "2026-11-26"]


@pytest.mark.parametrize("day", ["", "..", "2026-11-31", "20261125", "2026-W48-3", "2026-11-25\n"])
def test_what_is_no_day_has_no_key(either, day):
    for act in (either.get, either.get_or_create, either.destroy):
        with pytest.raises(CannotOpen):
            act(day)
    assert either.days() == []


def test_the_days_with_keys_are_told_in_order_and_nothing_else_of_the_folder(keyring, tmp_path):
    for day in ("2026-12-01", "2026-11-25", "2026-11-30"):
        keyring.get_or_create(day)
    (tmp_path / "day-keys" / "notes.txt").touch()
    (tmp_path / "day-keys" / ".2026-11-01.left-over").touch()
    assert keyring.days() == ["2026-11-25", "2026-11-30", "2026-12-01"]


@pytest.mark.parametrize(
    "day", ["", "..", "../2026-11-25", "2026-11-31", "20261125", "2026-W48-3", "2026-11-25\n", "/etc"]
)
def test_what_is_no_day_reaches_no_file(keyring, day, tmp_path):
    for act in (keyring.get, keyring.get_or_create, keyring.destroy):
        with pytest.raises(CannotOpen):
            act(day)
    assert [path.name for path in (tmp_path / "day-keys").iterdir()] == ["CACHEDIR.TAG"]


@pytest.mark.parametrize("content", [b"", b"short", b"x" * 33])
def test_a_damaged_key_is_refused_and_never_replaced(keyring, tmp_path, content):
    (tmp_path / "day-keys" / DAY).write_bytes(content)
    for act in (keyring.get, keyring.get_or_create):
        with pytest.raises(CannotOpen):
            act(DAY)
    assert (tmp_path / "day-keys" / DAY).read_bytes() == content


def test_the_folder_asks_backup_tools_to_leave_it_out(keyring, tmp_path):
    tag = (tmp_path / "day-keys" / "CACHEDIR.TAG").read_bytes()
    assert tag.startswith(b"Signature: 8a477f597d28d172789f06886806bc55")


@pytest.mark.parametrize("umask", [0o022, 0o000, 0o077])
def test_folder_and_keys_are_their_owners_only_under_any_umask(tmp_path, umask):
    before = os.umask(umask)
    try:
        FolderKeyring(tmp_path / "day-keys").get_or_create(DAY)
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "day-keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "day-keys" / DAY).stat().st_mode) == 0o600


def test_a_folder_that_others_can_look_into_is_refused(keyring, tmp_path):
    (tmp_path / "day-keys").chmod(0o750)
    with pytest.raises(StartRefused, match="chmod 700"):
        FolderKeyring(tmp_path / "day-keys")


def test_many_threads_that_ask_at_once_get_the_same_key(either):
    with ThreadPoolExecutor(16) as pool:
        for day in DAYS:
            assert len({key.reveal() for key in pool.map(lambda _, d=day: either.get_or_create(d), range(16))}) == 1


def ask_at_once(where: Path | str, start, answers) -> None:
    """One process of the race: all its keys, asked for when everybody is ready."""
    keyring = FolderKeyring(where) if isinstance(where, Path) else DatabaseKeyring(where, new_key)
    start.wait(90)
    answers.put([keyring.get_or_create(day).reveal() for day in DAYS])


def test_many_processes_that_ask_at_once_get_the_same_key(either, where):
    fork = multiprocessing.get_context("fork")
    start, answers = fork.Barrier(6), fork.Queue()
    processes = [fork.Process(target=ask_at_once, args=(where, start, answers)) for _ in range(6)]
    for process in processes:
        process.start()
    found = [tuple(answers.get(timeout=90)) for _ in processes]
    for process in processes:
        process.join(90)
    assert len(set(found)) == 1 and len(set(found[0])) == len(DAYS)
    assert either.days() == DAYS
    if isinstance(where, Path):
        assert sorted(path.name for path in where.iterdir()) == [*DAYS, "CACHEDIR.TAG"]


@pytest.mark.parametrize(
    "end, day, words",
    [
        (1_795_651_199, "2026-11-25", "the last second of a day"),
        (1_795_651_200, "2026-11-26", "midnight, UTC"),
        (1_795_651_201, "2026-11-26", "after midnight"),
        (0, "1970-01-01", "the beginning"),
    ],
)
def test_the_day_of_a_session_is_the_utc_date_of_its_end(end, day, words):
    assert day_of(end) == day, words
