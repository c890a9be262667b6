"""An SQLite file is refused on a network file system, and nowhere else."""

from pathlib import Path

import pytest

from microsite.errors import StartRefused
from microsite.store import where

MOUNTS = r"""
/dev/sda1 / ext4 rw 0 0
files:/export /srv nfs4 rw,vers=4.2 0 0
/dev/sdb1 /srv/site ext4 rw 0 0
//nas/share /mnt/my\040share cifs rw 0 0
tmpfs /run tmpfs rw 0 0
"""


@pytest.mark.parametrize(
    ("path", "kind", "words"),
    [
        ("/home/site/site.db", "ext4", "the root"),
        ("/srv/other/site.db", "nfs4", "a mount"),
        ("/srv/site/site.db", "ext4", "a disk mounted inside a network mount"),
        ("/srvx/site.db", "ext4", "a folder whose name only begins like a mount"),
        ("/mnt/my share/site.db", "cifs", "a name with a space"),
        ("/run/site.db", "tmpfs", "memory"),
    ],
)
def test_the_longest_mount_above_a_path_counts(path: str, kind: str, words: str) -> None:
    assert where.kind_at(Path(path), MOUNTS) == kind, words


def test_where_nothing_is_known_nothing_is_refused() -> None:
    assert where.kind_at(Path("/a/site.db"), "") == ""
    where.refuse_network(Path("/tmp/site.db"))


def test_a_network_file_system_is_refused_with_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mounts").write_text(MOUNTS)
    monkeypatch.setattr(where, "MOUNTS", tmp_path / "mounts")
    where.refuse_network(Path("/srv/site/site.db"))
    with pytest.raises(StartRefused, match=r"nfs4.*PostgreSQL"):
        where.refuse_network(Path("/srv/other/site.db"))
