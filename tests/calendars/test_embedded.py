"""The embedded server: mounted at /dav for the coach's apps, in-process for the site, and silent about both."""

import base64
import logging
import stat
import sys
import threading
from collections.abc import Callable
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import pytest
from werkzeug.middleware.dispatcher import DispatcherMiddleware
from werkzeug.test import Client as WebClient

from microsite.calendars import Calendars
from microsite.calendars.embedded import HEADERS
from microsite.calendars.embedded import MAX_BODY
from microsite.calendars.embedded import Embedded
from microsite.calendars.embedded import add_user
from microsite.calendars.embedded import inner_app
from microsite.calendars.embedded import open_embedded
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.core.people import Secret

from .events import NOW
from .events import RULES
from .events import event

PASSWORD = "her password"
LONG = 90.0
"""Seconds that a call may take where many make theirs at once; who waited for itself would take all of them."""
AUTH = {"Authorization": "Basic " + base64.b64encode(f"david:{PASSWORD}".encode()).decode()}
SYNC = b'<D:propfind xmlns:D="DAV:"><D:prop><D:getetag/></D:prop></D:propfind>'


class House:
    """An embedded server with the calendar /david/open/, as the site mounts it."""

    def __init__(self, folder: Path) -> None:
        self.changes: list[str] = []
        self.htpasswd = folder / "dav.htpasswd"
        self.embedded: Embedded = open_embedded(folder / "dav", self.htpasswd, self.changes.append)
        self.calendars = Calendars(self.embedded)
        self.calendars.add_embedded_user(self.htpasswd, "david", Secret(PASSWORD))
        self.url = self.calendars.make_embedded("david", "open", "Open hours")
        self.account = Account(calendar="open", url=self.url, username="david")
        self.web = WebClient(DispatcherMiddleware(_nothing, {"/dav": self.embedded}))  # type: ignore[arg-type]

    def app(self, method: str, path: str, data: bytes = b"", **headers: str) -> tuple[int, str]:
        """What the coach's calendar app does over HTTP."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        response = self.web.open(path, method=method, data=data, headers={**AUTH, **named})
        return response.status_code, response.get_data(as_text=True)


def _nothing(environ: object, start_response: object) -> list[bytes]:
    raise AssertionError("not the calendar's")


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_hrefs_carry_the_mount_when_asked_over_http_and_in_process(house: House) -> None:
    house.app("PUT", "/dav/david/open/one.ics", event("one"))
    assert "<href>/dav/david/open/one.ics</href>" in house.app("PROPFIND", "/dav/david/open/", SYNC, Depth="1")[1]
    assert house.calendars.pull(house.account, Known(), RULES, NOW).present == ["/dav/david/open/one.ics"]


def test_what_the_site_writes_in_process_is_what_the_coach_sees(house: House) -> None:
    written = house.calendars.create(house.account, "ours", event("ours"))
    status, body = house.app("GET", written.href)
    assert status == 200 and "UID:ours" in body


def test_a_wrong_password_is_refused_and_a_changed_one_works_at_once(house: House) -> None:
    assert house.app("PROPFIND", "/dav/david/", SYNC, Depth="0")[0] == 207
    add_user(house.htpasswd, "david", "another one")
    add_user(house.htpasswd, "maya", "hers")
    stranger = house.web.open("/dav/david/", method="PROPFIND", headers={"Depth": "0"})
    wrong = {"Authorization": "Basic " + base64.b64encode(b"david:nonsense").decode()}
    assert stranger.status_code == 401
    assert house.web.open("/dav/david/", method="PROPFIND", headers=wrong).status_code == 401
    right = {"Authorization": "Basic " + base64.b64encode(b"david:another one").decode(), "Depth": "0"}
    assert house.web.open("/dav/david/", method="PROPFIND", headers=right).status_code == 207


def test_one_coach_cannot_read_the_calendars_of_another(house: House) -> None:
    add_user(house.htpasswd, "maya", "hers")
    maya = {"Authorization": "Basic " + base64.b64encode(b"maya:hers").decode(), "Depth": "1"}
    assert house.web.open("/dav/david/open/", method="PROPFIND", headers=maya).status_code == 403


@pytest.mark.parametrize("name", ["Remote-User", "X-Remote-User", "X-Remote-Addr"])
def test_nobody_becomes_somebody_by_a_header(house: House, name: str) -> None:
    response = house.web.open("/dav/david/open/", method="PROPFIND", headers={name: "david", "Depth": "0"})
    assert response.status_code == 401


def test_not_even_a_server_that_trusts_its_surroundings_believes_them_through_the_mount(tmp_path: Path) -> None:
    """The scrubbing alone, without the password check behind it."""
    web = WebClient(Embedded(inner_app(tmp_path / "dav"), print))
    sent = {"X-Remote-User": "david", "Remote-User": "david", "Depth": "0"}
    response = web.open("/david/", method="PROPFIND", headers=sent, environ_overrides={"REMOTE_USER": "david"})
    assert response.status_code in (401, 403)


def test_guesses_wait_for_one_another_and_the_coachs_app_waits_for_none(house: House) -> None:
    assert house.app("PROPFIND", "/dav/david/", SYNC, Depth="0")[0] == 207
    inside, go = threading.Event(), threading.Event()

    def slow(environ: dict[str, object], start_response: Callable[..., object]) -> list[bytes]:
        inside.set()
        go.wait(120)
        start_response("401 Unauthorized", [])
        return []

    proven, house.embedded._app = house.embedded._app, slow
    guess = threading.Thread(target=_guess, args=(house, b"david:first guess"))
    guess.start()
    assert inside.wait(60)
    house.embedded._app = proven
    assert _guess(house, b"david:second guess") == 429
    assert house.app("PROPFIND", "/dav/david/", SYNC, Depth="0")[0] == 207
    go.set()
    guess.join(60)
    assert _guess(house, b"david:third guess") == 401


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/dav/.well-known/caldav", 301), ("NONSENSE", "/dav/", 405)]
)
def test_an_answer_that_came_before_any_check_proves_no_password(
    house: House, method: str, path: str, status: int
) -> None:
    """Else a guesser would first ask for a redirect, and then fill every thread of the site with password checks."""
    wrong = {"Authorization": "Basic " + base64.b64encode(b"david:guess").decode()}
    assert house.web.open(path, method=method, headers=wrong).status_code == status
    house.embedded._logins._turn.acquire()
    assert _guess(house, b"david:guess") == 429


@pytest.mark.parametrize(("name", "value"), [("Destination", "http://["), ("Host", "[")])
def test_an_address_that_cannot_be_read_is_refused_and_breaks_nothing(house: House, name: str, value: str) -> None:
    assert house.web.open("/dav/david/open/", method="MOVE", headers={**AUTH, name: value}).status_code == 400


def test_every_answer_is_data_that_a_browser_neither_runs_nor_keeps(house: House) -> None:
    house.app("PUT", "/dav/david/open/a.ics", event("a"))
    answers = [
        house.web.open("/dav/david/open/a.ics", headers=AUTH),
        house.web.open("/dav/"),
        house.web.open("/dav/.well-known/caldav"),
        house.web.open("/dav/david/", method="MOVE", headers={"Destination": "http://["}),
        house.web.open("/dav/", data=b"x" * (MAX_BODY + 1), method="PUT"),
    ]
    assert [answer.status_code for answer in answers] == [200, 302, 301, 400, 413]
    for answer in answers:
        for name, value in HEADERS:
            assert answer.headers.getlist(name) == [value]


def _guess(house: House, pair: bytes) -> int:
    sent = {"Authorization": "Basic " + base64.b64encode(pair).decode(), "Depth": "0"}
    return int(house.web.open("/dav/david/", method="PROPFIND", headers=sent).status_code)


def test_remote_user_of_the_web_server_is_not_believed_either(house: House) -> None:
    response = house.web.open("/dav/david/", method="PROPFIND", environ_overrides={"REMOTE_USER": "david"})
    assert response.status_code == 401


def test_a_script_name_sent_by_a_client_changes_no_href(house: House) -> None:
    house.app("PUT", "/dav/david/open/one.ics", event("one"))
    _, body = house.app("PROPFIND", "/dav/david/open/", SYNC, Depth="1", X_Script_Name="/evil")
    assert "/evil" not in body and "/dav/david/open/one.ics" in body


def test_a_proxy_in_front_does_not_cut_the_name_of_a_coach_that_begins_like_the_mount(house: House) -> None:
    """Radicale takes X-Forwarded-* as leave to strip /dav once more: /david/ became /id/."""
    forwarded = {"X_Forwarded_For": "192.0.2.1", "X_Forwarded_Proto": "https", "X_Forwarded_Host": "booking.example"}
    assert house.app("PROPFIND", "/dav/david/open/", SYNC, Depth="0", **forwarded)[0] == 207


@pytest.mark.parametrize("chunked", [False, True])
def test_a_body_over_the_limit_is_refused(house: House, chunked: bool) -> None:
    body = b"x" * (MAX_BODY + 1)
    if chunked:
        environ = {"wsgi.input": BytesIO(body), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
        headers = {**AUTH, "Transfer-Encoding": "chunked"}
        status = house.web.open(
            "/dav/david/open/a.ics", method="PUT", headers=headers, environ_overrides=environ
        ).status_code
    else:
        status = house.app("PUT", "/dav/david/open/a.ics", body)[0]
    assert status == 413


def test_a_chunked_body_is_stored_although_radicale_reads_no_chunks(house: House) -> None:
    environ = {"wsgi.input": BytesIO(event("one")), "wsgi.input_terminated": True, "CONTENT_LENGTH": ""}
    headers = {**AUTH, "Transfer-Encoding": "chunked"}
    response = house.web.open("/dav/david/open/one.ics", method="PUT", headers=headers, environ_overrides=environ)
    assert response.status_code == 201


def test_each_kind_of_change_names_its_collection_and_reading_names_none(house: House) -> None:
    def told(method: str, path: str, data: bytes = b"", **headers: str) -> set[str]:
        house.changes.clear()
        assert house.app(method, path, data, **headers)[0] < 300
        return set(house.changes)

    here, there = "/david/open/", "/david/more/"
    title = b'<propertyupdate xmlns="DAV:"><set><prop><displayname>X</displayname></prop></set></propertyupdate>'
    assert told("MKCALENDAR", "/dav/david/more/") == {there}
    assert told("PUT", "/dav/david/open/one.ics", event("one")) == {here}
    assert told("PROPPATCH", "/dav/david/open/", title) == {here}
    assert told("PROPFIND", "/dav/david/open/", SYNC, Depth="1") == set()
    assert told("GET", "/dav/david/open/one.ics") == set()
    assert told("MOVE", "/dav/david/open/one.ics", Destination="/dav/david/more/one.ics") == {here, there}
    assert told("DELETE", "/dav/david/more/one.ics") == {there}
    assert told("DELETE", "/dav/david/more/") == {there}


def test_a_refused_change_names_nothing(house: House) -> None:
    house.app("PUT", "/dav/david/open/one.ics", event("one"))
    house.changes.clear()
    assert house.app("PUT", "/dav/david/open/one.ics", event("one"), If_None_Match="*")[0] == 412
    assert house.changes == []


def test_a_move_behind_a_tls_proxy_is_not_taken_for_another_server(house: House) -> None:
    house.app("PUT", "/dav/david/open/one.ics", event("one"))
    target = "https://booking.example/dav/david/open/two.ics"
    assert house.app("MOVE", "/dav/david/open/one.ics", Destination=target, Host="booking.example")[0] == 201
    far = "https://elsewhere.example/dav/david/open/three.ics"
    assert house.app("MOVE", "/dav/david/open/two.ics", Destination=far, Host="booking.example")[0] == 502


def test_a_name_beyond_ascii_is_the_same_over_http_and_in_process(house: House) -> None:
    assert house.app("PUT", "/dav/david/open/kaf%C3%A9.ics", event("cafe"))[0] == 201
    (href,) = house.calendars.pull(house.account, Known(), RULES, NOW).present
    assert href == "/dav/david/open/kaf%C3%A9.ics"
    assert house.calendars.read(house.account, href) is not None


def test_the_password_file_is_private_and_names_each_user_once(house: House) -> None:
    add_user(house.htpasswd, "david", "new")
    add_user(house.htpasswd, "david", "newer")
    assert stat.S_IMODE(house.htpasswd.stat().st_mode) == 0o600
    (line,) = house.htpasswd.read_text().splitlines()
    assert line.startswith("david:$2b$10$")
    assert [path.name for path in house.htpasswd.parent.iterdir() if path.is_file()] == ["dav.htpasswd"]


@pytest.mark.parametrize("user", ["", "a:b", "a/b", "a\nb"])
def test_a_user_whose_name_would_break_the_password_file_is_refused(house: House, user: str) -> None:
    with pytest.raises(ValueError, match="no colon"):
        add_user(house.htpasswd, user, "x")


def test_the_log_names_no_path_and_no_event(house: House, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        house.app("PUT", "/dav/david/open/secret-name.ics", event("one"), If_Match='"stale"')
        house.app("PUT", "/dav/david/open/secret-name.ics", b"BEGIN:VCALENDAR\r\nSUMMARY:secret-name")
        house.app("PUT", "/dav/david/open/secret-name*.ics", event("one"))
        house.app("MKCALENDAR", "/dav/david/secret-name/a/b/")
        house.app("REPORT", "/dav/david/open/", b"<secret-name")
    assert "secret-name" not in caplog.text and "david" not in caplog.text
    assert "embedded calendar" in caplog.text  # that something was wrong is still said


CONNECTS: list[str] = []
WATCHING = threading.Event()


def _watch(name: str, args: tuple[object, ...]) -> None:
    if WATCHING.is_set() and name in ("socket.connect", "socket.bind", "socket.getaddrinfo"):
        CONNECTS.append(f"{name} {args[1:]}")


@pytest.fixture(name="no_ports")
def _no_ports() -> Iterator[list[str]]:
    """What touched the network meanwhile. An audit hook stays for ever, so it is only switched on and off."""
    if not getattr(sys, "_calendar_ports_watched", False):
        sys.addaudithook(_watch)
        sys._calendar_ports_watched = True  # type: ignore[attr-defined]
    CONNECTS.clear()
    WATCHING.set()
    yield CONNECTS
    WATCHING.clear()


@pytest.mark.parametrize("count", [1, 4, 16])
def test_as_many_bookings_as_threads_wait_for_no_port_and_for_no_other(
    house: House, count: int, no_ports: list[str]
) -> None:
    ready, failures = threading.Barrier(count), list[BaseException]()

    def book(number: int) -> None:
        ready.wait()
        try:
            for turn in range(3):
                uid = f"{number}-{turn}"
                written = house.calendars.create(house.account, uid, event(uid), LONG)
                house.calendars.replace(house.account, written.href, event(uid, "Moved"), written.etag, LONG)
                house.calendars.pull(house.account, Known(), RULES, NOW, LONG)
        except BaseException as error:
            failures.append(error)
            raise

    threads = [threading.Thread(target=book, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert not failures and not any(thread.is_alive() for thread in threads)
    assert len(house.calendars.pull(house.account, Known(), RULES, NOW).present) == 3 * count
    assert no_ports == []


def test_eight_in_process_writers_of_one_version_have_one_winner(house: House) -> None:
    from microsite.errors import CalendarChanged

    written = house.calendars.create(house.account, "one", event("one"))
    ready, won = threading.Barrier(8), list[int]()

    def write(number: int) -> None:
        ready.wait()
        try:
            house.calendars.replace(house.account, written.href, event("one", f"Version {number}"), written.etag, LONG)
        except CalendarChanged:
            return
        won.append(number)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(LONG)
    assert len(won) == 1
