"""A practice of many coaches in one database, each with weekly hours and a calendar of busy time, and its visitors."""

import random
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from tempfile import TemporaryDirectory

from microsite.config import Config
from microsite.config import load_config
from microsite.core.availability import offer as offer_starts
from microsite.core.mirror import Reading
from microsite.core.people import ClientDetails
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.core.spans import DAY
from microsite.core.spans import MINUTE
from microsite.core.spans import Spans
from microsite.errors import SlotTaken
from microsite.services import Services
from microsite.services import build
from microsite.work import book
from microsite.work import look
from microsite.work import setup
from microsite.work import terms

from .figures import WrongAnswer

NOW = 1_795_406_400
"""Monday 23 November 2026, 04:00 UTC. The clock stands still: a booking costs the same in any second."""
OFFER = "sesi"
WEEK = ["09:00-12:00", "13:00-17:00", "19:00-21:00"]
BUSY = 200
DAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday")

_versions: dict[tuple[Path, str], str] = {}


def settings(number: int) -> CoachSettings:
    """One of the coaches."""
    return CoachSettings(
        name=f"Coach {number}",
        zone="Asia/Jakarta",
        contact="coach@example.org",
        email="coach@example.org",
        hours={day: WEEK for day in DAYS},
        offers=[Offer(slug=OFFER, title=Words(id="Sesi", en="Session"), minutes=30, step=30, before=5, after=10)],
    )


def slug(number: int) -> str:
    """Her name in addresses."""
    return f"coach-{number}"


@contextmanager
def practice(coaches: int, database: str = "") -> Iterator[Config]:
    """The settings of an instance with so many coaches, in a folder that is removed in the end."""
    with TemporaryDirectory(prefix="microsite-bench-") as folder:
        environ = {"MICROSITE_INSTANCE": str(Path(folder) / "instance")}
        config = load_config(environ | ({"MICROSITE_DATABASE_URL": database} if database else {}))
        services = opened(config)
        try:
            services.store.upgrade()
            _, recipient = services.sealer.new_identity()
            for number in range(coaches):
                setup.add_coach(services, slug(number), settings(number), recipient)
                _fill_calendar(services, slug(number), random.Random(number))
            terms.record_all(services)  # as a site does at its start: no booking is the first under its privacy page
        finally:
            services.close()
        yield config


def opened(config: Config) -> Services:
    """The rooms, with a clock that stands still."""
    return build(config, lambda: NOW)


def starts(services: Services, coach: str) -> list[int]:
    """What she offers now."""
    found = look.coach(services, coach)
    offer = found.settings.offer(OFFER)
    if offer is None:
        raise WrongAnswer(f"«{coach}» has no such offer")
    return offer_starts(look.times(services, found, offer))


def book_once(services: Services, coach: str, start: int) -> bool:
    """A visitor's booking as the page makes it; False where the time was taken. Everything else is raised."""
    details = ClientDetails("Budi", "budi@example.com", "halo")
    try:
        book.book(services, coach, OFFER, start, details, "id", "Asia/Makassar", version=_version(services, coach))
    except SlotTaken:
        return False
    return True


def _version(services: Services, coach: str) -> str:
    """What her form names, which the visitor got with it: the privacy page as it was then."""
    key = (services.config.instance, coach)
    if key not in _versions:
        _versions[key] = terms.record(services, coach)
    return _versions[key]


def doubles(services: Services, coaches: int) -> int:
    """How many live bookings begin before an earlier one of the same coach has ended."""
    found = 0
    for number in range(coaches):
        with services.store.read() as tx:
            live = sorted((each.start, each.end) for each in tx.bookings.live(slug(number), 0))
        found += sum(later[0] < earlier[1] for earlier, later in pairwise(live))
    return found


def counts(services: Services, coaches: int) -> tuple[int, int]:
    """(live bookings, jobs that wait): a booking without its job would never be confirmed."""
    bookings = 0
    with services.store.read() as tx:
        for number in range(coaches):
            bookings += len(list(tx.bookings.live(slug(number), 0)))
        return bookings, services.jobs.counts(tx).waiting


def _fill_calendar(services: Services, coach: str, dice: random.Random) -> None:
    """A calendar that was just read, with some busy hours in each week."""
    key = f"busy-{coach}"
    with services.store.write() as tx:
        tx.mirror.add_calendar(key, coach, f"https://cal.example/{coach}/", "Private", {"busy"})
        tx.mirror.touch(key, last_ok_at=NOW, window_end=NOW + 430 * DAY, next_poll_at=NOW + DAY, state="IDLE")
        tx.mirror.put_readings(key, [_event(number, dice) for number in range(BUSY)])
        tx.mirror.merge(key)


def _event(number: int, dice: random.Random) -> Reading:
    start = NOW + 15 * MINUTE * dice.randrange(60 * 96)
    spans = Spans.of([(start, start + 15 * MINUTE * dice.randint(1, 6))])
    return Reading(href=f"/{number}.ics", etag=f'"{number}"', uid=f"{number}@example", spans=spans.pack())
