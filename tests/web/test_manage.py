"""The client's page: the link, the cookie, every state, cancelling, the file; and dead links that all look the same."""

import re

import pytest

from .conftest import Pages
from .test_visitor import HTMX
from .test_visitor import state

STATES = [
    "confirming",
    "awaiting-email",
    "awaiting-coach",
    "confirmed",
    "frozen",
    "declined",
    "expired",
    "failed",
    "cancelled",
]


def test_the_token_leaves_the_address_at_once(pages: Pages) -> None:
    link = pages.book()
    token = link.removeprefix("/m/")
    opened = pages.get(link)
    assert (opened.status_code, opened.headers["Location"]) == (303, "/manage")
    cookie = opened.headers["Set-Cookie"]
    assert re.match(r"manage=[\w-]{43}; ", cookie)
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Max-Age=900" in cookie
    assert "Secure" not in cookie
    assert token not in opened.text
    assert token not in pages.get("/manage").text


@pytest.mark.parametrize("language", ["", "/en"])
@pytest.mark.parametrize("wanted", STATES)
def test_every_state_has_its_page(pages: Pages, wanted: str, language: str) -> None:
    pages.get(pages.book())
    if wanted != "confirming":
        pages.put_in_state(wanted)
    answer = pages.get(f"{language}/manage")
    assert (answer.status_code, state(answer.text)) == (200, wanted)
    assert (answer.headers.get("Refresh") is not None) == (wanted == "confirming")
    assert ("session.ics" in answer.text) == (wanted == "confirmed")
    assert ("/manage/cancel" in answer.text) == (wanted in {"awaiting-email", "awaiting-coach", "confirmed", "frozen"})


def test_the_page_polls_itself_while_confirming(pages: Pages) -> None:
    pages.get(pages.book())
    waiting = pages.get("/manage", headers=HTMX)
    assert waiting.text.strip().startswith("<main")
    assert 'data-hx-trigger="load delay:1s"' in waiting.text
    assert "Refresh" not in waiting.headers
    pages.put_in_state("confirmed")
    done = pages.get("/manage", headers=HTMX)
    assert state(done.text) == "confirmed"
    assert "data-hx-trigger" not in done.text


def test_cancelling_asks_first_and_then_does_it(pages: Pages) -> None:
    pages.get(pages.book())
    pages.put_in_state("confirmed")
    page = pages.get("/manage")
    assert state(page.text) == "confirmed"
    answer = pages.client.post("/manage/cancel", data=pages.fields(page))
    assert (answer.status_code, answer.headers["Location"]) == (303, "/manage")
    assert state(pages.get("/manage").text) == "cancelled"


def test_looking_never_cancels(pages: Pages) -> None:
    link = pages.book()
    pages.put_in_state("confirmed")
    for _ in range(5):
        for path in (link, "/manage", "/manage/cancel", "/manage/session.ics"):
            pages.get(path)
            pages.client.head(path)
    assert pages.only_booking().state == "confirmed"


def test_a_form_of_another_booking_does_nothing(pages: Pages) -> None:
    pages.get(pages.book())
    pages.put_in_state("confirmed")
    first, old_tab = pages.only_booking(), pages.fields(pages.get("/manage"))
    pages.get(pages.book())
    answer = pages.client.post("/manage/cancel", data=old_tab)
    assert (answer.status_code, state(answer.text)) == (409, "wrong-booking")
    ours = pages.fields(pages.client.get("/manage")) or {"form_token": ""}
    mixed = pages.client.post("/manage/cancel", data={**ours, "ref": first.ref})
    assert mixed.status_code == 409
    with pages.services.store.read() as tx:
        assert {each.state for each in tx.bookings.live("sari")} == {"confirmed", "confirming"}


def test_inside_the_notice_window_nothing_can_be_cancelled(pages: Pages) -> None:
    pages.get(pages.book())
    pages.put_in_state("confirmed")
    form = pages.fields(pages.get("/manage"))
    pages.now = pages.only_booking().start - 3600
    assert "/manage/cancel" not in pages.get("/manage").text
    answer = pages.client.post("/manage/cancel", data=form)
    assert (answer.status_code, state(answer.text)) == (409, "too-late")
    assert pages.only_booking().state == "confirmed"


def test_the_file_has_a_name_that_says_nothing(pages: Pages) -> None:
    pages.get(pages.book())
    pages.put_in_state("confirmed")
    answer = pages.get("/manage/session.ics")
    assert answer.mimetype == "text/calendar"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="session.ics"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert answer.data.startswith(b"BEGIN:VCALENDAR\r\n")
    assert b"Budi" not in answer.data


def test_dead_links_are_the_same_to_the_byte(pages: Pages) -> None:
    link = pages.book()
    unknown = pages.get("/m/" + "A" * 43)
    malformed = pages.get("/m/x")
    pages.now += 400 * 86400
    expired = pages.get(link)
    assert unknown.status_code == malformed.status_code == expired.status_code == 404
    assert state(unknown.text) == "gone"
    assert unknown.data == malformed.data == expired.data
    assert list(unknown.headers) == list(malformed.headers) == list(expired.headers)


def test_without_the_cookie_there_is_no_page(pages: Pages) -> None:
    pages.book()
    for path in ("/manage", "/manage/cancel", "/manage/session.ics"):
        answer = pages.get(path)
        assert (answer.status_code, state(answer.text)) == (404, "gone")


def test_a_link_without_a_prefix_opens_in_the_bookings_language(pages: Pages) -> None:
    answer = pages.send({**pages.form(), "name": "Budi", "email": "budi@example.com"}, prefix="/en")
    link = answer.headers["Location"].removeprefix("/en")
    assert pages.get(link).headers["Location"] == "/en/manage"


def test_an_offer_that_is_gone_leaves_its_bookings_readable(pages: Pages) -> None:
    pages.get(pages.book())
    pages.put_in_state("confirmed", offer="tidak-ada")
    assert pages.get("/manage").status_code == 200
