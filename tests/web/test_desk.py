"""The desk's first version: a link that scanners cannot use up, and a list without client details."""

from .conftest import Pages
from .test_visitor import state


def sign_in(pages: Pages, language: str = "") -> None:
    """Use a one-time link."""
    link = language + pages.desk_link()
    answer = pages.client.post(link, data=pages.fields(pages.get(link)))
    assert (answer.status_code, answer.headers["Location"]) == (303, f"{language}/desk")
    assert "SameSite=Strict" in answer.headers["Set-Cookie"]


def test_opening_the_link_does_not_use_it_up(pages: Pages) -> None:
    link = pages.desk_link()
    for _ in range(3):
        assert state(pages.get(link).text) == "desk-enter"
        pages.client.head(link)
    form = pages.fields(pages.get(link))
    assert pages.client.post(link, data=form).status_code == 303
    assert pages.client.post(link, data=form).status_code == 404


def test_the_button_needs_its_own_form(pages: Pages) -> None:
    one, other = pages.desk_link(), pages.desk_link()
    assert pages.client.post(one, data=pages.fields(pages.get(other))).status_code == 404
    assert pages.client.post(one, data={}).status_code == 404
    assert pages.client.post(one, data=pages.fields(pages.get(one))).status_code == 303


def test_an_empty_desk_teaches(pages: Pages) -> None:
    sign_in(pages)
    text = pages.get("/desk").text
    assert "Belum ada yang memesan" in text
    assert 'href="/sari/"' in text


def test_the_list_holds_time_offer_and_reference_and_nobody(pages: Pages) -> None:
    pages.book(name="Rahasia", email="rahasia@example.com", note="sangat rahasia")
    booking = pages.only_booking()
    sign_in(pages)
    text = pages.get("/desk").text
    assert booking.ref in text
    assert "08.00–09.00" in text
    assert "Sesi coaching" in text
    assert "ahasia" not in text


def test_a_closed_desk_says_how_it_opens(pages: Pages) -> None:
    answer = pages.get("/desk")
    assert (answer.status_code, state(answer.text)) == (200, "desk-closed")


def test_the_desk_speaks_english_too(pages: Pages) -> None:
    sign_in(pages, "/en")
    assert "Nobody has booked yet" in pages.get("/en/desk").text


def test_after_a_restore_the_desk_says_what_is_lost_and_whom_to_write_to(pages: Pages) -> None:
    pages.book()
    sign_in(pages, "/en")
    assert "restored from a backup" not in pages.get("/en/desk").text
    with pages.services.store.write() as tx:
        tx.bookings.set_sealed(pages.only_booking().id, delivery=None)
        tx.coaches.mark_restored("sari", pages.now)
    text = pages.get("/en/desk").text
    assert "restored from a backup of Monday, 23 November 2026, 11:00" in text
    assert "Its client gets no mails or reminders from here any more" in text
    assert "Your calendars are being compared" in text


def test_the_record_of_processing_is_for_the_coach_alone_and_names_nobody(pages: Pages) -> None:
    pages.book(name="Rahasia", email="rahasia@example.com")
    assert "Sari" not in pages.get("/en/desk/processing.txt").text
    sign_in(pages, "/en")
    answer = pages.get("/en/desk/processing.txt")
    assert (answer.mimetype, answer.headers["Cache-Control"]) == ("text/plain", "private, no-store")
    assert "Record of processing activities" in answer.text
    assert "ahasia" not in answer.text
