"""What a coach is shown about her house: how her calendars are, what is held about whom until when, what happened."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from microsite.core.oddities import WITHDRAWN
from microsite.core.oddities import said
from microsite.core.settings import Words
from microsite.core.spans import Spans
from microsite.services import Services

from . import accounts
from .look import Coach
from .sync import SIGN_IN

MOST_LINES = 200


class Odd(NamedTuple):
    """Events that cannot be taken as they stand: what is said about them, how many, and when the next one is (or 0)."""

    sentence: Words
    events: int
    at: int


class Calendar(NamedTuple):
    """One calendar as it is known: what it is for, when it last answered, since when it does not, and what is odd.

    `password` says whether it is entered with one that the coach can renew.
    """

    id: str
    name: str
    roles: frozenset[str]
    last_ok_at: int
    failing_since: int
    problem: str
    busy: bool
    odd: Sequence[Odd] = ()
    withdrawn: Words | None = None
    password: bool = False


class Held(NamedTuple):
    """How much is kept: bookings, records, copies, envelopes; how many records go on which day; the last of them."""

    bookings: int
    records: int
    copies: int
    envelopes: int
    going: list[tuple[str, int]]


class Line(NamedTuple):
    """Something that happened; `ref` is empty where it belongs to no booking."""

    at: int
    ref: str
    what: str


class Invitation(NamedTuple):
    """A living invitation."""

    offer: str
    label: str
    uses_left: int
    expires_at: int


def calendars(services: Services, coach: Coach) -> list[Calendar]:
    """The coach's calendars."""
    with services.store.read() as tx:
        rows = [(row, tx.mirror.odd(row.id)) for row in tx.mirror.calendars(coach.slug)]
    return [
        Calendar(
            row.id,
            row.name or row.id,
            row.roles,
            row.last_ok_at,
            row.first_failed_at,
            row.problem,
            row.kind == "busy",
            _odd(warnings, services.clock()),
            WITHDRAWN if row.profile in SIGN_IN and row.problem == "CalendarRefused" else None,
            accounts.takes_password(row),
        )
        for row, warnings in rows
    ]


def _odd(warnings: Sequence[tuple[str, Spans]], now: int) -> list[Odd]:
    found = []
    for code in sorted({code for code, _ in warnings}):
        each = [spans for its, spans in warnings if its == code]
        starts = [span.start for spans in each for span in spans if span.end > now]
        found.append(Odd(said(code), len(each), min(starts, default=0)))
    return found


def held(services: Services, coach: Coach) -> Held:
    """Counts of what is kept for a coach, and the days on which it goes."""
    with services.store.read() as tx:
        bookings = tx.bookings.count(coach.slug)
        records = [booking for booking, _ in tx.bookings.records(coach.slug)]
        sealed = [tx.bookings.sealed(booking.id) for booking in records]
    going = Counter(booking.purge_on for booking in records)
    copies = sum(each.copy is not None for each in sealed)
    envelopes = sum(each.delivery is not None for each in sealed)
    return Held(bookings, len(records), copies, envelopes, sorted(going.items()))


def happened(services: Services, coach: Coach) -> list[Line]:
    """The last happenings, newest first."""
    with services.store.read() as tx:
        lines = tx.happenings.of(coach.slug)
    return [Line(*line) for line in lines[: -MOST_LINES - 1 : -1]]


def happened_words(services: Services, coach: Coach) -> list[str]:
    """The words of everything that happened and is not forgotten yet."""
    with services.store.read() as tx:
        return [what for _, _, what in tx.happenings.of(coach.slug)]


def invitations(services: Services, coach: Coach) -> list[Invitation]:
    """The coach's living invitations, soonest to expire first."""
    with services.store.read() as tx:
        rows = tx.invitations.of(coach.slug, services.clock())
    return [Invitation(row.offer, row.label, row.uses_left, row.expires_at) for row in rows]
