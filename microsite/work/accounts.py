"""A coach's calendars after they were connected: what each is for, a new password, one taken away.

Connecting them is `setup`'s, reading them `sync`'s. Whatever changes what a calendar is for forgets what was read of it
at once: until it is read anew, no time is offered from it.
"""

from typing import Any
from typing import NamedTuple

import msgspec

from microsite.core.bookings import LIVE
from microsite.core.people import Secret
from microsite.errors import NotFound
from microsite.errors import NotPossibleNow
from microsite.services import Services

from .setup import give_embedded_password
from .sync import SIGN_IN
from .sync import account_of
from .sync import host_of
from .sync import is_embedded

ROLES = {
    "hours": frozenset({"open"}),
    "bookings": frozenset({"bookings", "busy"}),
    "busy": frozenset({"busy"}),
}
"""What a calendar may be for, in one word, and the roles that the word stands for."""


class Listed(NamedTuple):
    """A calendar as an operator sees it; `well`: it answered the last time, `read`: it once did."""

    id: str
    word: str
    name: str
    url: str
    well: bool
    read: bool


def listed(services: Services, slug: str) -> list[Listed]:
    """The calendars of a coach; raises NotFound."""
    with services.store.read() as tx:
        if tx.coaches.get(slug) is None:
            raise NotFound(f"no coach «{slug}»")
        rows = tx.mirror.calendars(slug)
    return [
        Listed(
            row.id,
            word_for(row.roles),
            row.name,
            row.url,
            not row.first_failed_at and bool(row.last_ok_at),
            bool(row.last_ok_at),
        )
        for row in rows
    ]


def word_for(roles: frozenset[str]) -> str:
    """The word for a set of roles; feeds have their own."""
    if "feed" in roles:
        return "feed"
    return next((word for word, stands_for in ROLES.items() if stands_for == roles), " ".join(sorted(roles)))


def takes_password(row: Any) -> bool:
    """Whether a calendar is entered with a password that somebody must know: none of a feed's, ours, or a sign-in's."""
    return bool(row.username) and row.profile not in SIGN_IN and not is_embedded(row) and "feed" not in row.roles


def has_embedded(services: Services, slug: str) -> bool:
    """Whether a coach has calendars on the built-in server."""
    with services.store.read() as tx:
        return any(is_embedded(row) for row in tx.mirror.calendars(slug))


def new_embedded_password(services: Services, slug: str) -> Secret:
    """A new password of the built-in server for this coach's calendar apps; the old one opens nothing any more.

    Raises NotPossibleNow where she has no calendar there.
    """
    if not has_embedded(services, slug):
        raise NotPossibleNow(f"«{slug}» has no calendar on the built-in server")
    return give_embedded_password(services, slug)


def new_password(services: Services, slug: str, calendar_id: str, password: Secret) -> int:
    """Put a new (app) password in the place of the old one, for all calendars of that account; answers how many.

    It is tried first: raises CalendarError where the server does not let it in, and NotPossibleNow where the calendar
    has no password; then the old one stays.
    """
    asked = _row(services, slug, calendar_id)
    if not takes_password(asked):
        raise NotPossibleNow("this calendar is entered without a password")
    services.calendars.check(msgspec.structs.replace(account_of(services, asked), password=password.reveal()))
    with services.store.change(slug) as tx:
        rows = [row for row in tx.mirror.calendars(slug) if _account(row) == _account(asked)]
        for row in rows:
            sealed = services.sealer.seal_secret(password, f"calendar/{row.id}")
            tx.mirror.touch(row.id, secret=sealed, backoff_until=0, next_poll_at=0)
            services.jobs.enqueue(tx, "sync", row.id)
    return len(rows)


def use_for(services: Services, slug: str, calendar_id: str, word: str) -> None:
    """Let a calendar be for something else; the one that took the bookings until now then only blocks time.

    Raises NotFound, NotPossibleNow where nothing would take the bookings, CalendarError where it is read-only.
    """
    with services.store.change(slug) as tx:
        rows = tx.mirror.calendars(slug)
        asked = _mine(rows, calendar_id)
        if "feed" in asked.roles:
            raise NotPossibleNow("a feed can only block time")
        if "bookings" in asked.roles and word != "bookings":
            raise NotPossibleNow("first name the calendar that takes the bookings from now on")
        if word == "bookings":
            for row in rows:
                if "bookings" in row.roles and row.id != asked.id:
                    _give_role(services, tx, row, "busy")
        _give_role(services, tx, asked, word)


def remove(services: Services, slug: str, calendar_id: str) -> None:
    """Forget a calendar, its password and all that was read of it. On its server nothing is changed.

    Raises NotFound, NotPossibleNow where it takes the bookings or holds the event of a coming one.
    """
    with services.store.change(slug) as tx:
        asked = _mine(tx.mirror.calendars(slug), calendar_id)
        if "bookings" in asked.roles:
            raise NotPossibleNow("first name the calendar that takes the bookings from now on")
        coming = tx.bookings.coming(slug, LIVE, services.clock())
        if any(booking.coach_calendar == asked.id for booking in coming):
            raise NotPossibleNow("coming sessions stand in this calendar; take it away when the last of them is over")
        tx.mirror.remove(asked.id)


def _give_role(services: Services, tx: Any, row: Any, word: str) -> None:
    if ROLES[word] == row.roles:
        return
    if ("open" in ROLES[word]) != ("open" in row.roles):
        # What blocked time must not open it for a moment, nor the other way round.
        tx.mirror.forget(row.id)
    tx.mirror.touch(row.id, roles=" ".join(sorted(ROLES[word])), backoff_until=0, next_poll_at=0)
    services.jobs.enqueue(tx, "sync", row.id)


def _row(services: Services, slug: str, calendar_id: str) -> Any:
    with services.store.read() as tx:
        return _mine(tx.mirror.calendars(slug), calendar_id)


def _mine(rows: list[Any], calendar_id: str) -> Any:
    found = next((row for row in rows if row.id == calendar_id), None)
    if found is None:
        raise NotFound(f"no calendar «{calendar_id}» of this coach")
    return found


def _account(row: Any) -> tuple[str, str, str]:
    return host_of(row), row.username, row.profile
