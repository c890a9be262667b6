"""Everything that takes part in the long story: visitors, the coach's app, two machines with bad days, one house."""

import logging
import random
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path

from microsite.core.bookings import LIVE
from microsite.core.bookings import Booking
from microsite.errors import NotFound
from tests.calendars.proxy import Exchange
from tests.calendars.proxy import Proxy
from tests.calendars.servers import Server
from tests.canary.sinks import database
from tests.canary.sinks import instance

from .app import App
from .house import COACH
from .house import MAILBOX
from .house import Pattern
from .house import settings
from .oracle import State
from .oracle import check_counters
from .oracle import entry
from .oracle import news
from .oracle import told
from .relay import OK
from .relay import Inbox

GAPS = (10, 15)
"""Minutes before and after each session of the house."""


@dataclass
class Client:
    """One visitor, her booking, and how it was seen to change."""

    email: str
    name: str
    note: str
    booking: Booking
    history: list[State] = field(default_factory=list)
    erased: bool = False
    asked_again: int = 0
    bounced: bool = False
    dragged: bool = False
    """The coach chose its time, so it may stand where the site would not have put it."""
    retitled: bool = False


class World:
    """The whole of one example."""

    def __init__(self, server: Server, between: Proxy, pattern: Pattern, folder: Path, inbox: Inbox, port: int) -> None:
        self.proxy, self.inbox = between, inbox
        name = server.new_calendar()
        self.home = pattern.copy(folder, port)
        self.home.furnish(server.account(name, between.port), settings())
        self.home.watch = self.look
        self.app = App(server.account(name))
        self.clients: list[Client] = []
        self.trash: list[tuple[str, str]] = []
        self.restored: set[str] = set()
        self.own = 0
        self.log: list[str] = []
        self.handler = _Ear(self.log)
        logging.getLogger().addHandler(self.handler)

    def close(self) -> None:
        """Give everything back."""
        logging.getLogger().removeHandler(self.handler)
        self.app.close()
        self.home.close()

    def now_is(self, client: Client) -> Booking | None:
        """The booking now, or None when it was erased."""
        try:
            return self.home.booking(client.booking.id)
        except NotFound:
            return None

    def look(self) -> None:
        """Note what changed; called after every job and every deed."""
        for client in self.clients:
            now = self.now_is(client)
            if now is None:
                continue
            client.booking = now
            seen = State(now.state, now.start, now.end)
            if not client.history or client.history[-1] != seen:
                client.history.append(seen)

    def live(self, *states: str) -> list[Client]:
        """Clients whose booking holds its time (in one of these states)."""
        return [one for one in self.clients if not one.erased and one.booking.state in (states or LIVE)]

    def heal(self) -> None:
        """All machines are well again."""
        self.proxy.heal()
        self.inbox.weather, self.inbox.lost = OK, False
        self.inbox.refused.clear()

    def settle(self) -> None:
        """All faults end, enough time passes, and what is due runs."""
        self.heal()
        self.home.hands.release()
        self.home.pass_time(4 * 131, 131)
        self.home.pass_time(5 * 3600, 4000)
        self.look()

    def check_no_overlap(self) -> None:
        """No two bookings hold the same time, buffers included, but where the coach put one herself."""
        before, after = (minutes * 60 for minutes in GAPS)
        held = []
        for client in self.live():
            held.append((client, client.booking.start, client.booking.end))
            if client.booking.pending_start is not None and client.booking.pending_end is not None:
                held.append((client, client.booking.pending_start, client.booking.pending_end))
        held.sort(key=lambda each: each[1])
        for number, (one, _, end) in enumerate(held):
            for other, start, _ in held[number + 1 :]:
                if one is not other and not (one.dragged or other.dragged):
                    assert start >= end + max(before, after), (one.booking, other.booking)

    def check_letters(self) -> None:
        """Counters rise; and no letter says more than its reader may know."""
        for client in self.clients:
            letters = self.inbox.to(client.email)
            check_counters(letters)
            if client.bounced:
                continue  # what her mailbox refused she did not get: the coach is told, and nothing comes again
            got, due = news(letters), told(client.history)
            assert got == due[: len(got)], (got, due, client.history)

    def check_agreement(self) -> None:
        """Once all is quiet: database, calendar and each client's own calendar say the same, and all was told."""
        events = {event.uid: event for event in self.app.events()}
        with self.home.services.store.read() as tx:
            queued = tx.letters.all_queued()
        assert queued == [], self.home.jobs()
        for client in self.clients:
            booking, letters = client.booking, self.inbox.to(client.email)
            alive = not client.erased and booking.state in LIVE
            assert not alive or booking.state != "confirming", self.home.jobs()
            assert not alive or booking.pending_start is None, (booking, self.home.jobs())
            if not client.bounced and not client.erased:
                got, due = news(letters), told(client.history)
                assert got == due, (got, due, client.history)
                hers = entry(letters)
                sure = booking.state == "confirmed" or (booking.state == "frozen" and booking.client_dtstamp > 0)
                assert (hers is not None) == sure, (booking, hers)
                assert hers is None or (hers.start, hers.end) == (booking.start, booking.end)
            event = events.get(booking.coach_uid)
            if booking.end <= self.home.now:
                continue  # what she does with sessions that have been is her own affair
            if not alive:
                assert event is None or booking.coach_uid in self.restored, (booking, event)
            elif booking.state in {"confirmed", "awaiting-coach"}:
                assert event is not None, (booking, client.history)
                assert (event.start, event.end) == (booking.start, booking.end), (booking, event, client.history)

    def check_privacy(self) -> None:
        """A person's words are in no event, no log line, no file of the house, and in no letter but her own To line."""
        words = [word for one in self.clients for word in (one.name, one.email, one.note)]
        letters = b"\n".join(letter.without_recipient for letter in self.inbox.letters)
        coach = b"\n".join(letter.message.as_bytes() for letter in self.inbox.to(MAILBOX))
        disk = b"\n".join(piece.data for piece in (*instance(self.home.folder), *database(self.home.folder)))
        calendar = "\n".join(str(one.data) for one in self.app.calendar.get_events()).encode()
        heard = "\n".join(self.log).encode()
        for word in words:
            for name, place in (("letters", letters), ("coach", coach), ("disk", disk), ("calendar", calendar)):
                assert word.encode() not in place, f"{name} of {COACH}"
            assert word.encode() not in heard, "log"


class _Ear(logging.Handler):
    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self.lines = lines
        self.setFormatter(logging.Formatter())

    def emit(self, record: logging.LogRecord) -> None:
        if record.name.startswith("microsite"):
            self.lines.append(self.format(record))


def hang_up(exchange: Exchange) -> None:
    """The server is away."""
    exchange.answer(500)
    exchange.cut = 0


def five_hundred(exchange: Exchange) -> None:
    """The server is confused."""
    exchange.answer(500)


def asked_to_wait(exchange: Exchange) -> None:
    """The server wants to be left alone for a while."""
    exchange.answer(503, Retry_After="90")


def lose_answer(chance: random.Random) -> object:
    """The server does what it is told, and now and then the answer is lost on the way."""

    def fault(exchange: Exchange) -> None:
        if chance.random() < 0.4:
            exchange.cut = 0

    return fault
