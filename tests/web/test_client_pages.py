"""The client's other pages: another time, small wishes, what she wrote, erasing; all by plain forms."""

import json
import re

import pytest

from microsite.core.letters import CANCELLED_AT_DESK
from microsite.core.letters import CANCELLED_BY_CLIENT
from microsite.core.letters import CANCELLED_IN_CALENDAR
from microsite.core.letters import MOVED_BY_CLIENT
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.work import invite
from microsite.work import look
from microsite.work import wishes

from .conftest import Pages
from .conftest import settings
from .test_visitor import HTMX
from .test_visitor import state

POSTS = ["cancel", "move", "confirm", "again", "title", "reminders", "feed", "yours", "export", "erase"]


@pytest.fixture(name="client")
def _client(pages: Pages) -> Pages:
    """A house whose visitor has a confirmed booking open."""
    pages.get(pages.book())
    pages.put_in_state("confirmed")
    return pages


def post(pages: Pages, path: str, form_of: str = "/manage", **more: str):
    """Send the reference and the token of a page to an address."""
    fields = pages.fields(pages.get(form_of))
    own = {name: fields[name] for name in ("ref", "form_token")}
    return pages.client.post(path, data={**own, **more}, base_url=pages.base)


def free(pages: Pages) -> list[str]:
    """The times the booking may move to, on the shown day."""
    return re.findall(r'<a data-slot="([^"]+)"', pages.get("/manage/move?day=2026-12-07").text)


def test_the_picker_for_another_time_leads_to_a_question(client: Pages) -> None:
    page = client.get("/manage/move?day=2026-12-07")
    assert state(page.text) == "times"
    assert "/sari/sesi/" not in page.text.split('id="picker"')[1]
    question = client.get(f"/manage/move?slot={free(client)[0]}&tz=Asia/Makassar")
    assert state(question.text) == "move"
    assert "Rabu, 25 November 2026" in question.text
    assert "Senin, 7 Desember 2026" in question.text
    assert question.text.count("WITA") == 2
    assert question.text.count("WIB") == 2
    fragment = client.get("/manage/move?day=2026-12-07", headers=HTMX).text
    assert fragment.strip().startswith('<section id="picker"')


def test_its_own_time_is_not_among_the_times(client: Pages) -> None:
    own = client.slots("/sari/sesi/")
    assert client.only_booking().start not in own
    assert "20261125T010000Z" not in re.findall(r'data-slot="([^"]+)"', client.get("/manage/move").text)
    assert "20261125T013000Z" in re.findall(r'data-slot="([^"]+)"', client.get("/manage/move").text)


def test_moving_shows_both_times_and_polls_until_it_is_settled(client: Pages) -> None:
    slot = free(client)[0]
    answer = client.client.post(
        "/manage/move", data=client.fields(client.get(f"/manage/move?slot={slot}")), base_url=client.base
    )
    assert (answer.status_code, answer.headers["Location"]) == (303, "/manage")
    page = client.get("/manage")
    assert state(page.text) == "confirming"
    assert page.headers["Refresh"] == "5"
    assert "load delay:1s" in page.text
    assert "Masih milikmu" in page.text
    assert "Senin, 7 Desember 2026" in page.text
    client.now += 600
    assert client.get("/manage").headers["Refresh"] == "60"


def test_a_time_that_was_taken_meanwhile_is_409_with_fresh_times(client: Pages) -> None:
    for answer in (
        client.get("/manage/move?slot=20261127T010000Z"),
        post(client, "/manage/move", slot="20261127T010000Z"),
    ):
        assert (answer.status_code, state(answer.text)) == (409, "taken")
        assert "data-slot" in answer.text
    assert client.only_booking().pending_start is None


def test_too_close_to_the_session_the_page_gives_the_coachs_contact(client: Pages) -> None:
    client.now = client.only_booking().start - 3600
    page = client.get("/manage").text
    assert "sari@example.org" in page
    assert "/manage/move" not in page
    assert state(client.get("/manage/move").text) == "too-late"


def test_a_move_that_failed_is_told_on_the_page(client: Pages) -> None:
    client.put_in_state("confirmed", reason="move-failed")
    assert "Tidak jadi pindah" in client.get("/manage").text


def test_a_moved_booking_says_so_and_one_with_another_title_does_not(client: Pages) -> None:
    client.put_in_state("confirmed", client_seq=3)
    assert "Waktu barunya sudah pasti" not in client.get("/manage").text
    with client.services.store.write() as tx:
        tx.happenings.note("sari", client.only_booking().ref, client.now, MOVED_BY_CLIENT)
    assert "Waktu barunya sudah pasti" in client.get("/manage").text


def test_a_session_that_has_been_offers_nothing_but_its_rights(client: Pages) -> None:
    client.now = client.only_booking().end
    page = client.get("/manage").text
    assert "Sesi ini sudah lewat" in page
    assert "session.ics" not in page
    assert "/manage/again" not in page
    assert "/manage/erase" in page


def test_only_the_link_of_the_letter_shows_the_button(pages: Pages) -> None:
    pages.get(pages.book())
    pages.put_in_state("awaiting-email", hold_until=pages.now + 1800)
    own = pages.get("/manage")
    assert "/manage/confirm" not in own.text
    assert "Belum dipesan" in own.text
    assert post(pages, "/manage/confirm").status_code == 303
    assert pages.only_booking().state == "awaiting-email"
    pages.get(f"/m/{pages.another_link('verify')}")
    assert "/manage/confirm" in pages.get("/manage").text
    assert pages.only_booking().state == "awaiting-email"
    assert post(pages, "/manage/confirm").status_code == 303
    assert pages.only_booking().state == "confirming"


def test_a_hold_that_has_ended_cannot_be_confirmed(pages: Pages) -> None:
    pages.book()
    pages.put_in_state("awaiting-email", hold_until=pages.now + 60)
    pages.get(f"/m/{pages.another_link('verify')}")
    pages.now += 60
    answer = post(pages, "/manage/confirm")
    assert (answer.status_code, state(answer.text)) == (409, "not-possible")


def test_a_failed_booking_offers_three_other_times(pages: Pages) -> None:
    pages.get(pages.book())
    pages.put_in_state("failed")
    page = pages.get("/manage").text
    links = re.findall(r'data-slot="[^"]+" href="([^"]+)"', page)
    assert len(links) == 3
    assert state(pages.get(links[0].replace("&amp;", "&")).text) == "form"


def test_the_mail_can_be_asked_for_again_until_it_is_enough(client: Pages) -> None:
    for _ in range(wishes.MOST_AGAIN):
        assert state(post(client, "/manage/again").text) == "sent"
    answer = post(client, "/manage/again")
    assert (answer.status_code, state(answer.text)) == (429, "too-often")


def ticked(page: str) -> list[str]:
    """The reminders that are chosen on the client's page."""
    return re.findall(r'name="hours\[\]" value="(\d+)" checked', page)


def test_title_and_reminders_are_switched_by_buttons(client: Pages) -> None:
    assert "SUMMARY:Sesi\r\n" in client.get("/manage/session.ics").text
    post(client, "/manage/title", neutral="0")
    assert "SUMMARY:Sesi coaching" in client.get("/manage/session.ics").text
    post(client, "/manage/title", neutral="1")
    assert "SUMMARY:Sesi\r\n" in client.get("/manage/session.ics").text
    post(client, "/manage/reminders")
    assert wishes.chosen_reminders(client.services, client.only_booking()) == ()
    assert ticked(client.get("/manage").text) == []
    post(client, "/manage/reminders", **{"hours[]": ["24", "2", "7", "x"]})
    assert wishes.chosen_reminders(client.services, client.only_booking()) == (24 * 60, 2 * 60)
    assert ticked(client.get("/manage").text) == ["24", "2"]


def test_the_feed_needs_no_cookie_and_gives_none(client: Pages) -> None:
    page = post(client, "/manage/feed")
    address = re.search(r"webcal://[^/]+(/m/[\w-]{43}/feed\.ics)", page.text)
    assert address is not None
    stranger = client.app.test_client()
    answer = stranger.get(address[1], base_url=client.base)
    assert (answer.status_code, answer.mimetype) == (200, "text/calendar")
    assert "Set-Cookie" not in answer.headers
    assert b"Budi" not in answer.data
    assert stranger.get(f"/m/{'A' * 43}/feed.ics", base_url=client.base).status_code == 404
    assert stranger.get(address[1].removesuffix("/feed.ics"), base_url=client.base).status_code == 404


def test_what_was_written_is_shown_to_its_link_and_can_be_put_right(client: Pages) -> None:
    page = client.get("/manage/yours")
    assert client.fields(page)["name"] == "Budi"
    answer = post(client, "/manage/yours", name="Sri", email="budi@example.com", note="baru")
    assert state(answer.text) == "corrected"
    assert client.fields(client.get("/manage/yours"))["note"] == "baru"
    wrong = post(client, "/manage/yours", name="", email="budi@", note="tetap")
    assert (wrong.status_code, state(wrong.text)) == (422, "yours")
    assert "tetap" in wrong.text
    assert 'value="budi@"' in wrong.text


def test_a_later_link_says_kindly_that_it_cannot_show_it(client: Pages) -> None:
    client.get(f"/m/{client.another_link()}")
    page = client.get("/manage/yours")
    assert "hanya link pertamamu" in page.text
    assert "Budi" not in page.text


def test_the_export_is_a_file_that_is_never_stored(client: Pages) -> None:
    answer = post(client, "/manage/export")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="session.json"'
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert json.loads(answer.data)["written"]["email"] == "budi@example.com"


def test_erasing_ends_everything_and_hands_out_the_file_that_cancels(client: Pages) -> None:
    assert state(client.get("/manage/erase").text) == "erase"
    answer = post(client, "/manage/erase", form_of="/manage/erase")
    assert state(answer.text) == "erased"
    assert re.match(r"manage=;.*Max-Age=0", answer.headers["Set-Cookie"])
    fields = client.fields(answer)
    file = client.client.post("/manage/last.ics", data=fields, base_url=client.base)
    assert b"STATUS:CANCELLED" in file.data
    forged = {**fields, "file": "QkVHSU4="}
    assert client.client.post("/manage/last.ics", data=forged, base_url=client.base).status_code == 404
    assert client.get("/manage").status_code == 404
    with client.services.store.read() as tx:
        assert not tx.bookings.live("sari")


@pytest.mark.parametrize("path", POSTS)
def test_every_form_wants_its_own_cookie_and_reference(client: Pages, path: str) -> None:
    fields = client.fields(client.get("/manage"))
    own = {name: fields[name] for name in ("ref", "form_token")}
    before = client.only_booking()
    for wrong in ({"ref": "XXXX"}, {"form_token": "x"}, {"ref": ""}):
        answer = client.client.post(f"/manage/{path}", data={**own, **wrong, "slot": "20261207T010000Z"})
        assert (answer.status_code, state(answer.text)) == (409, "wrong-booking")
    assert client.app.test_client().post(f"/manage/{path}", data=own).status_code == 404
    assert client.only_booking() == before


def test_looking_at_every_page_changes_nothing(client: Pages) -> None:
    before = client.only_booking()
    with client.services.store.read() as tx:
        told = tx.happenings.of("sari")
    for path in ("", "/cancel", "/move", "/move?slot=20261207T010000Z", "/yours", "/erase", "/session.ics"):
        for method in ("GET", "HEAD"):
            assert client.client.open(f"/manage{path}", method=method, base_url=client.base).status_code == 200, path
    for path in ("confirm", "again", "title", "reminders", "feed", "export", "last.ics"):
        assert client.get(f"/manage/{path}", follow_redirects=True).status_code in {404, 405}
    assert client.only_booking() == before
    with client.services.store.read() as tx:
        assert tx.happenings.of("sari") == told


def test_a_page_of_a_closed_coach_still_shows_its_bookings(client: Pages) -> None:
    with client.services.store.write() as tx:
        tx.coaches.set_open("sari", False)
    assert client.get("/sari/").status_code == 404
    assert client.get("/manage").status_code == 200


def test_without_an_address_the_link_is_on_the_page_and_no_mail_is_promised(pages: Pages) -> None:
    fields = pages.form(offer="diam")
    link = pages.send({**fields, "name": "Budi", "email": ""}, offer="diam").headers["Location"]
    pages.get(link)
    for each in ("confirmed", "awaiting-coach", "frozen", "cancelled"):
        pages.put_in_state(each)
        page = pages.get("/manage").text.split("<main")[1]
        assert (link in page) == (each != "cancelled")
        assert "/manage/again" not in page
        assert "/manage/reminders" not in page
        promised = page.replace("Tidak akan ada email", "").replace("Email, kalender, dan pengingat", "")
        assert "email" not in promised.lower()


def test_an_offer_by_invitation_opens_with_one_and_carries_it_along(pages: Pages) -> None:
    offers = [Offer(slug="sesi", title=Words(id="Sesi coaching"), minutes=60, invited=True)]
    with pages.services.store.write() as tx:
        tx.coaches.save_settings("sari", settings(offers=offers))
    assert "/sari/sesi/" not in pages.get("/sari/").text
    for path in ("/sari/sesi/", "/sari/sesi/?invite=x", f"/sari/sesi/book?slot=20261125T010000Z&invite={'A' * 43}"):
        answer = pages.get(path)
        assert (answer.status_code, state(answer.text)) == (404, "not-invited")
    address = invite.invite(pages.services, look.coach(pages.services, "sari"), "sesi", uses=1, days=7)
    token = address.split("invite=")[1]
    page = pages.get(f"/sari/sesi/?invite={token}").text
    for link in re.findall(r'href="(/(?:en/)?sari/sesi/[^"]*)"', page):
        assert f"invite={token}" in link
    assert f'name="invite" value="{token}"' in page
    fields = pages.form("20261125T010000Z", query=f"&invite={token}")
    typed = {"name": "Budi", "email": "budi@example.com"}
    assert pages.send({**fields, **typed, "invite": ""}).status_code == 404
    assert pages.send({**fields, **typed}).status_code == 303
    assert pages.get(f"/sari/sesi/?invite={token}").status_code == 404


@pytest.mark.parametrize(
    ("happened", "said", "not_said"),
    [
        (CANCELLED_AT_DESK, "Maaf, saya tidak bisa bertemu di waktu itu.", "Waktunya kosong lagi."),
        (CANCELLED_IN_CALENDAR, "Maaf, saya tidak bisa bertemu di waktu itu.", "Waktunya kosong lagi."),
        (CANCELLED_BY_CLIENT, "Waktunya kosong lagi.", "Maaf"),
    ],
)
def test_a_client_whose_coach_cancelled_is_told_with_an_apology(
    client: Pages, happened: str, said: str, not_said: str
) -> None:
    booking = client.only_booking()
    with client.services.store.write() as tx:
        tx.happenings.note("sari", booking.ref, client.now, happened)
    client.put_in_state("cancelled")
    page = client.get("/manage").text
    assert said in page
    assert not_said not in page


def test_the_page_does_not_say_that_only_the_coach_can_open_what_its_own_link_opens(client: Pages) -> None:
    assert "hanya saya, dan kamu dengan link pertamamu" in client.get("/manage").text
