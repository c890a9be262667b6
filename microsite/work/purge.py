"""Forgetting: envelopes that have done their work, day keys a day after their day, records after the retention time."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import Any
from typing import NamedTuple

from microsite.core.bookings import ENDED
from microsite.core.bookings import Booking
from microsite.core.happenings import PURGED
from microsite.core.spans import DAY
from microsite.services import Services

HAPPENINGS_KEPT_DAYS = 365
LAST_ROUND = "last-purge"
"""The file of the instance that says when the last round was; without it nothing is taken for a leap."""
LEAP = 26 * 3600
log = logging.getLogger("microsite.purge")


class Purged(NamedTuple):
    """How much was (or would be) destroyed."""

    records: int
    envelopes: int
    day_keys: int
    copies: tuple[str, ...] = ()
    """Files that an upgrade left for going back."""


def purge(services: Services, _key: str = "") -> None:
    """The hourly job. After a leap of the clock it waits for a round: what it destroys is gone for good."""
    if _leapt(services):
        log.warning("the clock leapt ahead, or the site was off for long: nothing is destroyed for an hour")
        return
    purge_now(services)


def _leapt(services: Services) -> bool:
    """Whether more than a day has passed since the last round, by a clock that may be wrong."""
    now, note = services.clock(), services.config.instance / LAST_ROUND
    last = note.read_text(encoding="ascii", errors="replace").strip() if note.is_file() else ""
    with suppress(OSError):  # a full disk must not keep anything longer than it has to be kept
        note.touch(mode=0o600)
        note.write_text(f"{now}\n", encoding="ascii")
    return last.isdecimal() and now - int(last) > LEAP


def purge_now(services: Services, dry_run: bool = False) -> Purged:
    """Destroy everything whose time has come; with `dry_run` only count it."""
    now = services.clock()
    today = datetime.fromtimestamp(now, UTC).date()
    with services.store.read() as tx:
        records = tx.bookings.due_for_purge(today.isoformat())
        envelopes = [booking for booking in tx.bookings.with_delivery() if _done(tx, booking, now)]
    # A day's key may go once its last session ended 24 hours ago: the day itself ends the day after.
    days = [day for day in services.sealer.key_days() if day < (today - timedelta(days=1)).isoformat()]
    if dry_run:
        copies = services.store.old_copies(now, going=[booking.id for booking in records])
        return Purged(len(records), len(envelopes), len(days), _names(copies))
    # Also when nothing is due: letters and links grow old by themselves, and a reader may have kept the last
    # emptying of the log from being whole.
    with services.store.write() as tx:
        for coach in sorted({booking.coach for booking in records}):
            tx.coaches.raise_revision(coach)  # a past booking may still count for the cap of its week
        for booking in envelopes:
            tx.bookings.set_sealed(booking.id, delivery=None)
        for booking in records:
            tx.happenings.note(booking.coach, booking.ref, now, PURGED)
            tx.bookings.remove(booking.id)
        tx.links.remove_expired(now)
        tx.invitations.remove_expired(now)
        tx.happenings.remove_before(now - HAPPENINGS_KEPT_DAYS * DAY)
    for day in days:
        services.sealer.destroy_day(day)
    services.mailer.forget_before(now - DAY)
    services.store.truncate_log()
    return Purged(len(records), len(envelopes), len(days), forget_copies(services))


def forget_copies(services: Services) -> tuple[str, ...]:
    """Destroy copies of the database that are a week old or hold what was erased or purged; answers their names."""
    old = services.store.old_copies(services.clock())
    for path in old:
        services.store.destroy_copy(path)
    return _names(old)


def _names(paths: Sequence[Path]) -> tuple[str, ...]:
    return tuple(path.name for path in paths)


def _done(tx: Any, booking: Booking, now: int) -> bool:
    """Whether an envelope has done its work: the session is a day past, or it was called off and all is told."""
    called_off = booking.state in ENDED and not tx.letters.waiting(booking.id, "client")
    return called_off or booking.end + DAY <= now
