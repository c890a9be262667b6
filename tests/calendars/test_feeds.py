"""Read-only feeds: fetched only when they changed, and never believed when they are half a file."""

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from microsite.calendars import Calendars
from microsite.calendars import feeds
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarUnsafe

from .events import NOW
from .events import RULES
from .events import event
from .events import many
from .servers import LOOPBACK


class Publisher:
    """A published calendar file and how it is published."""

    def __init__(self) -> None:
        self.body, self.headers, self.status = many(3), {"ETag": '"one"'}, 200
        self.asked: list[dict[str, str]] = []
        self.port = 0

    def account(self) -> Account:
        """The feed as a coach enters it."""
        return Account(calendar="feed", url=f"http://127.0.0.1:{self.port}/public.ics", feed=True)


@pytest.fixture(name="publisher")
def _publisher() -> Iterator[Publisher]:
    made = Publisher()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            asked = {name.lower(): value for name, value in self.headers.items()}
            made.asked.append(asked)
            same = asked.get("if-none-match") == made.headers.get("ETag") is not None
            since = asked.get("if-modified-since")
            same = same or (since is not None and since == made.headers.get("Last-Modified"))
            body = b"" if same else made.body
            self.send_response_only(304 if same else made.status)
            for name, value in made.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, format: str, *args: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), Handler) as server:
        made.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield made
        server.shutdown()
        thread.join(5)


@pytest.fixture(name="calendars")
def _calendars() -> Iterator[Calendars]:
    made = Calendars(None, LOOPBACK, contained=False)
    yield made
    made.close()


def known_after(pulled: Pulled) -> Known:
    """What a mirror knows after storing this."""
    etags = {reading.href: reading.etag for reading in pulled.readings}
    return Known(state=pulled.state, sync_token=pulled.sync_token, ctag=pulled.ctag, etags=etags)


def test_a_feed_is_read_whole_with_one_reading_for_each_event(calendars: Calendars, publisher: Publisher) -> None:
    pulled = calendars.pull(publisher.account(), Known(), RULES, NOW)
    assert pulled.full and pulled.state == "IDLE" and pulled.requests == 1
    assert {reading.uid for reading in pulled.readings} == {"many-0", "many-1", "many-2"}
    assert sorted(pulled.present) == sorted(reading.href for reading in pulled.readings)


@pytest.mark.parametrize("header", ["ETag", "Last-Modified"])
def test_a_feed_that_did_not_change_is_not_sent_again(calendars: Calendars, publisher: Publisher, header: str) -> None:
    publisher.headers = {header: "Sun, 22 Nov 2026 10:00:00 GMT" if header == "Last-Modified" else '"one"'}
    first = known_after(calendars.pull(publisher.account(), Known(), RULES, NOW))
    again = calendars.pull(publisher.account(), first, RULES, NOW)
    assert (again.readings, again.full, again.bytes) == ([], False, 0)
    assert (again.ctag, again.sync_token) == (first.ctag, first.sync_token)


def test_a_feed_that_only_stamped_its_events_anew_did_not_change(calendars: Calendars, publisher: Publisher) -> None:
    publisher.headers = {}
    first = known_after(calendars.pull(publisher.account(), Known(), RULES, NOW))
    publisher.body = publisher.body.replace(b"DTSTAMP:20261101T000000Z", b"DTSTAMP:20261123T040000Z")
    again = calendars.pull(publisher.account(), first, RULES, NOW)
    assert (again.readings, again.full) == ([], False)
    publisher.body = publisher.body.replace(b"DTSTART:20261201T000000Z", b"DTSTART:20261201T001500Z")
    assert calendars.pull(publisher.account(), first, RULES, NOW).full


def test_an_event_that_left_the_feed_is_no_longer_present(calendars: Calendars, publisher: Publisher) -> None:
    first = known_after(calendars.pull(publisher.account(), Known(), RULES, NOW))
    publisher.body, publisher.headers = many(2), {"ETag": '"two"'}
    pulled = calendars.pull(publisher.account(), first, RULES, NOW)
    assert pulled.full and len(pulled.present) == 2


def test_everything_is_asked_for_again_when_nothing_is_known(calendars: Calendars, publisher: Publisher) -> None:
    calendars.pull(publisher.account(), Known(ctag='"one"', sync_token="x"), RULES, NOW)
    assert "if-none-match" not in publisher.asked[0] and "if-modified-since" not in publisher.asked[0]


@pytest.mark.parametrize(
    "body", [b"", b"<html>Please sign in</html>", many(3)[: len(many(3)) // 2], many(3)[:-20], b"BEGIN:VCALENDAR"]
)
def test_half_a_feed_or_a_web_page_frees_no_time(calendars: Calendars, publisher: Publisher, body: bytes) -> None:
    publisher.body = body
    with pytest.raises(CalendarError):
        calendars.pull(publisher.account(), Known(), RULES, NOW)


def test_a_feed_larger_than_a_reply_may_be_is_refused(calendars: Calendars, publisher: Publisher) -> None:
    publisher.body = event("one", extra="DESCRIPTION:" + "x" * 6_000_000 + "\r\n")
    with pytest.raises(CalendarUnsafe):
        calendars.pull(publisher.account(), Known(), RULES, NOW)


def test_a_feed_that_moved_is_not_followed(calendars: Calendars, publisher: Publisher) -> None:
    publisher.status, publisher.headers = 301, {"Location": "https://elsewhere.test/"}
    with pytest.raises(CalendarUnsafe, match="final address"):
        calendars.pull(publisher.account(), Known(), RULES, NOW)


def test_checking_a_feed_asks_for_the_file(calendars: Calendars, publisher: Publisher) -> None:
    calendars.check(publisher.account())
    publisher.status = 404
    with pytest.raises(CalendarMissing):
        calendars.check(publisher.account())


def test_webcal_is_https() -> None:
    assert feeds.address("webcal://example.org/x.ics") == "https://example.org/x.ics"
    assert feeds.address("https://example.org/x.ics") == "https://example.org/x.ics"
    assert feeds.is_feed(Account(calendar="x", url="WEBCAL://example.org/x.ics"))
