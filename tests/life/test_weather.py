"""The fault run through the whole house: whatever the calendar's server says for a while, nobody is told a wrong thing.

Six clients have their sessions; the server falls ill; meanwhile the coach adds a private event and drags one session,
and another visitor books. After it is well again the mirror is what the server has, no booking is cancelled, and each
client has exactly the letters that are true.
"""

import re
import threading
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.calendars.client import Client
from microsite.calendars.wire import Wire
from microsite.core.bookings import Booking
from tests.calendars.proxy import Exchange
from tests.calendars.proxy import Fault
from tests.calendars.proxy import Proxy
from tests.calendars.proxy import proxy
from tests.calendars.servers import LOOPBACK
from tests.calendars.servers import Server
from tests.calendars.test_faults import FAULTS as ANSWERS

from .app import App
from .house import Home
from .house import Pattern
from .house import settings
from .relay import Inbox

CLIENTS = [f"client-{number}@client.example" for number in range(6)]
LATE = "late@client.example"
ROW = re.compile(rb"<([A-Za-z0-9]*:?)response(?:\s[^>]*)?>(?:(?!</\1response>).)*?\.ics.*?</\1response>", re.DOTALL)


class Illness:
    """A fault, and how it begins: some need to have seen the server while it was well."""

    def __init__(self, fault: Fault) -> None:
        self.fault = fault

    def begin(self, between: Proxy) -> None:
        """From now on."""
        between.after.append(self.fault)


class Yesterday(Illness):
    """Listings and sync reports as they were a day ago, and tokens that were never given; objects as they are today."""

    def __init__(self) -> None:
        super().__init__(self._old)
        self.listing = b""

    def watch(self, exchange: Exchange) -> None:
        """Remember what a whole listing says while all is well."""
        if b"sync-collection" in exchange.body and exchange.status == 207:
            self.listing = exchange.reply

    def _old(self, exchange: Exchange) -> None:
        if b"sync-collection" in exchange.body:
            if b"<D:sync-token></D:sync-token>" in exchange.body:
                exchange.answer(207, self.listing, Content_Type="application/xml")
            else:
                forget(exchange)


def forget(exchange: Exchange) -> None:
    """Every token is unknown."""
    if b"sync-collection" in exchange.body and b"<D:sync-token></D:sync-token>" not in exchange.body:
        exchange.answer(403, b'<D:error xmlns:D="DAV:"><D:valid-sync-token/></D:error>')


def emptied(exchange: Exchange) -> None:
    """The calendar is there, and nothing is in it, however one asks."""
    forget(exchange)
    if exchange.method == "GET":
        exchange.answer(404)
    elif exchange.status == 207:
        exchange.reply = ROW.sub(b"", exchange.reply)


def gone(exchange: Exchange) -> None:
    """There is no calendar at all."""
    exchange.answer(404)


def slow(exchange: Exchange) -> None:
    """Everything takes its time."""
    threading.Event().wait(0.2)


def lose_writes(exchange: Exchange) -> None:
    """What is written arrives, and the answer does not."""
    if exchange.method in {"PUT", "DELETE"}:
        exchange.cut = 0


ILLNESSES: dict[str, Callable[[], Illness]] = {
    **{name: (lambda fault=fault: Illness(fault)) for name, (fault, _) in ANSWERS.items()},
    **{each.__name__: (lambda each=each: Illness(each)) for each in (forget, emptied, gone, slow, lose_writes)},
    "yesterday": Yesterday,
}


class Ward:
    """The house, its app, and the proxy that makes the server ill."""

    def __init__(self, server: Server, between: Proxy, home: Home, inbox: Inbox) -> None:
        name = server.new_calendar()
        self.between, self.home, self.inbox = between, home, inbox
        home.furnish(server.account(name, between.port), settings())
        self.account = server.account(name)
        self.app = App(self.account)

    def listed(self) -> dict[str, str]:
        """What the server really has."""
        with Client(Wire(self.account, allowed=LOOPBACK)) as client:
            client.wire.start(60)
            rows = client.propfind("1", "D:getetag").rows
        return {row.href: row.etag for row in rows if row.href.endswith(".ics")}

    def mirrored(self) -> dict[str, str]:
        """What the house believes."""
        with self.home.services.store.read() as tx:
            known: dict[str, str] = tx.mirror.etags(self.home.calendar)
        return known

    def subjects(self, address: str) -> list[str]:
        """What a client was told."""
        return [letter.subject for letter in self.inbox.to(address)]


@pytest.fixture(name="ward")
def _ward(radicale_server: Server, pattern: Pattern, tmp_path: Path, relay_port: int, inbox: Inbox) -> Iterator[Ward]:
    with proxy(radicale_server.port) as between:
        home = pattern.copy(tmp_path / "instance", relay_port)
        ward = Ward(radicale_server, between, home, inbox)
        yield ward
        ward.app.close()
        home.close()


def moved(ward: Ward, booking: Booking) -> int:
    """The coach drags a session; its new start."""
    new = ward.home.starts()[160]
    assert ward.app.drag(booking.coach_uid, new)
    return new


@pytest.mark.parametrize("illness", ILLNESSES)
def test_after_an_illness_of_the_server_all_is_true_and_nobody_was_told_otherwise(ward: Ward, illness: str) -> None:
    home, ill = ward.home, ILLNESSES[illness]()
    if isinstance(ill, Yesterday):
        with home.services.store.write() as tx:
            tx.mirror.touch(home.calendar, last_full_at=0)
        ward.between.after.append(ill.watch)
        home.pass_time(65)
        ward.between.heal()
        assert ill.listing
    bookings = [home.confirmed(home.starts()[80 + 8 * at], email=email) for at, email in enumerate(CLIENTS)]
    ill.begin(ward.between)
    home.pass_time(130)
    new = moved(ward, bookings[0])
    ward.app.add("hers@app", home.starts()[200], 30)
    late = home.book(home.starts()[220], email=LATE).booking
    home.pass_time(900, 150)
    ward.between.heal()
    home.pass_time(700, 130)
    home.pass_time(90_000, 30_000)
    assert ward.mirrored() == ward.listed()
    now = [home.booking(booking.id) for booking in bookings]
    assert [booking.state for booking in now] == ["confirmed"] * 6
    assert [booking.start for booking in now] == [new, *(booking.start for booking in bookings[1:])]
    assert ward.subjects(CLIENTS[0]) == ["Appointment confirmed", "Appointment time changed"]
    assert all(ward.subjects(email) == ["Appointment confirmed"] for email in CLIENTS[1:])
    check_late(ward, home.booking(late.id))


def check_late(ward: Ward, booking: Booking) -> None:
    """Who booked meanwhile has a session that is in the calendar, or was told that she has none."""
    entry = ward.app.entry(booking.coach_uid)
    if booking.state == "confirmed":
        assert entry is not None and entry.start == booking.start
        assert ward.subjects(LATE) == ["Appointment confirmed"]
    else:
        assert (booking.state, entry) == ("failed", None)
        assert len(ward.subjects(LATE)) == 1 and "confirmed" not in ward.subjects(LATE)[0]
