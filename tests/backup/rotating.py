"""Rotates the server key of a copy of a house in a forked process that is killed at the n-th thing it does.

Run as `python -m tests.backup.rotating FOLDER …`. Counted are Python's own audit events (every file that is opened,
renamed, removed or locked) and every commit; the site knows nothing of it. For each death a JSON line: what is found.
"""

import json
import os
import shutil
import signal
import sys
from pathlib import Path
from typing import Any

from sqlalchemy import event

from microsite.config import load_config
from microsite.services import Services
from microsite.services import build
from microsite.work import rotate
from microsite.work.status import by_status_token
from microsite.work.status import status_token
from tests.postgres import DATABASES
from tests.postgres import copy_database
from tests.postgres import database_of

COUNTED = ("open", "os.rename", "os.remove", "fcntl.flock", "os.link")


def opened(folder: Path) -> Services:
    """The house as the next process finds it."""
    return build(load_config({"MICROSITE_INSTANCE": str(folder), **database_of(folder)}))


def rotate_until(folder: Path, fatal: int) -> bool:
    """Rotate in another process; True where it died on the way."""
    pid = os.fork()
    if pid == 0:
        services, passed = opened(folder), 0

        def boundary(*_: Any) -> None:
            nonlocal passed
            passed += 1
            if passed == fatal:
                os.kill(os.getpid(), signal.SIGKILL)

        event.listen(services.store.engine, "commit", boundary)
        sys.addaudithook(lambda name, _: boundary() if name in COUNTED else None)
        rotate.rotate(services)
        boundary()
        os._exit(0)
    return os.waitpid(pid, 0)[1] == signal.SIGKILL


def found(folder: Path, calendar: str, booking: str, old_page: str) -> dict[str, Any]:
    """Whether password and status pages are whole, how many keys there are, and that it can be rotated again."""
    services = opened(folder)
    with services.store.read() as tx:
        sealed = tx.mirror.get(calendar).secret
    password = services.sealer.open_secret(sealed, f"calendar/{calendar}").reveal()
    pages = [by_status_token(services, old_page).id]
    keys = len(services.sealer.server_key.reveal())
    rotate.rotate(services)
    rotate.drop_earlier(services)
    pages += [by_status_token(services, token).id for token in (old_page, status_token(services, booking).reveal())]
    services.close()
    return {"password": password, "pages": pages, "keys": keys}


def main(folder: Path, calendar: str, booking: str, old_page: str) -> None:
    """Die at every boundary once."""
    fatal, died = 0, True
    while died:
        fatal += 1
        copy = folder.with_name(f"copy{fatal}")
        shutil.copytree(folder, copy)
        copy_database(folder, copy)
        died = rotate_until(copy, fatal)
        print(json.dumps({"fatal": fatal, "died": died, **found(copy, calendar, booking, old_page)}), flush=True)
        shutil.rmtree(copy)
        DATABASES.tidy(copy)


if __name__ == "__main__":
    main(Path(sys.argv[1]), *sys.argv[2:])
