"""Open hours as VAVAILABILITY (RFC 7953): objects in a calendar, and the property of the collection or the inbox."""

from html import escape

import msgspec
import pytest

from microsite.calendars import sync
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.core.spans import Spans

from .conftest import Bench
from .events import DAY
from .events import NOW
from .events import RULES
from .proxy import Exchange
from .proxy import Fault
from .proxy import proxy
from .servers import Server

OPEN = msgspec.structs.replace(RULES, kind="open")
HOUR = 3600
FIRST = 1_796_094_000
"""1 December 2026, 03:00 UTC."""


def document(hour: int = 3) -> str:
    """Six open hours on one day."""
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VAVAILABILITY\r\nUID:hours\r\n"
        "DTSTAMP:20261101T000000Z\r\nBEGIN:AVAILABLE\r\nUID:hours-1\r\nDTSTAMP:20261101T000000Z\r\n"
        f"SUMMARY:open\r\nDTSTART:20261201T{hour:02}0000Z\r\nDTEND:20261201T090000Z\r\n"
        "END:AVAILABLE\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
    )


def patched(bench: Bench, text: str | None) -> None:
    """The coach's app sets the property (or takes it away), where the server has it."""
    value = (
        "<C:calendar-availability/>"
        if text is None
        else (f"<C:calendar-availability>{escape(text)}</C:calendar-availability>")
    )
    step = "remove" if text is None else "set"
    body = (
        '<?xml version="1.0"?><D:propertyupdate xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">'
        f"<D:{step}><D:prop>{value}</D:prop></D:{step}></D:propertyupdate>"
    )
    reply = bench.coach.wire.send("PROPPATCH", bench.coach.url, body.encode(), {"Content-Type": "application/xml"})
    assert reply.status == 207 and b"200 OK" in reply.body, reply


class Hours:
    """An open-hours calendar as the store keeps it."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.known, self.spans = bench, Known(), dict[str, Spans]()

    def pull(self, now: int = NOW) -> Pulled:
        """One turn, applied."""
        pulled = sync.pull(self.bench.client, self.known, OPEN, now, 60)
        etags = dict(self.known.etags)
        for reading in pulled.readings:
            etags[reading.href], self.spans[reading.href] = reading.etag, Spans.unpack(reading.spans)
        gone = set(etags) - set(pulled.present) if pulled.full else set(pulled.removed)
        etags = {href: etag for href, etag in etags.items() if href not in gone}
        self.spans = {href: spans for href, spans in self.spans.items() if href in etags}
        self.known = Known(
            state=pulled.state,
            sync_token=pulled.sync_token,
            ctag=pulled.ctag,
            last_full_at=now if pulled.full else self.known.last_full_at,
            etags=etags,
        )
        return pulled

    @property
    def open(self) -> Spans:
        """All that is open."""
        return Spans().union(*self.spans.values())


@pytest.fixture(name="hours")
def _hours(bench: Bench) -> Hours:
    return Hours(bench)


@pytest.fixture(name="radicale_hours")
def _radicale_hours(radicale_bench: Bench) -> Hours:
    """Radicale keeps the property as a dead one; Xandikos refuses to set it (403)."""
    return Hours(radicale_bench)


def test_the_property_opens_hours_and_follows_each_full_turn(radicale_hours: Hours) -> None:
    hours, bench = radicale_hours, radicale_hours.bench
    patched(bench, document())
    hours.pull()
    assert hours.open == Spans.of([(FIRST, FIRST + 6 * HOUR)])
    patched(bench, document(hour=5))
    hours.pull(NOW + DAY)
    assert hours.open == Spans.of([(FIRST + 2 * HOUR, FIRST + 6 * HOUR)])
    assert hours.pull(NOW + 2 * DAY).readings == []
    patched(bench, None)
    hours.pull(NOW + 3 * DAY)
    assert not hours.open and hours.known.etags == {}


def test_the_property_costs_nothing_between_full_turns(radicale_hours: Hours) -> None:
    hours, bench = radicale_hours, radicale_hours.bench
    patched(bench, document())
    hours.pull()
    bench.proxy.heal()
    hours.pull()
    assert len(bench.proxy.seen) == 1
    assert hours.open


def test_busy_calendars_are_not_asked_for_it(bench: Bench) -> None:
    bench.mirror.pull()
    assert "PROPFIND" not in bench.proxy.seen


def inbox_says(text: str) -> Fault:
    """A server that keeps the property where RFC 7953 has it: at the inbox (Xandikos has one, and fails there)."""

    def fault(exchange: Exchange) -> None:
        if exchange.path.rstrip("/").endswith("/inbox"):
            prop = f"<C:calendar-availability>{escape(text)}</C:calendar-availability>"
            exchange.answer(
                207,
                '<D:multistatus xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><D:response><D:href>/x/</D:href>'
                f"<D:propstat><D:prop>{prop}</D:prop><D:status>HTTP/1.1 200 OK</D:status></D:propstat>"
                "</D:response></D:multistatus>".encode(),
            )

    return fault


def test_the_property_of_the_inbox_is_found_through_the_principal(
    xandikos_server: Server,
) -> None:
    with proxy(xandikos_server.port) as between, Bench(xandikos_server, between) as bench:
        between.after.append(inbox_says(document()))
        hours = Hours(bench)
        hours.pull()
        assert hours.open == Spans.of([(FIRST, FIRST + 6 * HOUR)])
        between.after.clear()  # now the inbox fails with 500, as it really does
        hours.pull(NOW + DAY)
        assert hours.open == Spans.of([(FIRST, FIRST + 6 * HOUR)])


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_server_that_does_not_know_the_question_is_no_trouble(bench: Bench, hours: Hours, status: int) -> None:
    def fault(exchange: Exchange) -> None:
        if exchange.method == "PROPFIND":
            exchange.answer(status, b"no")

    bench.proxy.after.append(fault)
    pulled = hours.pull()
    assert pulled.full and pulled.present == []


def test_the_password_follows_no_link_to_another_server(bench: Bench) -> None:
    asked: list[str] = []

    def elsewhere(exchange: Exchange) -> None:
        asked.append(exchange.path)
        exchange.reply = exchange.reply.replace(b"href>/", b"href>http://127.0.0.1:9/")

    bench.proxy.after.append(elsewhere)
    assert bench.client.availability() == ""
    assert len(asked) == 1


def test_an_object_opens_hours_where_the_server_stores_one(bench: Bench, hours: Hours) -> None:
    url = bench.coach.url.rstrip("/") + "-open/"
    assert bench.coach.wire.send("MKCALENDAR", url).status == 201
    stored = bench.coach.wire.send("PUT", f"{url}h.ics", document().encode(), {"Content-Type": "text/calendar"})
    if bench.server.name == "Radicale":
        assert stored.status == 400  # known: such a coach uses the property, events or the settings
        return
    account = msgspec.structs.replace(
        bench.client.wire.account, url=url.replace(str(bench.server.port), str(bench.proxy.port))
    )
    bench.client = type(bench.client)(type(bench.client.wire)(account, allowed=frozenset({"127.0.0.1"})))
    hours.pull()
    assert hours.open == Spans.of([(FIRST, FIRST + 6 * HOUR)])
