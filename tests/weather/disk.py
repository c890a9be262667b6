"""A small real disk of a test's own: it can be filled to the last byte, and can fail as a worn-out card does.

An ext4 file system in a file, mounted by a loop device; that needs the rights of root, as CI and the makers have.
"""

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZE = 24 * 1024 * 1024
SPARE = 64 * 1024


class Disk:
    """The mounted disk; `folder` is where."""

    def __init__(self, image: Path, folder: Path) -> None:
        self.image, self.folder = image, folder
        self._filler = folder / "filler"

    def mount(self) -> None:
        """Put it in."""
        _run("mount", "-o", "loop", str(self.image), str(self.folder))

    def unmount(self) -> None:
        """Take it out."""
        _run("umount", str(self.folder))

    def fill(self) -> None:
        """Write until there is no room for another byte."""
        with self._filler.open("ab", buffering=0) as file:
            for size in (SPARE, 4096, 1):
                try:
                    while True:
                        file.write(b"x" * size)
                except OSError as error:
                    assert error.errno == 28, error

    def clear(self) -> None:
        """Make room again."""
        self._filler.unlink()

    def fail(self) -> None:
        """What the kernel does when a disk reports errors: from now on nothing is written, whoever has files open."""
        _run("mount", "-o", "remount,abort", str(self.folder))

    def mend(self) -> None:
        """Take it out, check it, put it in again."""
        self.unmount()
        subprocess.run(["e2fsck", "-p", str(self.image)], check=False, stdout=subprocess.DEVNULL)
        self.mount()

    def protect(self) -> None:
        """Put it in so that it can only be read."""
        self.unmount()
        _run("mount", "-o", "loop,ro", str(self.image), str(self.folder))


@contextmanager
def small_disk(folder: Path) -> Iterator[Disk]:
    """A disk at `folder`, taken out in the end."""
    assert os.geteuid() == 0, "these tests mount a disk of their own: run them as root"
    folder.mkdir()
    image = folder.with_suffix(".img")
    with image.open("wb") as file:
        file.truncate(SIZE)
    _run("mkfs.ext4", "-q", "-m", "0", str(image))
    disk = Disk(image, folder)
    disk.mount()
    try:
        yield disk
    finally:
        disk.unmount()
        image.unlink()


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{command}: {done.stderr}"
