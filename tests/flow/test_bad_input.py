"""Odd, late, hostile and mistaken input over HTTP: each gets its own kind page and status, and nothing is lost."""

import re
import time
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from urllib.parse import quote

import pytest

from tests.conftest import Site
from tests.flow.backstage import backstage
from tests.flow.visitor import TYPED
from tests.flow.visitor import Page
from tests.flow.visitor import Visitor
from tests.flow.visitor import a_slot
from tests.flow.visitor import at
from tests.flow.visitor import reference
from tests.flow.visitor import slot_of
from tests.flow.visitor import slots_from

FIRST, SESSION = "/sari/percakapan-pertama/", "/sari/sesi/"
LIMIT = 16 * 1024
A_SLOT = "20991125T060000Z"
ODD_DAYS = ("1999-01-01", "2999-01-01", "0001-01-01", "9999-12-31", "2026-02-31", "tomorrow", "", "0000-00-00", "%00")


@pytest.mark.parametrize("prefix", ["", "/en"])
@pytest.mark.parametrize(
    "path",
    [
        "/nobody/",
        "/nobody/sesi/",
        "/sari/nothing/",
        f"/sari/nothing/book?slot={A_SLOT}",
        "/sari/sesi/book",
        "/sari/sesi/book?slot=",
        "/sari/sesi/book?slot=tomorrow",
        "/sari/sesi/book?slot=20261399T256161Z",
        "/sari/sesi/book?slot=99991231T235959Z&tz=Asia/Jayapura",
        "/sari/sesi/book?slot=00010101T000000Z&tz=America/New_York",
        "/nobody/privacy",
        "/no/such/page/at/all",
    ],
)
def test_what_does_not_exist_gets_a_kind_404_in_the_language_of_the_path(
    visitor: Visitor, prefix: str, path: str
) -> None:
    page = visitor.get(prefix + path)

    assert (page.status, page.state, page.lang) == (404, "not-found", "en" if prefix else "id")
    assert f"{prefix}/" in page.links
    assert not visitor.cookies


@pytest.mark.parametrize("day", ODD_DAYS)
def test_an_impossible_or_full_day_shows_the_nearest_day_with_free_times(visitor: Visitor, day: str) -> None:
    page = visitor.get(f"{SESSION}?day={day}")

    assert (page.status, page.state) == (200, "times")
    assert page.slots


@pytest.mark.parametrize("zone", ["Asia/Atlantis", "../../etc/passwd", "localtime", "x" * 400, "%00", "Asia/"])
def test_an_unknown_zone_shows_the_coachs_times_with_a_note(visitor: Visitor, zone: str) -> None:
    day = f"day={at(a_slot(visitor, SESSION)):%Y-%m-%d}"  # not the first, of which a time may just be too soon
    plain, odd = visitor.get(f"{SESSION}?{day}"), visitor.get(f"{SESSION}?{day}&tz={quote(zone, safe='%')}")

    assert odd.status == 200
    assert odd.slots == plain.slots
    assert paragraphs(odd) - paragraphs(plain)
    assert all("tz=Asia/Jakarta" in link or "tz=Asia%2FJakarta" in link for link in odd.links if "slot=" in link)


def paragraphs(page: Page) -> set[str]:
    """The paragraphs of a page."""
    return set(re.findall(r"<p\b.*?</p>", page.text, re.DOTALL))


def refused_starts(visitor: Visitor) -> dict[str, str]:
    """Starts that are not offered, each for another reason."""
    first = at(slots_from(visitor, SESSION, 4)[0])
    now = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    return {
        "past": slot_of(now - timedelta(days=7)),
        "off the grid": slot_of(first + timedelta(minutes=7)),
        "too soon": slot_of(now + timedelta(hours=1)),
        "beyond the horizon": slot_of(first + timedelta(days=7 * 53)),
        "closed": slot_of(first.replace(hour=20)),
        "off the second": slot_of(first + timedelta(seconds=1)),
        "far away": "99981231T235959Z",
        "long ago": "00020101T000000Z",
    }


def test_a_start_that_is_not_offered_is_refused_by_url_with_times_that_are(visitor: Visitor) -> None:
    for why, start in refused_starts(visitor).items():
        page = visitor.get(f"{SESSION}book", slot=start)

        assert (why, page.status, page.state) == (why, 409, "taken")
        assert page.slots
        assert start not in page.slots


def test_a_start_that_is_not_offered_is_refused_by_post_with_times_that_are_and_the_text_kept(
    visitor: Visitor,
) -> None:
    form = visitor.form(SESSION, a_slot(visitor, SESSION)).post_form()

    for start in refused_starts(visitor).values():
        page = visitor.post(form.action, {**form.fields, **TYPED, "slot": start})

        assert (page.status, page.state) == (409, "taken")
        assert page.post_form().choices
        assert {name: page.post_form().fields[name] for name in TYPED} == TYPED
    assert not visitor.cookies


BAD_TEXT = {
    "no name": ("name", ""),
    "a name of spaces": ("name", "   "),
    "a name over its length": ("name", "n" * 81),
    "a control character": ("name", "Bu\x07di"),
    "a null": ("name", "Bu\x00di"),
    "a line break in a name": ("name", "Budi\r\nBcc: someone@example.org"),
    "a direction mark": ("name", "Bu\u202edi"),
    "no address": ("email", ""),
    "half an address": ("email", "budi@"),
    "an address with a header": ("email", "budi@example.com\r\nBcc: someone@example.org"),
    "two addresses": ("email", "a@example.com,b@example.com"),
    "an address over its length": ("email", f"{'b' * 300}@example.com"),
    "a direction mark in an address": ("email", "budi\u2066@example.com"),
    "a note over its length": ("note", "n" * 501),
    "a bell in a note": ("note", "halo\x07"),
    "a direction mark in a note": ("note", "halo \u2067 dunia"),
}


@pytest.mark.parametrize("case", BAD_TEXT)
@pytest.mark.parametrize("prefix", ["", "/en"])
def test_text_that_cannot_be_right_gets_a_summary_that_links_to_its_field(
    slow_form: dict[str, Page], site: Site, case: str, prefix: str
) -> None:
    field, text = BAD_TEXT[case]
    visitor = Visitor(site.base)

    page = visitor.send_at_once(slow_form[prefix], **{field: text})

    assert (page.status, page.state, page.lang) == (422, "form", "en" if prefix else "id")
    assert page.alert_links == [f"#{field}"]
    assert field in page.ids
    others = {name: typed for name, typed in TYPED.items() if name != field}
    assert {name: page.post_form().fields[name] for name in others} == others
    assert not visitor.cookies


@pytest.fixture(name="slow_form", scope="module")
def _slow_form(site: Site) -> dict[str, Page]:
    """Forms in both languages that have stood open long enough; each refusal leaves their slot free."""
    visitor = Visitor(site.base)
    forms = {prefix: visitor.form(prefix + SESSION, a_slot(visitor, SESSION, 20)) for prefix in ("", "/en")}
    deadline = time.monotonic() + 60
    while visitor.send_at_once(forms["/en"], name="").alert_links != ["#name"]:
        assert time.monotonic() < deadline
    return forms


def test_a_body_over_16_kib_gets_413_and_one_just_below_is_read(visitor: Visitor) -> None:
    form = visitor.form(SESSION, a_slot(visitor, SESSION)).post_form()

    large = visitor.post(form.action, {**form.fields, **TYPED, "note": "n" * LIMIT})
    below = visitor.post(form.action, {**form.fields, **TYPED, "note": "n" * (LIMIT - 2000)})

    assert (large.status, large.state) == (413, "too-large")
    assert below.status == 422


def test_a_post_that_another_site_started_is_refused(visitor: Visitor) -> None:
    form = visitor.form(SESSION, a_slot(visitor, SESSION)).post_form()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://elsewhere.example"}):
        assert visitor.ask("POST", form.action, b"name=Budi", headers).status == 403


def test_a_foreign_host_name_is_not_answered(visitor: Visitor) -> None:
    assert visitor.ask("GET", "/sari/", headers={"Host": "elsewhere.example"}).status == 400


def token_of(link: str) -> str:
    """The token of a link to a client's page."""
    return re.findall(r"/m/([^/?]+)", link)[0]


def plain(page: Page) -> tuple[int, list[tuple[str, str]], bytes]:
    """An answer without its date."""
    return page.status, sorted((name, text) for name, text in page.headers.items() if name.lower() != "date"), page.body


def test_a_wrong_an_expired_and_an_erased_link_look_the_same_to_the_byte(site: Site) -> None:
    links = {}
    for name in ("expired", "erased"):
        client = Visitor(site.base)
        links[name], _ = client.book(FIRST, a_slot(client, FIRST, 6))
        ref = reference(client.wait_for("confirmed"))
        _end(site, ref, token_of(links[name]), name)
    wrong = token_of(links["erased"])[::-1]

    tokens = {name: token_of(link) for name, link in links.items()} | {"wrong": wrong, "malformed": "x"}

    by_link = {name: Visitor(site.base).get(f"/m/{token}") for name, token in tokens.items()}
    by_cookie = {name: _with_cookie(site, token) for name, token in {**tokens, "none": ""}.items()}

    for answers in (by_link, by_cookie):
        assert {(page.status, page.state) for page in answers.values()} == {(404, "gone")}
        like = plain(answers["wrong"])
        assert {name: plain(page) == like for name, page in answers.items()} == dict.fromkeys(answers, True)
        assert not any("Set-Cookie" in page.headers for page in answers.values())


def _with_cookie(site: Site, token: str) -> Page:
    return Visitor(site.base).ask("GET", "/manage", headers={"Cookie": f"manage={token}"} if token else {})


def _end(site: Site, ref: str, token: str, how: str) -> None:
    """Let a link run out, or its booking be purged."""
    with backstage(site) as services, services.store.write() as tx:
        booking = tx.bookings.by_ref("sari", ref)
        if how == "erased":
            tx.bookings.remove(booking.id)
        else:
            tx.links.extend(booking.id, int(time.time()) - 1)
