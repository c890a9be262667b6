"""Taking our event away after a booking no longer holds its time, now and again later.

A PUT that timed out may still land minutes afterwards, so each release looks for the event five times in a day. The
job's key names the calendar and the event's address, so it outlives the booking's row.
"""

from typing import Any

from microsite.core.bookings import LIVE
from microsite.core.bookings import SWEEPS
from microsite.core.bookings import Booking
from microsite.errors import CalendarChanged
from microsite.errors import CalendarMissing
from microsite.services import Services

from .sync import account_of


def enqueue_sweeps(services: Services, tx: Any, booking: Booking) -> None:
    """Look for the booking's event at once and after a minute, ten minutes, an hour and a day."""
    row = _calendar_of(tx, booking)
    if row is None:
        return
    href = booking.coach_href or services.calendars.href_of(account_of(services, row), booking.coach_uid)
    sweep_address(services, tx, row.id, href)


def sweep_address(services: Services, tx: Any, calendar_id: str, href: str) -> None:
    """The same for an event of ours at an address whose booking may be gone already."""
    for number, delay in enumerate((0, *SWEEPS)):
        services.jobs.enqueue(tx, "sweep", f"{number} {calendar_id} {href}", delay)


def sweep(services: Services, key: str) -> None:
    """The job: delete the event at an address unless a live booking has it; that it is not there is success.

    CalendarError goes up to the engine, which tries again with back-off.
    """
    _, calendar_id, href = key.split(" ", 2)
    with services.store.read() as tx:
        row = tx.mirror.get(calendar_id)
        if row is None or tx.bookings.any_at(row.coach, calendar_id, href, LIVE):
            return
    account = account_of(services, row)
    try:
        services.calendars.delete(account, href)
    except CalendarMissing:
        return
    except CalendarChanged:
        found = services.calendars.read(account, href)
        if found is not None:
            services.calendars.delete(account, href, found.etag)


def _calendar_of(tx: Any, booking: Booking) -> Any:
    rows = tx.mirror.calendars(booking.coach)
    for row in rows:
        if row.id == booking.coach_calendar or (not booking.coach_calendar and "bookings" in row.roles):
            return row
    return None
