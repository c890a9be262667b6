"""The breach report: how much could be read in which case, the letters about it, mailing those who can be reached."""

from collections import Counter
from datetime import UTC
from datetime import datetime
from typing import Any
from typing import NamedTuple

from microsite import reports
from microsite.core import breach
from microsite.core.bookings import Booking
from microsite.core.spans import DAY
from microsite.errors import CannotOpen
from microsite.services import Services

from .tell import tell

LANGUAGES = ("en", "id")


class Held(NamedTuple):
    """What is held for one coach: `mute` addresses cannot be opened; `recent` bookings were made since that day."""

    slug: str
    bookings: int
    records: int
    copies: int
    envelopes: int
    mute: int
    recent: int


class Assessment(NamedTuple):
    """Everything counted, and nobody named."""

    coaches: list[Held]
    days: list[tuple[str, int]]
    oldest: str
    passwords: int

    @property
    def counts(self) -> breach.Counts:
        """The sums."""
        rows = self.coaches
        return breach.Counts(
            bookings=sum(row.bookings for row in rows),
            records=sum(row.records for row in rows),
            copies=sum(row.copies for row in rows),
            envelopes=sum(row.envelopes for row in rows),
            passwords=self.passwords,
        )


def assess(services: Services, since: str) -> Assessment:
    """Count what is held, and the bookings made on each day from `since` (a date) on."""
    with services.store.read() as tx:
        bookings = tx.bookings.all()
        slugs = [row.slug for row in tx.coaches.all()]
        sealed = {booking.id: tx.bookings.sealed(booking.id) for booking in bookings}
        opened = {booking.id for booking in bookings if _address(services, booking, sealed[booking.id].delivery)}
        passwords = len(tx.mirror.secrets())
    coaches = []
    for slug in slugs:
        mine = [booking for booking in bookings if booking.coach == slug]
        parts = [sealed[booking.id] for booking in mine]
        envelopes = sum(booking.id in opened for booking in mine)
        closed = sum(part.delivery is not None for part in parts) - envelopes
        records = sum(part.record is not None for part in parts)
        copies = sum(part.copy is not None for part in parts)
        recent = sum(booking.created_on >= since for booking in mine)
        coaches.append(Held(slug, len(mine), records, copies, envelopes, closed, recent))
    days = Counter(booking.created_on for booking in bookings if booking.created_on >= since)
    oldest = min((booking.created_on for booking in bookings), default="")
    return Assessment(coaches, sorted(days.items()), oldest, passwords)


def texts(services: Services, case: str, since: str, noticed_at: int) -> dict[str, str]:
    """The report and the letters, by the name of their file; none of them names a client."""
    found = assess(services, since)
    with services.store.read() as tx:
        rows = tx.coaches.all()
    common = {
        "name": case,
        "stamp": datetime.fromtimestamp(noticed_at, UTC).strftime("%Y-%m-%dT%H:%MZ"),
        "noticed": _moment(noticed_at),
        "deadline": _moment(noticed_at + 3 * DAY),
        "since": since or found.oldest or "-",
        "coaches": found.coaches,
        "days": found.days,
        "oldest": found.oldest,
        "people": found.counts.bookings,
        "reachable": len(_reached(services, noticed_at, case)),
        "more": breach.MORE[case],
        "controllers": ", ".join(row.settings.name for row in rows),
        "retention": max((row.settings.retention_days for row in rows), default=30),
        "operator": services.config.file.site.operator,
        "country": services.config.file.site.country,
        "address": services.config.address,
    }
    files = {"report.txt": reports.write("breach", "en", common | _worded(case, found, "en"))}
    for language in LANGUAGES:
        for name in ("authority", "people"):
            files[f"{name}.{language}.txt"] = reports.write(name, language, common | _worded(case, found, language))
    return files


def reachable(services: Services, case: str, noticed_at: int) -> int:
    """How many people `send` would write to now."""
    return len(_reached(services, noticed_at, case))


def send(services: Services, case: str, noticed_at: int) -> int:
    """Queue the letter about it to everybody whose address can be opened, once for each; answers how many.

    A second call for the same `noticed_at` writes to nobody again.
    """
    happening = breach.LETTERS[case]
    reached = _reached(services, noticed_at, case)
    with services.store.write() as tx:
        for booking in reached:
            current = tx.bookings.get(booking.id)
            if current is not None:
                tell(services, tx, current, happening, old_start=noticed_at)
    return len(reached)


def _worded(case: str, found: Assessment, language: str) -> dict[str, Any]:
    letter = breach.LETTERS[case]
    return {
        "scenario": breach.SCENARIOS[case][language],
        "lines": breach.lines(case, found.counts, language),
        "told": breach.TOLD[letter][language],
        "consequence": breach.CONSEQUENCES[letter][language],
    }


def _reached(services: Services, noticed_at: int, case: str) -> list[Booking]:
    """For each coach and address that can be opened the last booking, without those that were written to already."""
    kind = breach.LETTERS[case]
    told, reached = set[tuple[str, str]](), dict[tuple[str, str], Booking]()
    with services.store.read() as tx:
        for booking in sorted(tx.bookings.with_delivery(), key=lambda each: each.start):
            address = _address(services, booking, tx.bookings.sealed(booking.id).delivery)
            if not address:
                continue
            reached[booking.coach, address] = booking
            if any(row.kind == kind and row.old_start == noticed_at for row in tx.letters.of(booking.id)):
                told.add((booking.coach, address))
    return [booking for key, booking in reached.items() if key not in told]


def _address(services: Services, booking: Booking, sealed: bytes | None) -> str:
    """Whom an envelope is for, to tell people apart; it is compared here and goes nowhere."""
    if sealed is None:
        return ""
    try:
        opened = services.sealer.open_delivery(booking.delivery_day, booking.id, sealed)
    except CannotOpen:
        return ""
    return str(opened.address.reveal()).casefold()


def _moment(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M UTC")
