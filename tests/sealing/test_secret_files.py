"""Secret files: only their owner reads them, and what is not so refuses the start with the command that mends it."""

import os
import stat
import subprocess
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from microsite.core.people import Secret
from microsite.core.people import SecretBytes
from microsite.errors import StartRefused
from microsite.sealing import files

SECRET = Secret("Kx7nameQ2vLp")


def mode(path):
    return stat.S_IMODE(path.stat().st_mode)


@pytest.fixture(params=[0o022, 0o000, 0o077], ids=oct)
def umask(request):
    before = os.umask(request.param)
    yield request.param
    os.umask(before)


def test_a_secret_comes_back_from_its_file(tmp_path):
    files.create_secret(tmp_path / "key", SECRET)
    assert files.read_secret(tmp_path / "key") == SECRET


def test_files_have_mode_0600_and_folders_0700_under_any_umask(umask, tmp_path):
    files.make_folder(tmp_path / "instance")
    files.create_secret(tmp_path / "instance" / "key", SECRET)
    files.replace_secret(tmp_path / "instance" / "other", SECRET)
    assert mode(tmp_path / "instance") == 0o700
    assert mode(tmp_path / "instance" / "key") == mode(tmp_path / "instance" / "other") == 0o600


def test_a_file_that_is_there_is_never_overwritten_by_creating_it(tmp_path):
    files.create_secret(tmp_path / "key", SECRET)
    with pytest.raises(FileExistsError):
        files.create_secret(tmp_path / "key", Secret("another"))
    assert files.read_secret(tmp_path / "key") == SECRET
    assert os.listdir(tmp_path) == ["key"]


def test_of_many_that_create_a_file_at_once_one_wins_and_its_content_is_whole(tmp_path):
    contents = [bytes([number]) * 100_000 for number in range(16)]

    def create(content):
        try:
            files.create(tmp_path / "key", SecretBytes(content))
        except FileExistsError:
            return False
        return True

    with ThreadPoolExecutor(16) as pool:
        won = list(pool.map(create, contents))
    assert won.count(True) == 1
    assert (tmp_path / "key").read_bytes() == contents[won.index(True)]


def test_replacing_leaves_one_file_with_the_new_secret(tmp_path):
    files.create_secret(tmp_path / "key", SECRET)
    files.replace_secret(tmp_path / "key", Secret("another"))
    assert files.read_secret(tmp_path / "key").reveal() == "another"
    assert os.listdir(tmp_path) == ["key"]


@pytest.mark.parametrize("open_to", [0o640, 0o604, 0o620, 0o602, 0o610, 0o601, 0o666])
def test_a_file_that_others_can_reach_is_refused_and_the_named_command_mends_it(tmp_path, open_to):
    path = tmp_path / "a key"
    files.create_secret(path, SECRET)
    path.chmod(open_to)
    with pytest.raises(StartRefused, match="a key") as refused:
        files.read_secret(path)
    assert SECRET.reveal() not in str(refused.value)
    subprocess.run(str(refused.value).split(": ")[1], shell=True, check=True)
    assert files.read_secret(path) == SECRET


def test_a_folder_that_others_can_reach_is_refused_and_the_named_command_mends_it(tmp_path):
    folder = tmp_path / "instance"
    folder.mkdir()
    folder.chmod(0o755)
    with pytest.raises(StartRefused, match="instance") as refused:
        files.make_folder(folder)
    subprocess.run(str(refused.value).split(": ")[1], shell=True, check=True)
    files.make_folder(folder)


def test_a_folder_whose_name_is_taken_by_a_file_is_refused_and_the_named_command_mends_it(tmp_path):
    (tmp_path / "instance").touch()
    with pytest.raises(StartRefused) as refused:
        files.make_folder(tmp_path / "instance")
    subprocess.run(str(refused.value).split(": ")[1], shell=True, check=True)
    files.make_folder(tmp_path / "instance")


@pytest.mark.parametrize("open_to, allowed", [(0o440, True), (0o460, False), (0o444, False)])
def test_the_group_may_read_a_systemd_credential_and_no_more(tmp_path, open_to, allowed):
    files.create_secret(tmp_path / "key", SECRET)
    (tmp_path / "key").chmod(open_to)
    if allowed:
        assert files.read_secret(tmp_path / "key", group_may_read=True) == SECRET
    else:
        with pytest.raises(StartRefused):
            files.read_secret(tmp_path / "key", group_may_read=True)


@pytest.mark.parametrize("example", ["", "\n", "changeme\n", "Change-Me", "  secret  ", "dev"])
def test_an_example_value_is_refused(tmp_path, example):
    (tmp_path / "key").write_text(example)
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(StartRefused, match="openssl rand"):
        files.read_secret(tmp_path / "key")


def test_a_missing_secret_is_refused_by_name(tmp_path):
    with pytest.raises(StartRefused, match="server-key"):
        files.read_secret(tmp_path / "server-key")


def test_a_secret_that_is_no_text_is_refused_without_showing_it(tmp_path, crash_report):
    (tmp_path / "key").write_bytes(b"Kx7nameQ2vLp\xff")
    (tmp_path / "key").chmod(0o600)
    with pytest.raises(StartRefused) as refused:
        files.read_secret(tmp_path / "key")
    assert "Kx7name" not in crash_report(refused.value)


class Unreadable(type(Path())):
    """A path whose file belongs to somebody else; the superuser, who may run this, could read every real one."""

    def open(self, mode):
        raise PermissionError(13, "Permission denied")


def test_a_file_that_cannot_be_read_is_refused_with_the_command_that_mends_it(tmp_path):
    with pytest.raises(StartRefused, match=f"chown {os.geteuid()} .*key"):
        files.read_secret(Unreadable(tmp_path / "key"))


def test_a_file_of_another_user_is_refused_though_the_superusers_own_is_not(tmp_path):
    def found(owner):
        return os.stat_result((0o100600, 0, 0, 1, owner, 0, 1, 0, 0, 0))

    files._refuse_if_open(tmp_path, found(0), others_may=0, mend="chmod 600")
    with pytest.raises(StartRefused, match="chown"):
        files._refuse_if_open(tmp_path, found(os.geteuid() + 1), others_may=0, mend="chmod 600")


def test_a_secret_reached_by_a_link_is_judged_by_the_file_behind_it(tmp_path):
    files.create_secret(tmp_path / "key", SECRET)
    (tmp_path / "link").symlink_to(tmp_path / "key")
    assert files.read_secret(tmp_path / "link") == SECRET
    (tmp_path / "key").chmod(0o644)
    with pytest.raises(StartRefused):
        files.read_secret(tmp_path / "link")
