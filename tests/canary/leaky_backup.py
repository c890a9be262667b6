"""The operator's commands with a hole in each: `python -m tests.canary.leaky_backup leak KEY`.

One backup is not sealed at all, one holds what no backup may, and a breach report says who booked.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from typing import BinaryIO

from microsite.config import load_config
from microsite.services import build
from microsite.store.snapshot import Part
from microsite.work import backup
from microsite.work import breach

from .leaky import Control
from .leaky import Wrapped


class Open(Wrapped):
    """A sealer that writes as it is what it should seal."""

    @contextmanager
    def sealed_into(self, file: BinaryIO, _: Any) -> Iterator[BinaryIO]:
        """The file itself."""
        yield file

    def sealed_size(self, _: bytes, plain: int) -> tuple[int, int]:
        """As large as it is."""
        return plain, 1


class Telling(Wrapped):
    """A store whose copy holds the note and a day key."""

    @contextmanager
    def snapshot(self) -> Iterator[Any]:
        """The real parts, and two more."""
        days = sorted((self.control.folder.parent / "instance" / "day-keys").glob("20*"))
        with self.real.snapshot() as parts:
            yield iter([*parts, Part("note", self.control.words["note"].encode()), Part("day", days[0].read_bytes())])


def main() -> None:
    """Two backups and a report."""
    os.umask(0o077)
    control = Control(Path(os.environ["CANARY_CONTROL"]))
    services = build(load_config(os.environ))
    shelf, report = control.folder.parent / "backups", control.folder.parent / "breach"
    backup.make(replace(services, sealer=Open(services.sealer, control)), shelf / "2")  # type: ignore[arg-type]
    backup.make(replace(services, store=Telling(services.store, control)), shelf / "3")  # type: ignore[arg-type]
    text = breach.texts(services, "live", "", 0)["report.txt"] + control.words["name"]
    (report / "report.txt").write_text(text)
    sys.stdout.write(text)
    services.close()


if __name__ == "__main__":
    main()
