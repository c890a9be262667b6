"""Two web and two worker processes under load, of which any one is killed at any moment; and what must then be true."""

import random
import threading
import time
from collections import Counter
from itertools import pairwise
from urllib.parse import urlsplit

import icalendar

from microsite.calendars.client import Client as Dav
from microsite.calendars.wire import Wire
from microsite.core.bookings import ENDED
from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.core.people import Secret
from tests.calendars.servers import LOOPBACK
from tests.flow.coach import Letter
from tests.flow.coach import letter
from tests.flow.visitor import at
from tests.flow.visitor import value
from tests.machines.cluster import COACHES
from tests.machines.cluster import Cluster
from tests.machines.crowd import Client
from tests.machines.crowd import Crowd
from tests.waiting import wait_until

JOBS_AT_ONCE = 4
"""Threads of a worker: so many letters it can have in flight when it is killed."""
MOST = 600.0
"""Seconds for which more is waited for, where too little happens."""


class Chaos:
    """One run: the crowd, the killing, the calm, and the questions."""

    def __init__(self, installation: Cluster, seconds: float, seed: int) -> None:
        self.cluster, self.seconds, self.chance = installation, seconds, random.Random(seed)
        self.crowd = Crowd([node.base for node in installation.webs()], COACHES, seed)
        self.kills: Counter[str] = Counter()

    def run(self, visitors: int) -> None:
        """Load and killing for the given time, then calm until nothing is under way any more."""
        self.crowd.come(visitors)
        begun = time.monotonic()
        try:
            while (passed := time.monotonic() - begun) < self.seconds or (self.uneventful and passed < MOST):
                threading.Event().wait(self.chance.uniform(0.5, 3))
                self._kill_one()
        finally:
            self.crowd.leave()
        wait_until(self._calm, 300, "calm")

    @property
    def uneventful(self) -> bool:
        """Whether too little happened to prove anything: on a slow machine it goes on for longer."""
        done = sum(bool(client.link) for client in list(self.crowd.clients))
        return done < max(5, self.seconds / 10) or self.kills.total() < max(2, self.seconds / 30)

    def _kill_one(self) -> None:
        node = self.chance.choice(self.cluster.nodes)
        all_of_it = node.kind == "worker" or self.chance.random() < 0.7
        node.kill(all_of_it)
        self.kills[node.kind] += 1
        threading.Event().wait(self.chance.uniform(0, 1.5))
        if all_of_it:
            node.start()  # as systemd does; nobody else is killed before it is back

    def _calm(self) -> bool:
        with self.cluster.services.store.read() as tx:
            moving = [each for each in tx.bookings.in_states(LIVE) if each.state != "confirmed" or each.pending_start]
            return not moving and not tx.letters.all_queued()

    def bookings(self) -> list[Booking]:
        """Every booking there ever was."""
        with self.cluster.services.store.read() as tx:
            found: list[Booking] = tx.bookings.in_states(LIVE | ENDED)
        return found

    def events(self, coach: str) -> list[tuple[str, int]]:
        """(UID, start) of every event in a coach's calendar, read past the site."""
        account = self.cluster.calendars.account(self.cluster.names[coach])
        found = []
        with Dav(Wire(account, allowed=LOOPBACK)) as dav:
            dav.wire.start(120)
            hrefs = [row.href for row in dav.propfind("1", "D:getetag").rows if row.href.endswith(".ics")]
            for href in hrefs:
                document = icalendar.Calendar.from_ical(dav.read(href).ics)  # type: ignore[union-attr]
                (event,) = document.walk("VEVENT")
                found.append((str(event["UID"]), int(event["DTSTART"].dt.timestamp())))
        return found

    def check(self) -> None:
        """Nothing lost, nothing twice, and nobody was shown a broken page."""
        assert self.crowd.trouble == [], Counter(self.crowd.trouble)
        bookings = self.bookings()
        letters = [letter(each) for each in list(self.cluster.relay.taken)]
        self._check_clients(bookings, letters)
        self._check_times(bookings)
        self._check_letters(letters)

    def _check_clients(self, bookings: list[Booking], letters: list[Letter]) -> None:
        nobodys = {booking.id for booking in bookings}
        for client in self.crowd.clients:
            if "book" in client.unsure:
                continue
            booking = self._booking(client)
            nobodys.remove(booking.id)
            ended = {"cancelled"} if client.cancelled else {"confirmed"}
            ended |= {"cancelled"} if "cancel" in client.unsure else set()
            assert booking.state in ended, (client, booking)
            self._check_told(client, booking, [each for each in letters if each.to == client.email])
        unsure = sum("book" in client.unsure for client in self.crowd.clients)
        assert len(nobodys) <= unsure, "bookings nobody asked for"

    def _booking(self, client: Client) -> Booking:
        """The booking that her link opens."""
        token = Secret(urlsplit(client.link).path.rsplit("/", 1)[1])
        services = self.cluster.services
        with services.store.read() as tx:
            link = tx.links.get(services.sealer.lookup(token), "manage", 0)
            found: Booking = tx.bookings.need(link.booking)
        return found

    def _check_told(self, client: Client, booking: Booking, letters: list[Letter]) -> None:
        """She got a letter for what she did, each once, and the last one says what is so."""
        first = {each.message_id: each for each in reversed(letters)}
        told = sorted(first.values(), key=lambda each: int(value(each.ics, "SEQUENCE")))
        deeds = client.moved + client.cancelled + len(client.unsure)
        assert 1 <= len(told) <= 1 + deeds, (client, [each.subject for each in told])
        last = told[-1].ics
        assert value(last, "UID") == booking.client_uid
        assert (b"METHOD:CANCEL" in last) == (booking.state == "cancelled")
        assert int(at(value(last, "DTSTART")).timestamp()) == booking.start or booking.state == "cancelled"

    def _check_times(self, bookings: list[Booking]) -> None:
        for coach in COACHES:
            mine = [each for each in bookings if each.coach == coach and each.state in LIVE]
            live = sorted((each.start, each.end, each.coach_uid) for each in mine)
            for one, other in pairwise(live):
                assert one[1] <= other[0], "two sessions at one time"
            events = self.events(coach)
            assert sorted(events) == sorted((uid, start) for start, _, uid in live)

    def _check_letters(self, letters: list[Letter]) -> None:
        """Only what a worker had in its hands when it was killed may have come twice, and then as the same letter."""
        times = Counter(each.message_id for each in letters)
        repeated = sum(number - 1 for number in times.values())
        assert repeated <= self.kills["worker"] * JOBS_AT_ONCE, (repeated, self.kills)
