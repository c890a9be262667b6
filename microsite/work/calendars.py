"""A coach's calendars as the happenings use them: all brought up to date, or the one that takes the bookings."""

import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from microsite.errors import CalendarMissing
from microsite.errors import CalendarUnreachable
from microsite.services import Services

from .sync import sync_calendar

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
    with services.store.read() as tx:
        rows = tx.mirror.calendars(coach)
    now = services.clock()
    feeds = [row for row in rows if "feed" in row.roles and now - row.last_ok_at < FEED_GOOD_SECONDS]
    live = [row for row in rows if row not in feeds]
    deadline = time.monotonic() + seconds
    if len(live) == 1:
        sync_calendar(services, live[0].id, seconds)
        return
    with ThreadPoolExecutor(max(len(live), 1), "sync") as pool:
        for done in [pool.submit(sync_calendar, services, row.id, seconds) for row in live]:
            try:
                done.result(max(0.1, deadline - time.monotonic() + 1))
            except TimeoutError as error:
                raise CalendarUnreachable("a calendar did not answer in time") from error
