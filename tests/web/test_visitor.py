"""The visitor's way without JavaScript, and what odd addresses get."""

import re

import pytest

from .conftest import Pages
from .conftest import settings

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def state(text: str) -> str:
    """The page's `data-state`."""
    found = re.search(r'<main[^>]*data-state="([^"]*)"', text)
    assert found is not None
    return found[1]


def test_the_whole_way_from_the_front_page_to_the_booking(pages: Pages) -> None:
    assert 'href="/sari/sesi/"' in pages.get("/").text
    slot = pages.slots("/sari/sesi/?tz=Asia/Makassar")[0]
    fields = pages.form(slot, query="&tz=Asia/Makassar")
    answer = pages.send({**fields, "name": "Budi", "email": "budi@example.com", "note": "halo"})
    assert answer.status_code == 303
    assert re.fullmatch(r"/m/[\w-]{43}\?tz=Asia/Makassar", answer.headers["Location"])
    opened = pages.get(answer.headers["Location"])
    assert (opened.status_code, opened.headers["Location"]) == (303, "/manage?tz=Asia/Makassar")
    page = pages.get(opened.headers["Location"])
    assert state(page.text) == "confirming"
    assert pages.only_booking().ref in page.text
    assert pages.only_booking().language == "id"


def test_slot_links_carry_their_instant_and_lead_to_the_form(pages: Pages) -> None:
    text = pages.get("/sari/sesi/").text
    link = re.search(r'<a data-slot="(\d{8}T\d{6}Z)" href="([^"]+)">', text)
    assert link is not None
    assert f"slot={link[1]}" in link[2]
    assert state(pages.get(link[2].replace("&amp;", "&")).text) == "form"


def test_the_name_of_a_slot_link_is_its_full_date_and_time(pages: Pages) -> None:
    assert '<span class="vh">Rabu, 25 November 2026, </span>08.00</a>' in pages.get("/sari/sesi/").text
    assert '<span class="vh">Wednesday, 25 November 2026, </span>08:00</a>' in pages.get("/en/sari/sesi/").text


def test_an_unlisted_offer_has_a_page_but_no_link(pages: Pages) -> None:
    assert "/sari/diam/" not in pages.get("/sari/").text
    assert pages.get("/sari/diam/").status_code == 200


@pytest.mark.parametrize(
    "path",
    ["/nobody/", "/sari/nothing/", "/Sari/", "/favicon.ico", "/m/", "/sari/sesi/book", "/en/nobody/", "/sari/x/book"],
)
def test_unknown_addresses_are_a_kind_404(pages: Pages, path: str) -> None:
    answer = pages.get(path)
    assert answer.status_code == 404
    assert state(answer.text) == "not-found"


@pytest.mark.parametrize(
    "slot", ["", "x", "20261125", "20261131T060000Z", "20261125T0600Z", "99999999T999999Z", "٢٠٢٦١١٢٥T٠٦٠٠٠٠Z"]
)
def test_a_malformed_slot_is_a_kind_404(pages: Pages, slot: str) -> None:
    assert pages.get("/sari/sesi/book", query_string={"slot": slot}).status_code == 404


@pytest.mark.parametrize(
    ("slot", "words"),
    [
        ("20261123T030000Z", "past"),
        ("20261123T090000Z", "inside minimum notice"),
        ("20261125T010100Z", "off the grid"),
        ("20261127T010000Z", "a day without hours"),
        ("20270601T010000Z", "beyond the horizon"),
        ("19000101T000000Z", "long ago"),
    ],
)
def test_a_slot_that_is_not_offered_is_409_with_fresh_times(pages: Pages, slot: str, words: str) -> None:
    answer = pages.get(f"/sari/sesi/book?slot={slot}")
    assert answer.status_code == 409, words
    assert state(answer.text) == "taken"
    assert re.search(r'<a data-slot="\d{8}T\d{6}Z"', answer.text)


@pytest.mark.parametrize("day", ["yesterday", "2026-02-30", "1999-01-01", "2099-01-01", "2026-11-24"])
def test_an_odd_day_gets_the_nearest_free_one(pages: Pages, day: str) -> None:
    answer = pages.get(f"/sari/sesi/?day={day}")
    assert answer.status_code == 200
    assert pages.slots(f"/sari/sesi/?day={day}")


def test_htmx_gets_the_fragment_and_a_restored_page_the_whole(pages: Pages) -> None:
    fragment = pages.get("/sari/sesi/", headers=HTMX).text
    whole = pages.get("/sari/sesi/", headers={**HTMX, "HX-History-Restore-Request": "true"}).text
    assert fragment.strip().startswith('<section id="picker"')
    assert "<html" not in fragment
    assert "<html" in whole
    assert " autofocus" not in whole


def test_focus_moves_only_where_a_day_was_chosen(pages: Pages) -> None:
    chosen = pages.get("/sari/sesi/", headers={**HTMX, "HX-Source": "a#d2026-11-25"}).text
    zone = pages.get("/sari/sesi/?tz=Asia/Makassar", headers={**HTMX, "HX-Source": "form#zone"}).text
    assert " autofocus" in chosen
    assert "Waktu ditampilkan" not in chosen
    assert " autofocus" not in zone
    assert "Waktu ditampilkan dalam WITA." in zone


def test_no_free_times_is_an_empty_page_that_says_so(pages: Pages) -> None:
    with pages.services.store.write() as tx:
        tx.coaches.save_settings("sari", settings(hours={}))
    answer = pages.get("/sari/sesi/")
    assert (answer.status_code, state(answer.text)) == (200, "no-times")
    assert "sari@example.org" in answer.text


def test_unread_calendars_are_503_in_the_visitors_language(pages: Pages) -> None:
    break_calendar(pages)
    for path, words in (
        ("/sari/sesi/", "Waktu belum bisa ditampilkan"),
        ("/en/sari/sesi/", "Times can't be shown now"),
    ):
        answer = pages.get(path)
        assert (answer.status_code, state(answer.text)) == (503, "times-unknown")
        assert words in answer.text
        assert "data-slot" not in answer.text
    assert pages.get("/sari/sesi/book?slot=20261125T010000Z").status_code == 503


def break_calendar(pages: Pages) -> None:
    """A calendar that was never read."""
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("c1", "sari", "https://dav.example/", "Sesi", {"busy"}, username="sari")


def test_looking_sets_no_cookie_and_writes_nothing(pages: Pages) -> None:
    slot = pages.slots()[0]
    with pages.services.store.read() as tx:
        before = tx.coaches.get("sari").revision
    for path in ("/", "/sari/", "/sari/sesi/", f"/sari/sesi/book?slot={slot}", "/sari/privacy", "/nobody/", "/en/"):
        for method in ("GET", "HEAD"):
            assert "Set-Cookie" not in pages.client.open(path, method=method).headers, path
    with pages.services.store.read() as tx:
        assert tx.coaches.get("sari").revision == before
        assert not tx.bookings.live("sari")


def test_the_post_sets_no_cookie_either(pages: Pages) -> None:
    answer = pages.send({**pages.form(), "name": "Budi", "email": "budi@example.com"})
    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers


def test_the_privacy_page_follows_the_settings(pages: Pages) -> None:
    assert "dihapus 30 hari setelah sesi" in pages.get("/sari/privacy").text
    with pages.services.store.write() as tx:
        tx.coaches.save_settings("sari", settings(retention_days=7))
    assert "dihapus 7 hari setelah sesi" in pages.get("/sari/privacy").text
    assert "deleted 7 days after the session" in pages.get("/en/sari/privacy").text
