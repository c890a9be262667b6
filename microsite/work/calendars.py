"""A coach's calendars as the happenings use them: all brought up to date, or the one that takes the bookings."""

import time
from collections.abc import Callable
from collections.abc import Iterator
from collections.abc import Sequence
from concurrent.futures import Future
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import partial
from typing import Any

from microsite.errors import CalendarBusy
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarUnreachable
from microsite.services import Services

from .sync import TRIES
from .sync import Ground
from .sync import Read
from .sync import grounds
from .sync import is_embedded
from .sync import keep
from .sync import read_calendar
from .sync import read_from
from .sync import sync_calendar
from .sync import turn

FEED_GOOD_SECONDS = 24 * 3600


def bookings_calendar(services: Services, coach: str) -> Any:
    """The calendar that takes the coach's bookings; raises CalendarMissing where none has that role."""
    with services.store.read() as tx:
        for row in tx.mirror.calendars(coach):
            if "bookings" in row.roles:
                return row
    raise CalendarMissing("no calendar has the role «bookings»")


def sync_all(services: Services, coach: str, seconds: float) -> None:
    """Sync every calendar of a coach within `seconds`; raises CalendarError where one could not be read.

    A feed may stand on its last good copy of the last 24 hours: it belongs to others and is often slow.
    """
    reads = _read_all(services, _live(services, coach), seconds)
    with services.store.write() as tx:
        left = _keep_all(services, tx, reads)
    for row in left:
        sync_calendar(services, row.id, seconds)


@contextmanager
def in_step(services: Services, coach: str, seconds: float) -> Iterator[Any]:
    """A change under the coach's lock, with every calendar of hers as it was read just now. Raises CalendarError.

    The same as `sync_all` before `change`, but what was read is stored in that very change: a visitor waits for the
    disk once, and not once more for each calendar.
    """
    left = _live(services, coach)
    for _ in range(TRIES):
        reads = _read_all(services, left, seconds)
        with services.store.change(coach) as tx:
            left = _keep_all(services, tx, reads)
            if not left:
                yield tx
                return
    raise CalendarBusy("the calendars could not be read to their end in time; reading goes on")


def _live(services: Services, coach: str) -> list[Any]:
    """The calendars of a coach that must be read anew: all but feeds with a good copy."""
    now = services.clock()
    with services.store.read() as tx:
        rows = tx.mirror.calendars(coach)
    return [row for row in rows if "feed" not in row.roles or now - row.last_ok_at >= FEED_GOOD_SECONDS]


def _read_all(services: Services, rows: Sequence[Any], seconds: float) -> list[Read]:
    """These calendars, read now; where one fails the others are stored, and its CalendarError is raised."""
    # What takes no network is read here, one after the other: this thread keeps its connections, and threads that only
    # compute would wait for one another.
    here = [row for row in rows if is_embedded(row)] or rows[:1]
    deadline = time.monotonic() + seconds
    with ThreadPoolExecutor(max(len(rows), 1), "sync") as pool:
        asked = [pool.submit(read_calendar, services, row.id, seconds) for row in rows if row not in here]
        with turn(services, here):
            starts = _grounds(services, here)
            reads, errors = _all_of([partial(read_from, services, ground, seconds) for ground in starts])
        others, more = _all_of([partial(_answer, future, deadline) for future in asked])
    if errors or more:
        with services.store.write() as tx:
            _keep_all(services, tx, reads + others)
        raise (errors + more)[0]
    return reads + others


def _grounds(services: Services, rows: Sequence[Any]) -> list[Ground]:
    """Looked up once for all, and not before it is our turn: whoever was there before us may have stored something."""
    if not rows:
        return []
    wanted, coach = {row.id for row in rows}, rows[0].coach
    with services.store.read() as tx:
        return grounds(tx, coach, [row for row in tx.mirror.calendars(coach) if row.id in wanted])


def _all_of(waits: Sequence[Callable[[], Read | None]]) -> tuple[list[Read], list[CalendarError]]:
    reads, errors = [], []
    for wait in waits:
        try:
            reads.append(wait())
        except CalendarError as error:
            errors.append(error)
    return [read for read in reads if read is not None], errors


def _answer(future: "Future[Read | None]", deadline: float) -> Read | None:
    try:
        return future.result(max(0.1, deadline - time.monotonic() + 1))
    except TimeoutError as error:
        raise CalendarUnreachable("a calendar did not answer in time") from error


def _keep_all(services: Services, tx: Any, reads: Sequence[Read]) -> list[Any]:
    """Store what was read; the calendars that must be read again."""
    return [read.row for read in reads if keep(services, tx, read) is None]
