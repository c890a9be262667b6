"""The form: what is refused, what is kept, and that nobody is turned away for being quick, slow or unlucky."""

import html
import re

import pytest

from microsite.web.forms import read_email

from .conftest import Pages
from .test_visitor import break_calendar
from .test_visitor import state

TYPED = {"name": "Budi Santoso", "email": "budi@example.com", "note": "Saya ingin bicara.\nTentang kerja."}


def kept(text: str) -> bool:
    """Whether everything typed is in the form again."""
    return all(
        html.escape(value).replace("&quot;", "&#34;") in html.unescape(text) or value in html.unescape(text)
        for value in TYPED.values()
    )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("name", "   "),
        ("name", "x" * 81),
        ("name", "Budi\r\nBcc: all@example.com"),
        ("name", "Budi\x00"),
        ("name", "Budi\x85"),
        ("name", "Bu\u202edi"),
        ("name", "Bu\u2066di"),
        ("name", "Bu\u2028di"),
        ("email", ""),
        ("email", "budi"),
        ("email", "budi@localhost"),
        ("email", "a@b@example.com"),
        ("email", "budi@example.com\r\nTo: x@example.com"),
        ("email", "budi @example.com"),
        ("email", f"{'x' * 250}@example.com"),
        ("email", "\u202ebudi@example.com"),
        ("note", "x" * 501),
        ("note", "a\x1bb"),
        ("note", "a\u202eb"),
    ],
)
def test_bad_input_is_422_with_a_summary_that_links_to_the_field(pages: Pages, field: str, value: str) -> None:
    answer = pages.send({**pages.form(), **TYPED, field: value})
    assert answer.status_code == 422
    assert f'<li><a href="#{field}">' in answer.text
    assert 'role="alert" tabindex="-1" autofocus' in answer.text
    assert re.search(
        rf'id="{field}"[^>]*aria-describedby="{field}-error {field}-hint" aria-invalid="true"', answer.text
    )
    for other in TYPED.keys() - {field}:
        assert TYPED[other] in html.unescape(answer.text)
    for sign in "\x00\x1b\x85\u202e\u2066\u2028":
        assert sign not in answer.text


def test_what_could_be_kept_of_a_refused_text_is_in_the_field(pages: Pages) -> None:
    answer = pages.send({**pages.form(), **TYPED, "name": "Bu\u202edi\r\nSantoso"})
    assert 'value="Budi  Santoso"' in answer.text


@pytest.mark.parametrize("note", ["", "dua\r\nbaris", "x" * 500, "🌱 halo"])
def test_a_note_may_be_empty_or_have_lines(pages: Pages, note: str) -> None:
    assert pages.send({**pages.form(), **TYPED, "note": note}).status_code == 303


@pytest.mark.parametrize("name", ["B", "Bu Sri-Ayu", "李雷", "Zoë", "x" * 80, "O'Neil"])
def test_names_of_all_kinds_are_welcome(pages: Pages, name: str) -> None:
    assert pages.send({**pages.form(), **TYPED, "name": name}).status_code == 303


def test_an_offer_may_do_without_an_address(pages: Pages) -> None:
    fields = pages.form(offer="diam")
    assert pages.send({**fields, **TYPED, "email": ""}, offer="diam").status_code == 303


@pytest.mark.parametrize(
    ("typed", "read"),
    [
        ("budi@example.com", "budi@example.com"),
        ("Budi.S+sesi@Mail.Example.COM", "Budi.S+sesi@mail.example.com"),
        ("budi@münchen.example", "budi@xn--mnchen-3ya.example"),
        ("budi@-x.example", None),
        ("budi@example..com", None),
        (".budi@example.com", None),
        ("budi..s@example.com", None),
        ("budi@192.168.0.1", None),
        ("budi@[127.0.0.1]", None),
        ('"a b"@example.com', None),
        (f"{'x' * 65}@example.com", None),
        (f"b@{'x' * 64}.example", None),
        ("budi@example.com.", None),
    ],
)
def test_addresses(typed: str, read: str | None) -> None:
    assert read_email(typed) == read


def test_too_quick_shows_the_form_again_and_pressing_once_more_is_enough(pages: Pages) -> None:
    fields = pages.form()
    pages.now -= 3
    quick = pages.send({**fields, **TYPED})
    assert quick.status_code == 422
    assert "Cepat sekali" in quick.text
    assert kept(quick.text)
    pages.now += 2
    assert pages.send({**pages.fields(quick), **TYPED}).status_code == 303


def test_too_late_shows_the_form_again_with_a_fresh_token(pages: Pages) -> None:
    fields = pages.form()
    pages.now += 2 * 3600
    late = pages.send({**fields, **TYPED})
    assert late.status_code == 422
    assert kept(late.text)
    pages.now += 4
    assert pages.send({**pages.fields(late), **TYPED}).status_code == 303


@pytest.mark.parametrize("token", ["", "x", "1795406400.AAAA", "x" * 9000])
def test_a_foreign_token_shows_the_form_again(pages: Pages, token: str) -> None:
    answer = pages.send({**pages.form(), **TYPED, "form_token": token})
    assert answer.status_code == 422
    assert kept(answer.text)
    assert not _booked(pages)


def test_a_token_belongs_to_its_slot(pages: Pages) -> None:
    one, other = pages.slots()[0], pages.slots()[1]
    fields = pages.form(one)
    assert pages.send({**fields, **TYPED, "slot": other}).status_code == 422
    assert not _booked(pages)


def test_a_filled_trap_shows_the_form_again_with_the_trap_emptied(pages: Pages) -> None:
    answer = pages.send({**pages.form(), **TYPED, "website": "https://spam.example"})
    assert answer.status_code == 422
    assert "spam.example" not in answer.text
    assert kept(answer.text)
    assert not _booked(pages)
    pages.now += 4
    assert pages.send({**pages.fields(answer), **TYPED}).status_code == 303


def test_a_taken_slot_is_409_with_the_nearest_times_and_the_typed_text(pages: Pages) -> None:
    slot = pages.slots()[0]
    mine = pages.form(slot)
    assert pages.send({**pages.form(slot), **TYPED, "name": "Ani"}).status_code == 303
    answer = pages.send({**mine, **TYPED})
    assert answer.status_code == 409
    assert state(answer.text) == "taken"
    assert kept(answer.text)
    choices = re.findall(r'value="(\d{8}T\d{6}Z~[^"]+)" data-slot="(\d{8}T\d{6}Z)"', answer.text)
    assert len(choices) == 3
    assert slot not in {each for _, each in choices}
    without = pages.send({**pages.fields(answer), **TYPED})
    assert without.status_code in {409, 422}
    again = pages.send({**pages.fields(answer), **TYPED, "choice": choices[1][0]})
    assert again.status_code == 303
    with pages.services.store.read() as tx:
        assert len(tx.bookings.live("sari")) == 2


def test_a_slot_that_was_never_offered_is_409_on_post_too(pages: Pages) -> None:
    fields = pages.form()
    answer = pages.send({**fields, **TYPED, "slot": "20261125T010700Z"})
    assert answer.status_code == 409
    assert kept(answer.text)
    assert not _booked(pages)


def test_an_unreadable_calendar_keeps_the_text(pages: Pages) -> None:
    fields = pages.form()
    break_calendar(pages)
    answer = pages.send({**fields, **TYPED})
    assert answer.status_code == 503
    assert kept(answer.text)
    assert "Kalendernya sedang tidak menjawab" in answer.text


def test_a_body_over_16_kib_is_a_413_page(pages: Pages) -> None:
    answer = pages.send({**pages.form(), **TYPED, "note": "x" * 17000})
    assert answer.status_code == 413
    assert state(answer.text) == "too-large"


def test_another_site_cannot_post(pages: Pages) -> None:
    fields = {**pages.form(), **TYPED}
    for headers in (
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": "http://["},
    ):
        answer = pages.client.post("/sari/sesi/book", data=fields, headers=headers)
        assert answer.status_code == 403, headers
        assert state(answer.text) == "foreign"
    assert not _booked(pages)
    assert pages.client.post("/sari/sesi/book", data=fields, headers={"Origin": "http://localhost"}).status_code == 303


def test_a_form_posted_without_fetch_metadata_is_taken(pages: Pages) -> None:
    assert pages.client.post("/sari/sesi/book", data={**pages.form(), **TYPED}).status_code == 303


def test_english_bookings_stay_english(pages: Pages) -> None:
    answer = pages.send({**pages.form(), **TYPED}, prefix="/en")
    assert answer.headers["Location"].startswith("/en/m/")
    assert pages.only_booking().language == "en"


def _booked(pages: Pages) -> bool:
    with pages.services.store.read() as tx:
        return bool(tx.bookings.live("sari"))
