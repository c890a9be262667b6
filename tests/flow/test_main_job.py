"""The whole main job by plain HTTP: look, book, see it in the calendar and the mail, cancel, see it gone."""

import os
import subprocess
import sys
from pathlib import Path

import pyrage
import pytest

from microsite.core.events import CLIENT_PROPERTIES
from microsite.core.events import COACH_PROPERTIES
from microsite.core.letters import SUBJECTS
from tests.conftest import ROOT
from tests.conftest import Site
from tests.conftest import wait_until
from tests.flow.coach import CalendarApp
from tests.flow.coach import Letter
from tests.flow.coach import Mailbox
from tests.flow.visitor import TYPED
from tests.flow.visitor import Visitor
from tests.flow.visitor import a_slot
from tests.flow.visitor import at
from tests.flow.visitor import in_event
from tests.flow.visitor import may_be_a_person
from tests.flow.visitor import names
from tests.flow.visitor import reference
from tests.flow.visitor import slots_from
from tests.flow.visitor import value

FIRST, SESSION = "/sari/percakapan-pertama/", "/sari/sesi/"
COACH = "sari@example.org"
PERSONAL = ("Budi", "budi", "example.com", "ini catatan")
TREE = [
    "multipart/mixed",
    "multipart/alternative",
    "text/plain",
    "text/html",
    "text/calendar",
    "application/ics",
]


def microsite(site: Site, *words: str) -> "subprocess.CompletedProcess[str]":
    """The command line, as the operator types it."""
    command = [sys.executable, "-m", "microsite.cli", *words]
    return subprocess.run(
        command, cwd=ROOT, env={**os.environ, **site.environ}, capture_output=True, text=True, timeout=120
    )


def test_a_fresh_site_is_healthy_and_offers_free_times(visitor: Visitor) -> None:
    assert visitor.get("/healthz").status == 200
    assert visitor.get("/healthz").json()["ok"] is True

    front = visitor.get("/")

    assert (front.status, front.state) == (200, "offers")
    for offer in (FIRST, SESSION):
        assert offer in front.links
        assert visitor.get(offer).slots
    assert not visitor.cookies


def test_the_picker_opens_on_the_earliest_free_time(visitor: Visitor) -> None:
    opened = visitor.get(SESSION)
    days = {link for link in opened.links if link.startswith(f"{SESSION}?") and "day=" in link}

    later = [slot for link in days for slot in visitor.get(link).slots]

    assert later
    assert opened.slots[0] == min(later + opened.slots)


def test_a_form_sent_too_fast_comes_back_with_all_that_was_typed_and_then_books(visitor: Visitor) -> None:
    for slot in slots_from(visitor, FIRST, 2):
        page = visitor.form(FIRST, slot)
        again = visitor.send_at_once(page)
        if not may_be_a_person(page):
            break

    assert (again.status, again.state) == (422, "form")
    kept = again.post_form().fields
    assert {name: kept[name] for name in TYPED} == TYPED
    assert not visitor.cookies
    again.seen_at = page.seen_at  # waiting counts from the first time the form was shown
    assert visitor.send(again).status == 303


def test_nothing_is_stored_in_the_browser_before_the_client_has_a_page(visitor: Visitor) -> None:
    visitor.get("/")
    visitor.get(SESSION)
    answer = visitor.send(visitor.form(SESSION, a_slot(visitor, SESSION, 2)))

    assert answer.status == 303
    assert not visitor.cookies
    assert "Set-Cookie" not in answer.headers
    visitor.follow(answer)
    assert set(visitor.cookies) == {"manage"}


@pytest.mark.parametrize(("prefix", "language", "word"), [("", "id", "Sesi"), ("/en", "en", "Session")])
def test_the_main_job_from_choosing_a_time_to_cancelling_it(
    visitor: Visitor, app: CalendarApp, mailbox: Mailbox, prefix: str, language: str, word: str
) -> None:
    email = f"flow-{language}@example.com"
    slot = a_slot(visitor, f"{prefix}{SESSION}")
    link, page = visitor.book(f"{prefix}{SESSION}", slot, "Asia/Makassar", email=email)
    assert page.status == 200
    assert page.state in {"confirming", "confirmed"}
    page = visitor.wait_for("confirmed")
    ref = reference(page)
    assert page.lang == language

    _calendar_has_it(app, ref, slot)
    confirmed = _letter_has_it(mailbox, email, language, word, link)
    _download_has_it(visitor, confirmed.ics)

    cancelled = visitor.post(page.post_form("/manage/cancel").action, page.post_form("/manage/cancel").fields)
    assert cancelled.status == 303
    assert visitor.follow(cancelled).state == "cancelled"
    wait_until(lambda: not app.titled(ref), what="the event gone from the calendar")
    assert slot in visitor.get(f"{prefix}{SESSION}", day=f"{at(slot):%Y-%m-%d}", tz="UTC").slots
    _cancellation_is_told(mailbox, email, language, confirmed.ics)


def _calendar_has_it(app: CalendarApp, ref: str, slot: str) -> None:
    (event,) = app.titled(ref)
    component = event.icalendar_component
    assert str(component["SUMMARY"]) == f"Sesi · {ref}"  # the coach's own language, whatever the client reads
    assert component["DTSTART"].dt == at(slot)
    raw = app.raw(event)
    assert names(raw) <= COACH_PROPERTIES
    assert not names(raw) & {"ATTENDEE", "ORGANIZER", "DESCRIPTION", "COMMENT", "CONTACT"}
    assert not [word for word in PERSONAL if word in raw.decode()]


def _letter_has_it(mailbox: Mailbox, email: str, language: str, word: str, link: str) -> Letter:
    (letter,) = mailbox.wait(email, 1)
    assert letter.subject == SUBJECTS["confirmed"][language == "en"]
    assert letter.tree == TREE
    assert link.partition("?")[0] in letter.text
    file = letter.part("application/ics")
    assert file.get_filename() == "invite.ics"
    assert file.get_payload(decode=True) == letter.ics
    assert letter.part("text/calendar").get_param("method") == "PUBLISH"
    assert names(letter.ics) <= CLIENT_PROPERTIES
    assert value(letter.ics, "SUMMARY") == word
    return letter


def _download_has_it(visitor: Visitor, told: bytes) -> None:
    file = visitor.get("/manage/session.ics")
    assert file.status == 200
    assert file.headers.get_content_type() == "text/calendar"
    assert b"METHOD:" not in file.body
    for name in ("UID", "SEQUENCE", "DTSTART", "DTEND", "SUMMARY"):
        assert value(file.body, name) == value(told, name)
    assert not [word for word in PERSONAL if word in file.text]


def _cancellation_is_told(mailbox: Mailbox, email: str, language: str, told: bytes) -> None:
    _, letter = mailbox.wait(email, 2)
    assert letter.subject == SUBJECTS["cancelled"][language == "en"]
    assert letter.part("text/calendar").get_param("method") == "CANCEL"
    assert b"METHOD:CANCEL\r\n" in letter.ics
    assert "STATUS:CANCELLED" in in_event(letter.ics)
    assert value(letter.ics, "UID") == value(told, "UID")
    assert int(value(letter.ics, "SEQUENCE")) == int(value(told, "SEQUENCE")) + 1


@pytest.fixture(name="booked", scope="module")
def _booked(site: Site) -> str:
    """The reference of one confirmed booking."""
    visitor = Visitor(site.base)
    visitor.book(FIRST, a_slot(visitor, FIRST))
    return reference(visitor.wait_for("confirmed"))


def test_the_coach_is_told_by_reference_and_time_and_nothing_else(booked: str, mailbox: Mailbox) -> None:
    def told() -> list[Letter]:
        return [letter for letter in mailbox.letters(COACH) if booked in letter.text]

    wait_until(told, what="a letter to the coach")
    (letter,) = told()
    assert letter.subject == SUBJECTS["new"][0]
    assert letter.tree == ["multipart/alternative", "text/plain", "text/html"]
    assert "/desk" in letter.text
    assert not [word for word in PERSONAL if word in letter.message.as_string()]


def test_the_coach_opens_a_record_in_a_terminal_with_her_own_key(booked: str, site: Site) -> None:
    opened = microsite(site, "open", booked, "--identity", str(site.instance / "demo-identity.txt"))

    assert opened.returncode == 0, opened.stderr
    assert all(text in opened.stdout for text in TYPED.values())


def test_another_key_opens_nothing(booked: str, site: Site, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.txt"
    wrong.write_text(str(pyrage.x25519.Identity.generate()))

    opened = microsite(site, "open", booked, "--identity", str(wrong))

    assert opened.returncode == 1
    assert opened.stderr.count("\n") == 1
    assert "Budi" not in opened.stdout + opened.stderr


def test_the_desk_link_is_spent_by_a_press_of_its_button_and_by_nothing_else(booked: str, site: Site) -> None:
    coach, other = Visitor(site.base), Visitor(site.base)
    assert booked not in coach.get("/desk").text

    for _ in range(2):  # a mail scanner looks first
        door = coach.get(site.welcome["desk"])
        assert door.status == 200
        assert not coach.cookies
    opened = coach.follow(coach.post(door.post_form().action, door.post_form().fields))

    assert opened.status == 200
    assert booked in opened.text
    assert not [word for word in PERSONAL if word in opened.text.replace(COACH, "")]
    door = other.get(site.welcome["desk"])
    assert other.post(door.post_form().action, door.post_form().fields).status == 404
    assert not other.cookies
