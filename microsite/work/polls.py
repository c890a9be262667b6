"""When which calendar is asked: by turns, when a visitor looked, and never more at once than leaves room for bookings.

How one is read and stored is `sync`'s.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from contextlib import nullcontext
from contextlib import suppress
from itertools import groupby
from typing import Any

from microsite.core.polling import HOT
from microsite.core.polling import SILENT
from microsite.core.polling import TRIES
from microsite.core.polling import is_down
from microsite.errors import CalendarError
from microsite.errors import StoreUnreadable
from microsite.errors import TryAgain
from microsite.services import Services

from .sync import SYNC_SECONDS
from .sync import host_of
from .sync import is_embedded
from .sync import sync_calendar

PARTS = 256
"""Into so many parts coaches are dealt (`store.mirror`)."""
SHARES = 8
"""Into so many jobs a long round is divided: each takes the coaches of PARTS / SHARES parts."""
MANY = 200
"""Calendars that one job asks for at once; a longer round is divided."""
WAITING_JOBS = 2
"""Polls of servers that are not ours which run at the same time; a runner has four threads."""


def sync(services: Services, calendar_id: str) -> None:
    """The job: sync one calendar; failures set its back-off and are not raised. Raises TryAgain while too many run."""
    with services.store.read() as tx:
        row = tx.mirror.get(calendar_id)
    if row is None:
        return
    place = nullcontext() if is_embedded(row) else _Place()
    try:
        with place:
            sync_calendar(services, calendar_id, SYNC_SECONDS)
    except CalendarError:
        # Recorded by sync_calendar, with the time of the next try; the job itself has done its part.
        return


class _Place:
    """One of the few jobs that may wait for other people's servers: bookings must find a thread whatever those do."""

    free = threading.BoundedSemaphore(WAITING_JOBS)

    def __enter__(self) -> None:
        if not self.free.acquire(blocking=False):
            raise TryAgain(2)

    def __exit__(self, *_: object) -> None:
        self.free.release()


def sync_due(services: Services, key: str = "") -> None:
    """The periodic job: ask for a sync of every calendar whose turn it is; of a host that is down, of one for all.

    Where that is a lot, it asks for one job a share of the coaches (`key`), which any worker may take. No calendar is
    polled twice at once: a sync is a job that has the calendar's name, and of one name one job runs at a time.
    """
    now = services.clock()
    parts = range(PARTS) if key == "" else range(int(key) * PARTS // SHARES, (int(key) + 1) * PARTS // SHARES)
    with services.store.read() as tx:
        due = sorted(tx.mirror.due(now, parts, MANY + 1 if key == "" else None), key=host_of)
        silent = Counter(host_of(row) for row in tx.mirror.failing(TRIES) if row.problem in SILENT) if due else {}
        asked = [row for host, rows in groupby(due, host_of) for row in _asked(tx, host, list(rows), silent)]
    if len(due) > MANY and key == "":
        with services.store.write() as tx:
            for share in range(SHARES):
                services.jobs.enqueue(tx, "sync.due", str(share))
    elif due:
        with services.store.write() as tx:
            for row in due:
                tx.mirror.touch(row.id, next_poll_at=now + max(row.interval, 60))
            for row in asked:
                services.jobs.enqueue(tx, "sync", row.id)


def refresh(services: Services, coach: str) -> None:
    """A visitor looked: ask for a sync of what is older than two minutes, once in two minutes, and do not wait for it.

    Only a wish: where it cannot be written down now, the periodic job comes anyway.
    """
    now = services.clock()
    with suppress(StoreUnreadable):
        with services.store.read() as tx:
            old = [row for row in tx.mirror.calendars(coach) if _old(row, now)]
        if old:
            with services.store.write() as tx:
                for row in old:
                    tx.mirror.touch(row.id, next_poll_at=now + HOT, interval=HOT)
                    services.jobs.enqueue(tx, "sync", row.id)


def _old(row: Any, now: int) -> bool:
    """Whether a calendar was read too long ago for a page, is not asked soon anyway, and may be asked."""
    fresh = 0 <= now - row.last_ok_at < HOT or 0 <= row.next_poll_at - now <= HOT
    return not fresh and row.backoff_until <= now and not is_embedded(row)


def _asked(tx: Any, host: str, due: list[Any], silent: Mapping[str, int]) -> list[Any]:
    """Which of the calendars that are due at one host are asked now; `silent` counts those that do not answer."""
    if silent.get(host, 0) < 2 or not is_down(tx.mirror.at_host(host)):
        return due
    return [min(due, key=lambda row: row.last_ok_at)]
