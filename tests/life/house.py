"""A coach's house on a real CalDAV server and a real relay: it can be closed and built anew from its folder.

The clock is handed in and jobs run by hand, in the order a test wants; what a job raises is settled as the engine
would settle it. Errors that are nobody's weather (a missing row, a broken rule) are raised.
"""

import random
import shutil
from collections.abc import Callable
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from microsite.config import load_config
from microsite.core.availability import offer as offer_starts
from microsite.core.bookings import Booking
from microsite.core.mirror import Account
from microsite.core.people import ClientDetails
from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.errors import CalendarError
from microsite.errors import MailDelayed
from microsite.errors import TryAgain
from microsite.jobs import outcome
from microsite.services import Services
from microsite.services import build
from microsite.work import book
from microsite.work import look
from microsite.work import setup
from microsite.work.sync import sync_calendar
from tests.hands import Taken
from tests.hands import hands_of
from tests.patient import patient
from tests.postgres import copy_database
from tests.postgres import database_of

COACH = "sari"
HOST = "book.example"
MAILBOX = "sari@coach.example"
NOW = 1_795_406_400
"""Monday 23 November 2026, 04:00 UTC: 11:00 in Jakarta."""
WEATHER = (TryAgain, CalendarError, MailDelayed)
"""What a step may raise when other machines have a bad day."""
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday")
HOURS = {day: ["09:00-17:00"] for day in WEEKDAYS}
OFFERS = [
    Offer(slug=slug, title=Words(en=slug), minutes=60, mode=mode, before=10, after=15, notice=60, cancel_notice=60)
    for slug, mode in (("sesi", "instant"), ("kenal", "email"), ("tanya", "coach"))
]


def settings(zone: str = "Asia/Jakarta", offers: Sequence[Offer] = tuple(OFFERS), **more: Any) -> CoachSettings:
    """A coach whose open hours are in her settings, so that one calendar is enough."""
    values: dict[str, Any] = {"hours": HOURS, **more}
    return CoachSettings(name="Sari", zone=zone, language="en", email=MAILBOX, offers=list(offers), **values)


def configuration(relay: int, embedded: bool = False) -> str:
    """An operator's settings with a relay on this machine (port 0: letters go into a folder)."""
    mail = f'[mail]\nhost = "127.0.0.1"\nport = {relay}\nsecurity = "none"\nsender = "halo@{HOST}"\n' if relay else ""
    site = f'[site]\naddress = "https://{HOST}"\nname = "Janji"\n'
    calendars = 'allow_private_hosts = ["127.0.0.1"]\ncontained = false\n'
    return f"{site}{mail}[calendars]\nembedded = {str(embedded).lower()}\n{calendars}"


class Home:
    """One coach, one calendar, one database; `now` is the clock."""

    def __init__(self, folder: Path, relay: int = 0, now: int = NOW, embedded: bool = False) -> None:
        self.folder, self.now = folder, now
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        (folder / "config.toml").write_text(configuration(relay, embedded))
        self.watch: Callable[[], None] = lambda: None
        self.services = self._built()
        self.hands = hands_of(self.services)

    def _built(self) -> Services:
        from microsite.work.steps import work

        config = load_config({"MICROSITE_INSTANCE": str(self.folder), **database_of(self.folder)})
        services = patient(build(config, lambda: self.now))
        services.store.upgrade()
        self.work = work(services)
        return services

    def furnish(self, account: Account, coach: CoachSettings) -> None:
        """The coach with her calendar."""
        _, recipient = self.services.sealer.new_identity()
        setup.add_coach(self.services, COACH, coach, recipient)
        setup.add_calendar(
            self.services, COACH, account.url, "Sesi", {"bookings", "busy"}, account.username, Secret(account.password)
        )
        sync_calendar(self.services, self.calendar, 20.0)

    def furnish_inside(self, coach: CoachSettings) -> None:
        """The coach with a calendar on the embedded server: then her whole world lies in one folder."""
        _, recipient = self.services.sealer.new_identity()
        setup.add_coach(self.services, COACH, coach, recipient)
        setup.add_embedded_calendars(self.services, COACH, {"bookings": ("Sesi", {"bookings", "busy"})})
        sync_calendar(self.services, self.calendar, 20.0)

    @property
    def calendar(self) -> str:
        """The id of her calendar."""
        with self.services.store.read() as tx:
            (row,) = tx.mirror.calendars(COACH)
        found: str = row.id
        return found

    def restart(self, clean: bool = True) -> None:
        """End, and begin again from what is on disk. Unless `clean`, leases of the dead stay until they run out."""
        self.services.close()
        self.services = self._built()
        self.hands.begin_anew(self.services, clean)

    def close(self) -> None:
        """Give everything back."""
        self.services.close()

    def claim(self, most: int) -> list[Taken]:
        """Take due jobs, as a runner does."""
        return self.hands.take_some(most)

    def perform(self, row: Taken) -> None:
        """Run one claimed job and settle it as the engine would."""
        error: BaseException | None = None
        try:
            self.work.perform(row.kind, row.key)
        except WEATHER as raised:
            error = raised
        self.hands.settle(row, outcome(row.kind, error, row.attempts))
        self.watch()

    def some(self, chance: random.Random, most: int) -> None:
        """Run some due jobs in any order, and leave others as a runner leaves them that was stopped."""
        rows = self.claim(most)
        chance.shuffle(rows)
        for row in rows[: chance.randint(0, len(rows))]:
            self.perform(row)

    def drain(self, most: int = 400) -> None:
        """Run what is due until nothing is."""
        for _ in range(most):
            rows = self.claim(1)
            if not rows:
                return
            self.perform(rows[0])
        raise AssertionError(f"the jobs do not come to an end: {self.jobs()}")

    def pass_time(self, seconds: int, step: int = 65) -> None:
        """Let time pass in steps, with a look at the calendar at each, as the runner's rounds do."""
        until = self.now + seconds
        while self.now < until:
            self.now = min(self.now + step, until)
            with self.services.store.write() as tx:
                self.services.jobs.enqueue(tx, "sync", self.calendar)
                self.services.jobs.enqueue(tx, "stalled", "")
            self.drain()

    def jobs(self) -> list[str]:
        """What waits, for a failing test to show."""
        return self.hands.waiting()

    def starts(self, slug: str = "sesi", without: str = "") -> list[int]:
        """The starts that are offered now (to the booking `without`, where it moves)."""
        coach = look.coach(self.services, COACH)
        offer = coach.settings.offer(slug)
        assert offer is not None
        with self.services.store.read() as tx:
            sight = look.sight(tx, COACH, coach.settings, offer, self.now, without=without)
        return offer_starts(sight.times)

    def book(self, start: int, slug: str = "sesi", email: str = "budi@client.example", **more: str) -> book.Placed:
        """A visitor's POST, before any job ran."""
        details = ClientDetails(more.get("name", "Budi"), email, more.get("note", "halo"))
        zone = more.get("zone", "Asia/Makassar")
        return book.book(self.services, COACH, slug, start, details, more.get("language", "en"), zone)

    def booking(self, booking_id: str) -> Booking:
        """The booking as it is now."""
        with self.services.store.read() as tx:
            return tx.bookings.need(booking_id)

    def confirmed(self, start: int | None = None, slug: str = "sesi", **more: str) -> Booking:
        """A booking that came through."""
        placed = self.book(self.starts(slug)[40] if start is None else start, slug, **more)
        self.drain()
        booking = self.booking(placed.booking.id)
        assert booking.state == "confirmed", booking
        return booking

    def letters(self, booking_id: str, recipient: str = "client") -> list[str]:
        """The kinds of the letters about a booking, in order."""
        with self.services.store.read() as tx:
            return [row.kind for row in tx.letters.of(booking_id) if row.recipient == recipient]


class Pattern:
    """A furnished house on disk that many tests copy: migrating a database anew takes longer than most of them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        Home(folder).close()

    def copy(self, to: Path, relay: int = 0, now: int = NOW) -> Home:
        """A house of one's own."""
        shutil.copytree(self.folder, to)
        copy_database(self.folder, to)
        return Home(to, relay, now)
