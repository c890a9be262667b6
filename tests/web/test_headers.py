"""Every answer of every route, and of every error, carries the headers of this site."""

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from werkzeug.exceptions import BadRequest
from werkzeug.exceptions import TooManyRequests
from werkzeug.test import TestResponse

from microsite.config import File
from microsite.config import Site
from microsite.web import security
from microsite.web.bodies import REFUSAL

from .conftest import NO_CALENDARS
from .conftest import Pages
from .test_visitor import state

VALUES = {
    "ref": "K7QD",
    "slug": "sesi",
    "coach": "sari",
    "offer": "sesi",
    "token": "x",
    "name": "site.css",
    "digest": "0" * 12,
}


def addresses(app: Flask) -> list[str]:
    """One address for each rule."""
    with app.test_request_context():
        found = []
        for rule in app.url_map.iter_rules():
            path = re.sub(r"<(?:[^:>]+:)?(\w+)>", lambda part: VALUES.get(part[1], "x"), rule.rule)
            found.append(path)
        return found


def at_desk(path: str) -> bool:
    """Whether the desk's stricter policy holds there."""
    return path.removeprefix("/en").startswith("/desk")


def test_every_route_and_method_carries_the_headers(pages: Pages) -> None:
    for path in [*addresses(pages.app), "/nothing", "/sari/sesi/book?slot=20261125T010000Z"]:
        for method in ("GET", "HEAD", "POST", "PUT", "DELETE", "OPTIONS"):
            answer = pages.client.open(path, method=method)
            desk = {"Content-Security-Policy": security.DESK_POLICY} if at_desk(path) else {}
            for name, value in {**security.ALWAYS, **desk}.items():
                file = path.startswith("/static/") and answer.mimetype != "text/html"
                left_out = file and name in {"Permissions-Policy", "Cross-Origin-Opener-Policy"}
                assert answer.headers.get(name) == (None if left_out else value), (method, path, name)
            assert "Strict-Transport-Security" not in answer.headers
            assert answer.headers.get("Cache-Control"), (method, path)


def limited() -> str:
    raise TooManyRequests


def broken() -> str:
    raise RuntimeError("budi@example.com")


def unreadable() -> str:
    raise BadRequest


FOREIGN = {"Sec-Fetch-Site": "cross-site"}
ERRORS: dict[int, Callable[[Pages], TestResponse]] = {
    308: lambda pages: pages.get("/sari"),
    400: lambda pages: pages.get("/unreadable"),
    403: lambda pages: pages.client.post("/sari/sesi/book", headers=FOREIGN),
    404: lambda pages: pages.get("/nothing/"),
    405: lambda pages: pages.client.put("/sari/"),
    409: lambda pages: pages.get("/sari/sesi/book?slot=20261121T030000Z"),
    413: lambda pages: pages.send({**pages.form(), "note": "x" * 17_000}),
    422: lambda pages: pages.send(pages.form()),
    429: lambda pages: pages.get("/limited"),
    500: lambda pages: pages.get("/broken"),
    503: lambda pages: pages.get("/sari/sesi/"),
}


@pytest.mark.parametrize("status", ERRORS)
def test_every_error_carries_the_headers_and_is_never_stored(pages: Pages, status: int) -> None:
    for view in (limited, broken, unreadable):
        pages.app.add_url_rule(f"/{view.__name__}", view.__name__, view)
    if status == 503:
        with pages.services.store.write() as tx:  # a calendar that was never read
            tx.mirror.add_calendar("c", "sari", "https://dav.example/c/", "C", {"busy"})
    answer = ERRORS[status](pages)
    assert answer.status_code == status
    for name, value in security.ALWAYS.items():
        assert answer.headers.getlist(name) == [value], name
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Set-Cookie" not in answer.headers
    assert "budi" not in answer.text


def test_where_nobody_can_be_waited_for_the_headers_are_there_too() -> None:
    said = dict(REFUSAL)
    assert {name: said.get(name) for name in security.ALWAYS} == security.ALWAYS
    assert said["Cache-Control"] == "private, no-store"


def test_pages_are_never_stored_and_vary_by_htmx(pages: Pages) -> None:
    for path in ("/", "/sari/", "/sari/privacy", "/nobody/", "/desk", "/m/x"):
        answer = pages.get(path)
        assert answer.headers["Cache-Control"] == "private, no-store"
        assert set(answer.vary) >= {"HX-Request", "HX-History-Restore-Request"}


def test_personal_pages_are_not_for_search_engines_and_public_ones_are(pages: Pages) -> None:
    assert "X-Robots-Tag" not in pages.get("/sari/sesi/").headers
    for path in (pages.book(), "/manage", "/m/x", "/desk", "/desk/x", "/status/x"):
        assert "noindex" in pages.get(path).headers["X-Robots-Tag"], path


@pytest.fixture(name="secure")
def _secure(tmp_path: Path) -> Pages:
    """The same house under https."""
    file = File(site=Site(address="https://book.example"), calendars=NO_CALENDARS)
    pages = Pages(tmp_path / "instance", file)
    yield pages
    pages.close()


def test_under_https_cookies_are_bound_to_the_host_and_transport_is_strict(secure: Pages) -> None:
    assert secure.get("/").headers["Strict-Transport-Security"].startswith("max-age=63072000")
    cookie = secure.get(secure.book()).headers["Set-Cookie"]
    assert cookie.startswith("__Host-manage=")
    assert "; Secure" in cookie
    assert "Path=/" in cookie
    assert "Domain" not in cookie


def test_behind_a_proxy_whole_addresses_say_https_all_the_same(secure: Pages) -> None:
    """The proxy speaks http with us. A link to a booking must never be sent over an open line for that."""
    spoken = {"base_url": "http://book.example"}
    assert secure.client.get("/sari", **spoken).headers["Location"] == "https://book.example/sari/"
    slot = secure.slots("/sari/diam/")[0]
    booked = secure.send({**secure.form(slot, "diam"), "name": "Budi"}, "diam")
    cookie = {"Cookie": secure.get(booked.headers["Location"]).headers["Set-Cookie"].partition(";")[0]}
    page = secure.client.get("/manage", headers=cookie, **spoken).text
    assert "https://book.example/m/" in page
    assert "http://book.example" not in page


def test_another_host_is_refused_plainly(secure: Pages) -> None:
    answer = secure.client.get("/", headers={"Host": "evil.example"})
    assert answer.status_code == 400
    assert answer.mimetype == "text/plain"
    assert b"evil" not in answer.data
    assert answer.headers["Content-Security-Policy"] == security.POLICY


def test_too_many_requests_and_our_own_faults_are_kind_pages(pages: Pages) -> None:
    pages.app.add_url_rule("/limited", "limited", limited)
    pages.app.add_url_rule("/broken", "broken", broken)
    for path, status, name in (("/limited", 429, "too-many"), ("/broken", 500, "failed-here")):
        answer = pages.get(path)
        assert (answer.status_code, state(answer.text)) == (status, name)
        assert "budi" not in answer.text
        assert answer.headers["Content-Security-Policy"] == security.POLICY


def test_a_wrong_method_is_405_and_says_which_are_right(pages: Pages) -> None:
    answer = pages.client.post("/sari/")
    assert (answer.status_code, state(answer.text)) == (405, "not-allowed")
    assert "GET" in answer.headers["Allow"]


def test_no_page_has_inline_script_style_or_foreign_address(pages: Pages) -> None:
    pages.get(pages.book())
    for path in ("/", "/sari/", "/sari/sesi/", "/sari/privacy", "/manage", "/desk", "/nobody/"):
        text = pages.get(path).text
        assert not re.search(r"<style|\sstyle=|<script(?![^>]*\bsrc=)|\son[a-z]+=", text), path
        assert not re.search(r'(?:src|href|action)="(?:https?:)?//', text.replace("https://temu.example", "")), path
