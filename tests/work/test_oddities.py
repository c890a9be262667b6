"""Every odd event is told to the coach in plain words, at her desk and by the commands; never with its title."""

import pytest

from microsite.calendars.expand import WARNINGS
from microsite.core.oddities import ODDITIES
from microsite.core.oddities import UNKNOWN
from microsite.core.oddities import said
from microsite.work import doctor
from microsite.work import look
from microsite.work import overview
from tests.conftest import House

from .conftest import App

COACH = "sari"


def put(house: House, app: App, uid: str, *lines: str) -> None:
    """An event of hers as some app wrote it, with a title that must not show."""
    text = "\r\n".join(
        (
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            "PRODID:-//app//EN",
            "BEGIN:VEVENT",
            f"UID:{uid}",
            "DTSTAMP:20261101T000000Z",
        )
    )
    body = "\r\n".join((text, *lines, "SUMMARY:Kenari", "END:VEVENT", "END:VCALENDAR", ""))
    house.services.calendars.create(app.account("private"), uid, body.encode())
    app.hear()
    house.drain()


def told(house: House) -> list[overview.Odd]:
    """What her desk says."""
    calendars = overview.calendars(house.services, look.coach(house.services, COACH))
    return [odd for calendar in calendars for odd in calendar.odd]


def test_each_warning_has_its_sentence_in_both_languages() -> None:
    assert set(ODDITIES) == {*WARNINGS, "too-large"}
    assert all(words.id and words.en and words.id != words.en for words in [*ODDITIES.values(), UNKNOWN])
    assert said("a code of tomorrow") is UNKNOWN


def test_a_calendar_without_odd_events_says_nothing(house: House) -> None:
    house.drain()
    assert told(house) == []


def test_odd_events_are_counted_and_dated_at_the_desk(house: House, app: App) -> None:
    put(house, app, "a", "DTSTART:20261201T030000Z", "DTEND:20261201T040000Z", "RRULE:FREQ=HOURLY;COUNT=2")
    put(house, app, "b", "DTSTART:20261130T030000Z", "DTEND:20261130T040000Z", "RRULE:FREQ=HOURLY;COUNT=2")
    (odd,) = told(house)
    assert (odd.sentence, odd.events) == (ODDITIES["too-often"], 2)
    assert house.now < odd.at <= 1_796_007_600


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_sentence_names_no_title(house: House, app: App, language: str) -> None:
    put(house, app, "a", "DTSTART;TZID=Nowhere/Land:20261201T030000", "DTEND;TZID=Nowhere/Land:20261201T040000")
    (odd,) = told(house)
    assert odd.sentence is ODDITIES["zone"] and "Kenari" not in odd.sentence[language]


def test_the_doctor_says_the_same(house: House, app: App) -> None:
    put(house, app, "a", "DTSTART:20261201T030000Z", "DTEND:20261201T020000Z")
    findings = [finding.what for finding in doctor.examine(house.services)]
    assert any(ODDITIES["reversed"].en in what and "Kenari" not in what for what in findings)
