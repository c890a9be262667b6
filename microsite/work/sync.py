"""Keeping the mirror in step: one calendar at a time, applied in one transaction, idempotent.

When which calendar is asked is decided in `polls`. What the calendars say about our own events is judged elsewhere
(`judge`); here only spans and facts are stored.
"""

import random
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager
from contextlib import nullcontext
from datetime import timedelta
from typing import Any
from typing import NamedTuple
from urllib.parse import urlsplit

from microsite.core.hours import local_day
from microsite.core.hours import midnight
from microsite.core.letters import CALENDAR_UNREACHABLE
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.core.mirror import ReadingRules
from microsite.core.polling import SILENT
from microsite.core.polling import TRIES as KNOCKS
from microsite.core.polling import after_failure
from microsite.core.polling import after_success
from microsite.core.polling import wait_after_outage
from microsite.core.settings import CoachSettings
from microsite.core.spans import DAY
from microsite.errors import CalendarBusy
from microsite.errors import CalendarError
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable
from microsite.services import Services

from .pace import pace_of
from .tell import tell_coach

SYNC_SECONDS = 20.0
EMBEDDED_HOST = "embedded.invalid"
WINDOW_DAYS = 430
"""How far ahead events are read; when less than the longest horizon (365 days) is left, everything is read anew."""
NEEDED_DAYS = 370
FEW = 3
EMPTY_SECONDS = 3600
"""How long a calendar must be empty before it is believed: a server's bad hour must not open all of a coach's time."""
TRIES = 3
SIGN_IN = frozenset({"google"})
"""Profiles of providers that give no access by password: the sealed secret is a lasting permission (OAuth 2)."""
UNFINISHED = "FULL"
"""A first reading of a large calendar that ran out of time: what was read is stored, the rest comes next."""


def on_embedded_change(services: Services, path: str) -> None:
    """The embedded server stored something: sync the calendar at that collection path at once."""
    with services.store.read() as tx:
        rows = tx.mirror.at_url(embedded_url(path))
    if rows:
        with services.store.write() as tx:
            for row in rows:
                services.jobs.enqueue(tx, "sync", row.id)


def embedded_url(path: str) -> str:
    """The address under which a collection of the embedded server is kept in the store."""
    return f"http://{EMBEDDED_HOST}/dav/{path.strip('/')}/"


class Ground(NamedTuple):
    """What a reading starts from: a calendar's row, the coach's settings, the etags known of it, the UIDs we wrote."""

    row: Any
    settings: CoachSettings
    etags: dict[str, str]
    own: frozenset[str]


class Read(NamedTuple):
    """What was read of a calendar at `now`, and its row as it was known before."""

    row: Any
    pulled: Pulled
    now: int


def sync_calendar(services: Services, calendar_id: str, seconds: float) -> bool:
    """Bring one calendar's mirror up to date; True where anything changed. Raises CalendarError (and records it)."""
    with services.store.read() as tx:
        row = tx.mirror.get(calendar_id)
    with turn(services, [row]):
        return row is not None and _sync(services, calendar_id, seconds)


def turn(services: Services, rows: Iterable[Any]) -> AbstractContextManager[None]:
    """Where one of these calendars is embedded: wait until no other thread reads one, but not for long.

    Two that read the same calendar get in each other's way twice: the one that stores second must read again.
    """
    near = any(row is not None and is_embedded(row) for row in rows)
    return services.embedded_turn.turn() if near else nullcontext()


def _sync(services: Services, calendar_id: str, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    for _ in range(TRIES):
        read = read_calendar(services, calendar_id, seconds)
        if read is None:
            return False
        with services.store.write() as tx:
            changed = keep(services, tx, read)
        if changed is not None:
            return changed
        if time.monotonic() > deadline:
            break
    raise CalendarBusy("the calendar could not be read to its end in time; reading goes on")


def read_calendar(services: Services, calendar_id: str, seconds: float) -> Read | None:
    """Ask one calendar what changed, for `keep`; None where it is gone. Raises CalendarError (and records it)."""
    with services.store.read() as tx:
        row = tx.mirror.get(calendar_id)
        found = grounds(tx, row.coach, [row]) if row is not None else []
    return read_from(services, found[0], seconds) if found else None


def grounds(tx: Any, coach: str, rows: Iterable[Any]) -> list[Ground]:
    """What the readings of some calendars of one coach start from."""
    settings, own = tx.coaches.settings(coach), tx.bookings.own_uids(coach)
    return [Ground(row, settings, tx.mirror.etags(row.id), own) for row in rows]


def read_from(services: Services, ground: Ground, seconds: float) -> Read | None:
    """The same, from a ground that was just looked up."""
    row, settings, etags, own = ground
    now = services.clock()
    if row.window_end < now + NEEDED_DAYS * DAY:
        # Too little of the window is left, or a setting changed what events say. Where it changes while we read, the
        # window stays as it is and asks for yet another turn.
        with services.store.write() as tx:
            tx.mirror.read_anew(row.id, now + WINDOW_DAYS * DAY)
        return read_calendar(services, row.id, seconds)
    try:
        pulled = services.calendars.pull(
            account_of(services, row), _known(row, etags), _rules(row, settings, own, now), now, seconds
        )
    except CalendarError as error:
        _note_failure(services, row, error, now)
        raise
    if _too_empty(row, etags, pulled, now):
        doubt = CalendarUnreachable("the calendar is suddenly empty; that is believed when it lasts")
        _note_failure(services, row, doubt, now)
        raise doubt
    return Read(row, pulled, now)


def account_of(services: Services, row: Any) -> Account:
    """How to reach a stored calendar; its password, or what stands in for it, is opened here and nowhere else."""
    secret = ""
    if row.secret:
        secret = services.sealer.open_secret(row.secret, f"calendar/{row.id}").reveal()
    signed_in = row.profile in SIGN_IN
    return Account(
        calendar=row.id,
        url=row.url,
        username="" if signed_in else row.username,
        password="" if signed_in else secret,
        refresh=secret if signed_in else "",
        profile=row.profile,
        feed="feed" in row.roles,
    )


def is_embedded(row: Any) -> bool:
    """Whether a calendar lives on the embedded server, which is reached without a network."""
    return host_of(row) == EMBEDDED_HOST


def _too_empty(row: Any, etags: dict[str, str], pulled: Pulled, now: int) -> bool:
    """Whether a calendar that held several events shows none, without having named them as deleted, and only lately."""
    lasts = now - row.first_failed_at if row.first_failed_at else 0
    return pulled.full and not pulled.present and len(etags) > FEW and lasts < EMPTY_SECONDS


def host_of(row: Any) -> str:
    return urlsplit(row.url).hostname or ""


def _known(row: Any, etags: dict[str, str]) -> Known:
    return Known(state=row.state, sync_token=row.sync_token, ctag=row.ctag, last_full_at=row.last_full_at, etags=etags)


def _rules(row: Any, settings: CoachSettings, own: Iterable[str], now: int) -> ReadingRules:
    zone = settings.zoneinfo
    today = local_day(now, zone)
    titles = [
        (title, offer.slug) for offer in settings.offers for title in (offer.slug, offer.title.id, offer.title.en)
    ]
    return ReadingRules(
        kind=row.kind,
        zone=settings.zone,
        start=midnight(today - timedelta(days=2), zone),
        end=midnight(today + timedelta(days=WINDOW_DAYS), zone),
        tentative_blocks=settings.tentative_blocks,
        serves={" ".join(title.casefold().split()): slug for title, slug in titles if title},
        own_uids=frozenset(own),
    )


def keep(services: Services, tx: Any, read: Read) -> bool | None:
    """Store what was read; True where anything changed, None where the calendar must be read again.

    So it is where somebody else synced it meanwhile, and where its end was not reached.
    """
    row, pulled, now = read
    gone = list(pulled.removed)
    if pulled.full:
        gone += sorted(set(tx.mirror.etags(row.id)) - set(pulled.present))
    changed = bool(pulled.readings or gone)
    if not _note_success(services, tx, read, changed):
        return None
    if changed:
        tx.coaches.raise_revision(row.coach)
        tx.mirror.drop_resources(row.id, gone)
        tx.mirror.put_readings(row.id, pulled.readings)
        tx.mirror.merge(row.id)
        services.jobs.enqueue(tx, "judge", row.coach)
    if row.first_failed_at or not row.last_ok_at:
        tx.coaches.raise_revision(row.coach)
        tx.coaches.set_told_unreachable(row.coach, 0)
    if row.problem in SILENT:
        _host_is_back(tx, row, now)
    return None if pulled.state == UNFINISHED else changed


def _note_success(services: Services, tx: Any, read: Read, changed: bool) -> bool:
    """How far the calendar is known now, and when it is asked again; False where somebody else synced it meanwhile."""
    row, pulled, now = read
    unfinished = pulled.state == UNFINISHED
    poll = after_success(row.interval, changed, random.random(), pace_of(services, tx).quiet)  # noqa: S311 - jitter, not a secret
    return bool(
        tx.mirror.set_state(
            row,
            state=pulled.state,
            sync_token=pulled.sync_token,
            ctag=pulled.ctag,
            # Half a calendar is no calendar: until it was read to its end, no time may be offered from it.
            last_ok_at=row.last_ok_at if unfinished else now,
            last_full_at=now if pulled.full else row.last_full_at,
            failures=0,
            first_failed_at=0,
            backoff_until=0,
            problem="",
            interval=poll.interval,
            next_poll_at=now if unfinished else now + poll.wait,
        )
    )


def _host_is_back(tx: Any, row: Any, now: int) -> None:
    """What answers for one calendar will for the others: they need not sit out what was a day's wait by now."""
    others = [each for each in tx.mirror.at_host(host_of(row)) if each.id != row.id and each.problem in SILENT]
    for place, other in enumerate(others):
        at = now + wait_after_outage(place)
        if other.next_poll_at > at:
            tx.mirror.touch(other.id, backoff_until=at, next_poll_at=at)


def _note_failure(services: Services, row: Any, error: CalendarError, now: int) -> None:
    refused = isinstance(error, CalendarRefused)
    poll = after_failure(row.failures + 1, error.retry_after, random.random(), refused)  # noqa: S311 - jitter, not a secret
    with services.store.write() as tx:
        tx.mirror.touch(
            row.id,
            failures=row.failures + 1,
            first_failed_at=row.first_failed_at or now,
            backoff_until=now + poll.wait,
            next_poll_at=now + poll.wait,
            problem=type(error).__name__,
        )
        coach = tx.coaches.get(row.coach)
        if refused and row.failures + 1 >= KNOCKS and coach is not None and not coach.told_unreachable_at:
            # Only she can mend this, so she is told before her times are hidden.
            tx.coaches.set_told_unreachable(row.coach, now)
            tell_coach(services, tx, row.coach, CALENDAR_UNREACHABLE)
