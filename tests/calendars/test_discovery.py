"""Finding calendars from an address, a domain or an e-mail address; and sentences a coach can act on when it fails."""

import datetime
import ipaddress
import ssl
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler
from http.server import HTTPServer
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from microsite.calendars import discovery
from microsite.calendars import providers
from microsite.calendars.discovery import Service
from microsite.core.mirror import Found
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

from .proxy import Exchange
from .proxy import proxy
from .servers import LOOPBACK
from .servers import PASSWORD
from .servers import USER
from .servers import Server


def search(url: str, password: str = PASSWORD) -> list[Found]:
    """Discover with the tests' user."""
    return discovery.discover(url, USER, password, 10, LOOPBACK)


@pytest.mark.parametrize("path", ["/", "/{user}/", "{home}", "{home}{calendar}/"])
def test_every_address_of_an_account_leads_to_its_calendars(server: Server, path: str) -> None:
    calendar = server.new_calendar()
    url = f"http://127.0.0.1:{server.port}" + path.format(user=USER, home=server.home, calendar=calendar)
    found = {one.url: one for one in search(url)}
    mine = found[server.account(calendar).url]
    assert mine.writable and mine.components == ["VEVENT"]


def test_a_calendar_has_the_name_that_the_coach_gave_it(radicale_server: Server) -> None:
    calendar = radicale_server.new_calendar()
    found = search(f"http://127.0.0.1:{radicale_server.port}/")
    assert {one.url.rstrip("/").rpartition("/")[2]: one.name for one in found}[calendar] == "A calendar"


def test_a_redirect_on_the_same_host_is_followed_and_one_to_another_host_is_not(radicale_server: Server) -> None:
    radicale_server.new_calendar()

    def moved(exchange: Exchange) -> None:
        if exchange.path == "/old/":
            exchange.answer(301, Location=f"/{USER}/")
        if exchange.path == "/away/":
            exchange.answer(302, Location="http://192.0.2.1/dav/")
        if exchange.path == "/round/":
            exchange.answer(302, Location="/round/")

    with proxy(radicale_server.port) as between:
        between.before.append(moved)
        assert search(f"http://127.0.0.1:{between.port}/old/")
        for path, sentence in (("/away/", "points to another"), ("/round/", "without end")):
            between.before = [moved, _only(path)]
            with pytest.raises(CalendarError, match=sentence):
                _one_start(f"http://127.0.0.1:{between.port}{path}")


def test_a_wrong_password_is_said_to_be_one(radicale_server: Server) -> None:
    with pytest.raises(CalendarRefused, match="name or password is wrong"):
        search(f"http://127.0.0.1:{radicale_server.port}/", "not this one")


@pytest.mark.parametrize("status", [200, 404, 405, 501])
def test_what_is_no_calendar_server_is_said_to_be_none(radicale_server: Server, status: int) -> None:
    with proxy(radicale_server.port) as between:
        between.before.append(lambda exchange: exchange.answer(status, b"<html>Welcome</html>"))
        with pytest.raises(CalendarMissing, match="not a calendar server"):
            search(f"http://127.0.0.1:{between.port}/")


def test_an_account_without_calendars_is_told_apart_from_no_server(radicale_server: Server) -> None:
    def without(exchange: Exchange) -> None:
        exchange.reply = exchange.reply.replace(b"<C:calendar />", b"")

    with proxy(radicale_server.port) as between:
        between.after.append(without)
        with pytest.raises(CalendarMissing, match="no calendar for events"):
            search(f"http://127.0.0.1:{between.port}/")


def test_task_lists_inboxes_and_read_only_calendars_are_told_apart(radicale_server: Server) -> None:
    def page(exchange: Exchange) -> None:
        if exchange.headers.get("Depth") == "1":
            exchange.answer(207, _HOME)

    radicale_server.new_calendar()
    with proxy(radicale_server.port) as between:
        between.after.append(page)
        found = search(f"http://127.0.0.1:{between.port}/")
    assert [(one.name, one.writable) for one in found] == [("Mine", True), ("Hers", False)]


def test_an_address_of_a_domain_is_found_by_its_records(radicale_server: Server) -> None:
    starts = list(discovery._starts("coach@example.org", lambda domain: [Service(f"dav.{domain}", 8443, "/dav/")]))
    assert starts[0] == "https://dav.example.org:8443/dav/"
    assert starts[1:] == ["https://example.org/.well-known/caldav", "https://example.org/"]
    assert next(discovery._starts("example.org", lambda _: [])) == "https://example.org/.well-known/caldav"


def test_a_record_that_points_to_a_strange_host_gets_no_password() -> None:
    """An answer of the DNS is protected by nobody."""
    with pytest.raises(CalendarUnsafe, match=r"evil\.test"):
        list(discovery._starts("coach@example.org", lambda _: [Service("evil.test", 443, "/")]))
    kept = list(discovery._starts("coach@example.org", lambda _: [Service("caldav.fastmail.com", 443, "/dav/")]))
    assert kept[0] == "https://caldav.fastmail.com/dav/"


@pytest.mark.parametrize(
    ("host", "origin", "trusted"),
    [
        ("dav.example.org", "example.org", True),
        ("p7.example.org", "caldav.example.org", True),
        ("example.org.evil.test", "example.org", False),
        ("evilexample.org", "example.org", False),
        ("dav.sari.co.id", "sari.co.id", True),
        ("evil.co.id", "sari.co.id", False),
        ("evil.web.id", "dav.sari.web.id", False),
        ("evil.github.io", "sari.github.io", False),
        ("intern", "localhost", False),
        ("127.0.0.2", "127.0.0.1", False),
        ("127.0.0.1", "127.0.0.1", True),
    ],
)
def test_a_password_goes_to_the_same_domain_only(host: str, origin: str, trusted: bool) -> None:
    assert discovery._trusted(host, origin) is trusted


@pytest.mark.parametrize(
    ("address", "start"),
    [
        ("maya@fastmail.com", "https://caldav.fastmail.com/dav/"),
        ("maya@me.com", "https://caldav.icloud.com/"),
        ("maya@mailbox.org", "https://dav.mailbox.org/"),
        ("maya@posteo.net", "https://posteo.de:8443/"),
        ("maya@GMX.de", "https://caldav.gmx.net/"),
    ],
)
def test_known_providers_need_no_lookup(address: str, start: str) -> None:
    assert list(discovery._starts(address, _no_lookup)) == [start]


def test_a_provider_that_takes_no_passwords_is_said_to_take_none() -> None:
    with pytest.raises(CalendarRefused, match="signing in there"):
        discovery.discover("maya@gmail.com", "", "x", 5)


def test_a_refusal_by_a_provider_with_app_passwords_says_so() -> None:
    explained = discovery._explained(CalendarRefused("no"), "maya@icloud.com")
    assert "app password" in str(explained) and "not your usual one" in str(explained)


def test_a_feed_is_told_that_it_needs_no_search() -> None:
    with pytest.raises(CalendarMissing, match="published feed"):
        discovery.discover("webcal://example.org/x.ics", "", "", 5)


@pytest.mark.parametrize("name", ["nextcloud", "davical", "synology", "sogo", "cyrus", "baikal", "yandex", "zoho"])
def test_every_server_of_the_research_has_a_profile(name: str) -> None:
    assert providers.choose(name, "").name == name


def test_servers_that_forget_tokens_without_a_word_are_compared_four_times_a_day() -> None:
    assert {p.name for p in providers.PROFILES if p.full_every == 6 * 3600} == {"davical", "sogo", "synology"}
    assert all(p.full_every <= 7 * 86400 and p.batch <= 50 for p in providers.PROFILES)


def test_a_profile_is_known_by_its_address() -> None:
    assert providers.choose("", "https://p03-caldav.icloud.com/1/calendars/x/").name == "icloud"
    assert providers.choose("", "https://groupware.example/SOGo/dav/maya/Calendar/personal/").name == "sogo"
    assert providers.choose("", "https://example.org/davical/caldav.php/maya/home/").name == "davical"
    assert providers.choose("", "https://noticloud.com/").name == "default"


@pytest.fixture(name="self_signed")
def _self_signed(tmp_path: Path) -> Iterator[int]:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "nobody vouches for this")])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(start)
        .not_valid_after(start + datetime.timedelta(days=3650))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), False)
        .sign(key, hashes.SHA256())
    )
    pem = tmp_path / "both.pem"
    plain = serialization.NoEncryption()
    private = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain)
    pem.write_bytes(private + certificate.public_bytes(serialization.Encoding.PEM))
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)

    class Quiet(HTTPServer):
        def handle_error(self, request: object, client_address: object) -> None:
            pass

    with Quiet(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        yield server.server_address[1]
        server.shutdown()
        thread.join(5)


def test_a_certificate_that_nobody_vouches_for_is_named_as_the_reason(self_signed: int) -> None:
    with pytest.raises(CalendarUnreachable, match="certificate"):
        search(f"https://127.0.0.1:{self_signed}/")


_HOME = b"""<multistatus xmlns="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav">
<response><href>/coach/mine/</href><propstat><prop><displayname>Mine</displayname><resourcetype><collection/><C:calendar/>
</resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>
<response><href>/coach/hers/</href><propstat><prop><displayname>Hers</displayname><resourcetype><collection/><C:calendar/>
</resourcetype><current-user-privilege-set><privilege><read/></privilege></current-user-privilege-set></prop>
<status>HTTP/1.1 200 OK</status></propstat></response>
<response><href>/coach/tasks/</href><propstat><prop><resourcetype><collection/><C:calendar/></resourcetype>
<C:supported-calendar-component-set><C:comp name="VTODO"/></C:supported-calendar-component-set></prop>
<status>HTTP/1.1 200 OK</status></propstat></response>
<response><href>/coach/inbox/</href><propstat><prop><resourcetype><collection/><C:calendar/><C:schedule-inbox/>
</resourcetype></prop><status>HTTP/1.1 200 OK</status></propstat></response>
</multistatus>"""


def _no_lookup(domain: str) -> list[Service]:
    raise AssertionError("no lookup was needed")


def _only(path: str) -> "object":
    def refuse(exchange: Exchange) -> None:
        if exchange.path != path and not exchange.is_answered:
            exchange.answer(404)

    return refuse


def _one_start(url: str) -> list[Found]:
    from microsite.calendars.wire import Wire
    from microsite.core.mirror import Account

    wire = Wire(Account(calendar="x", url=url, username=USER, password=PASSWORD), allowed=LOOPBACK)
    try:
        return discovery._Search(wire, url).calendars()
    finally:
        wire.close()
