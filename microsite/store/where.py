"""On what kind of disk an SQLite file may be: one of this machine. Over a network its locks and its log do not hold."""

from pathlib import Path

from microsite.errors import StartRefused

MOUNTS = Path("/proc/mounts")
OVER_A_NETWORK = frozenset(
    {"afs", "ceph", "cifs", "fuse.ceph", "fuse.glusterfs", "fuse.s3fs", "fuse.sshfs", "gfs2", "lustre", "ncpfs", "nfs"}
    | {"nfs4", "ocfs2", "smb3", "smbfs"}
)


def refuse_network(file: Path) -> None:
    """Raises StartRefused where the file would be on a network file system (as far as Linux tells)."""
    mounts = MOUNTS.read_text(encoding="utf-8", errors="replace") if MOUNTS.exists() else ""
    kind = kind_at(file.absolute(), mounts)
    if kind in OVER_A_NETWORK:
        raise StartRefused(
            f"{file.parent} is on a network file system ({kind}), where SQLite can lose bookings: put it on a disk of"
            " this machine, or, for several machines, use PostgreSQL (docs/several-machines.md)"
        )


def kind_at(path: Path, mounts: str) -> str:
    """The type of the file system that a path is on; `mounts` is the text of /proc/mounts (fstab(5))."""
    longest, kind = "", ""
    for line in mounts.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        at = fields[1].replace("\\040", " ").replace("\\011", "\t").replace("\\134", "\\")
        if len(at) >= len(longest) and path.is_relative_to(at):
            longest, kind = at, fields[2]
    return kind
