"""A coach changes her own settings: what is saved, what is refused beside its field, and what follows."""

import re
from html import unescape
from typing import Any

import pytest

from .conftest import Pages
from .hands import Coach
from .hands import fields
from .hands import settings_fields


@pytest.fixture(name="coach")
def _coach(pages: Pages) -> Coach:
    """Sari at her desk."""
    coach = Coach(pages)
    coach.enter()
    return coach


def form(coach: Coach, path: str) -> dict[str, str]:
    """The fields of a settings page as a browser would send them."""
    return settings_fields(coach.pages.get(path).text)


def save(coach: Coach, path: str, **changes: str) -> Any:
    """Change some fields and press the button."""
    return coach.client.post(path, data={**form(coach, path), **changes})


def settings(coach: Coach) -> Any:
    """What is stored."""
    with coach.pages.services.store.read() as tx:
        return tx.coaches.settings("sari")


def errors(page: Any) -> dict[str, str]:
    """The errors beside their fields."""
    found = re.findall(r'<p class="error" id="([^"]+)-error">([^<]+)</p>', page.text)
    return {path.replace("-", "."): why for path, why in found}


def test_saving_a_page_unchanged_changes_nothing(coach: Coach) -> None:
    before = settings(coach)
    assert save(coach, "/desk/settings").status_code == 303
    assert save(coach, "/desk/offers/sesi").status_code == 303
    assert save(coach, "/desk/offers/diam").status_code == 303
    assert settings(coach) == before


def test_a_coach_changes_words_hours_and_retention(coach: Coach) -> None:
    changes = {"name": "Sari Dewi", "hours.friday": "9-12, 13.30–17:00", "retention_days": "7"}
    changes |= {"exceptions": "2026-12-25\n2026-12-26 09:00-12:00"}
    assert save(coach, "/desk/settings", **changes).status_code == 303
    saved = settings(coach)
    assert (saved.name, saved.retention_days) == ("Sari Dewi", 7)
    assert saved.hours["friday"] == ["09:00-12:00", "13:30-17:00"]
    assert saved.exceptions == {"2026-12-25": [], "2026-12-26": ["09:00-12:00"]}
    assert "Sari Dewi" in coach.pages.get("/sari/").text
    assert (
        "setelah 7 hari" in coach.pages.get("/sari/privacy").text or "7 hari" in coach.pages.get("/sari/privacy").text
    )


def test_every_refused_value_is_shown_again_with_the_reason_beside_it(coach: Coach) -> None:
    wrong = {"zone": "Mars/Olympus", "retention_days": "400", "hours.monday": "12:00-09:00", "name": "x" * 121}
    wrong |= {"per_day": "many", "exceptions": "tomorrow", "contact": "fine@example.org"}
    before = settings(coach)
    page = save(coach, "/desk/settings", **wrong)
    assert page.status_code == 422
    assert set(errors(page)) == {"zone", "retention_days", "hours.monday", "name", "per_day", "exceptions"}
    assert errors(page)["retention_days"] == "Paling banyak 365."
    for typed in ("Mars/Olympus", "400", "12:00-09:00", "many", "tomorrow", "fine@example.org"):
        assert typed in page.text
    assert 'href="#retention_days"' in page.text
    assert settings(coach) == before


def test_invisible_characters_are_taken_out_of_what_a_coach_writes(coach: Coach) -> None:
    """They would break every letter (a name in a header) or hide what a title says."""
    name = "Sa\x00ri\u202e\r\nBcc: x@example.com"
    assert save(coach, "/desk/settings", name=name).status_code == 303
    assert settings(coach).name == "Sari Bcc: x@example.com"
    assert save(coach, "/desk/offers/sesi", **{"description.id": "satu\r\ndua\u2066\x1b"}).status_code == 303
    assert settings(coach).offer("sesi").description.id == "satu\ndua"


def test_words_in_place_of_hours_are_named_by_their_day_and_stay_in_the_field(coach: Coach) -> None:
    page = save(coach, "/desk/settings", accent="#ffee00", **{"hours.monday": "jam sembilan"})
    assert set(errors(page)) == {"hours.monday", "accent"}
    assert "09:00-12:00" in errors(page)["hours.monday"]
    assert "jam sembilan" in page.text
    page = save(coach, "/desk/offers/sesi", **{"hours.friday": "sore"})
    assert set(errors(page)) == {"hours.friday"}


def test_an_offer_is_changed_in_hours_and_minutes(coach: Coach) -> None:
    changes = {"minutes": "50", "notice": "1,5", "cancel_notice": "48", "reminder": "0", "mode": "coach"}
    assert save(coach, "/desk/offers/sesi", **changes).status_code == 303
    offer = settings(coach).offer("sesi")
    assert (offer.minutes, offer.notice, offer.cancel_notice, offer.reminder) == (50, 90, 48 * 60, 0)
    assert offer.mode == "coach"
    assert form(coach, "/desk/offers/sesi")["notice"] == "1.5"


def test_a_refused_offer_says_why(coach: Coach) -> None:
    page = save(coach, "/desk/offers/sesi", minutes="4", **{"title.id": "", "title.en": ""})
    assert page.status_code == 422
    assert errors(page)["minutes"] == "Paling sedikit 5."
    assert any(name.startswith("title") for name in errors(page))


def test_a_new_offer_can_be_made_and_taken_away(coach: Coach) -> None:
    assert save(coach, "/desk/offers/new", slug="sesi", **{"title.id": "Kelas"}).status_code == 422
    answer = save(coach, "/desk/offers/new", slug="kelas", email="optional", **{"title.id": "Kelas", "listed": "on"})
    assert answer.status_code == 303, errors(answer)
    assert "Kelas" in coach.pages.get("/sari/").text
    coach.post("/desk/offers/kelas", remove="1")
    assert settings(coach).offer("kelas") is None


@pytest.mark.parametrize(
    ("typed", "title", "made"),
    [("Kenalan Dulu", "Kelas", "kenalan-dulu"), ("", "Café & cerita", "cafe-cerita"), (" ", "x" * 50, "x" * 40)],
)
def test_what_she_types_becomes_an_address_and_an_empty_one_is_made_from_the_title(
    coach: Coach, typed: str, title: str, made: str
) -> None:
    answer = save(coach, "/desk/offers/new", slug=typed, email="optional", **{"title.id": title, "listed": "on"})
    assert answer.status_code == 303, errors(answer)
    assert settings(coach).offer(made).title["id"] == title


def test_a_zone_may_be_called_as_people_call_it_and_an_address_that_is_none_is_refused(coach: Coach) -> None:
    assert save(coach, "/desk/settings", zone="wita").status_code == 303
    assert settings(coach).zone == "Asia/Makassar"
    page = save(coach, "/desk/settings", email="sari di example.org")
    assert set(errors(page)) == {"email"}
    assert "sari di example.org" in page.text


@pytest.mark.parametrize(
    ("path", "word", "said"),
    [("cancel", "cancelled", "Sudah dibatalkan."), ("erase", "erased", "Sudah dihapus untuk selamanya.")],
)
def test_what_was_done_about_a_session_is_said_on_the_page_after_it(
    coach: Coach, path: str, word: str, said: str
) -> None:
    coach.pages.book()
    answer = coach.post(f"/desk/{path}", ref=coach.pages.only_booking().ref)
    assert answer.headers["Location"] == f"/desk?done={word}"
    assert said in coach.pages.get(answer.headers["Location"]).text
    assert said not in coach.pages.get("/desk?done=whatever").text


def test_a_site_without_a_mail_relay_cannot_ask_for_letters(coach: Coach) -> None:
    """The site would refuse to start the next time."""
    page = save(coach, "/desk/offers/diam", email="required")
    assert page.status_code == 422
    assert "email" in errors(page)


def test_an_invitation_is_shown_once_and_books(coach: Coach) -> None:
    page = coach.post("/desk/invitations", offer="diam", uses="2", days="3", label="dari blog")
    (link,) = set(re.findall(r"http://localhost:8000/sari/diam/\?invite=[\w-]{43}", page.text))
    assert "dari blog" in page.text
    again = coach.pages.get("/desk/invitations").text
    assert "dari blog" in again
    assert link.split("=")[1] not in again


def test_what_is_kept_is_counted_and_names_nobody(coach: Coach) -> None:
    coach.pages.book(name="Rahasia", email="rahasia@example.com", note="sangat rahasia")
    text = coach.pages.get("/desk/kept").text
    assert re.findall(r"<dd>(\d+)</dd>", text) == ["1", "1", "1", "1"]
    assert coach.pages.only_booking().ref in text
    assert "ahasia" not in text


def test_a_coach_cannot_touch_another_coachs_booking(coach: Coach) -> None:
    coach.pages.book()
    booking = coach.pages.only_booking()
    for path in ("cancel", "erase", "approve", "ask-to-move"):
        assert coach.post(f"/desk/{path}", ref="ZZZZ").status_code == 404, path
    assert coach.pages.only_booking() == booking


def test_cancelling_and_erasing_at_the_desk(coach: Coach) -> None:
    coach.pages.book()
    ref = coach.pages.only_booking().ref
    assert coach.post("/desk/cancel", ref=ref).status_code == 303
    assert "dibatalkan" in coach.pages.get("/desk").text
    assert coach.post("/desk/cancel", ref=ref).status_code == 409
    assert coach.post("/desk/erase", ref=ref).status_code == 303
    assert f'data-ref="{ref}"' not in coach.pages.get("/desk").text


def test_a_frozen_session_says_what_to_do_and_the_brake_can_be_let_go(coach: Coach) -> None:
    coach.pages.book()
    coach.pages.put_in_state("frozen")
    assert "tidak mau menebak" in coach.pages.get("/desk").text
    with coach.pages.services.store.write() as tx:
        tx.coaches.set_brake("sari", told_at=1, released=False)
    assert "Banyak acara hilang sekaligus" in coach.pages.get("/desk").text
    coach.post("/desk/release")
    assert "Banyak acara hilang sekaligus" not in coach.pages.get("/desk").text


@pytest.mark.parametrize(("path", "field"), [("/desk/settings", "name"), ("/desk/offers/sesi", "title.id")])
def test_what_a_coach_wrote_outlives_her_session(coach: Coach, path: str, field: str) -> None:
    """She signs in beside the page that kept it, sees it again, and saves it herself."""
    before, written = settings(coach), {**form(coach, path), field: 'Sari "Dewi"\n<b>'}
    coach.pages.now += 13 * 3600

    kept = coach.client.post(path, data=written)
    waiting = {name: unescape(value) for name, value in fields(kept, path).items()}
    assert kept.status_code == 403
    assert waiting == {name: value for name, value in written.items() if name != "form_token"}
    assert coach.client.post(path, data=waiting).status_code == 403

    coach.enter()
    shown = coach.client.post(path, data=waiting)
    assert shown.status_code == 422 and "Belum ada yang tersimpan" in shown.text
    assert settings(coach) == before

    assert coach.client.post(path, data=settings_fields(shown.text)).status_code == 303
    assert settings(coach) != before


def test_an_earlier_sessions_form_takes_no_offer_away(coach: Coach) -> None:
    before, written = settings(coach), {**form(coach, "/desk/offers/sesi"), "remove": "1"}
    coach.enter()
    assert coach.client.post("/desk/offers/sesi", data=written).status_code == 422
    assert settings(coach) == before
