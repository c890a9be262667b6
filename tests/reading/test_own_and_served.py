"""Our own events as the coach left them, and open hours that name an offer."""

from typing import Any

import pytest

from microsite.calendars.expand import read_availability
from microsite.core.mirror import Seen
from microsite.core.spans import Spans

from .conftest import busy
from .conftest import event
from .conftest import rules_of
from .conftest import utc

OWN = frozenset({"one@fixture"})
TIMES = ("DTSTART:20260105T020000Z", "DTEND:20260105T030000Z")
AS_WRITTEN: dict[str, Any] = {
    "uid": "one@fixture",
    "href": "/cal/one.ics",
    "etag": '"1"',
    "start": utc("2026-01-05T02:00"),
    "end": utc("2026-01-05T03:00"),
    "titled_with": "K7QD",
}

SEEN = [
    (("SUMMARY:Sesi · K7QD",), {}, "as we wrote it"),
    (("SUMMARY:? Sesi · K7QD",), {"marked": True}, "still waits for the coach"),
    (("SUMMARY:   ?Sesi · K7QD",), {"marked": True}, "spaces before the mark do not matter"),
    (("SUMMARY:Sesi? · K7QD",), {}, "a question mark elsewhere is no mark"),
    (("SUMMARY;LANGUAGE=id:Sesi · K7QD",), {}, "parameters of the title do not matter"),
    (('SUMMARY;X-A="b:c":Sesi · K7QD',), {}, "not even with a colon in quotes"),
    (("SUMMARY:Sesi\\, pagi · K7QD (WIB)",), {}, "three letters are no reference"),
    (("SUMMARY:SESI K7QD",), {}, "the last token that looks like one counts"),
    (("SUMMARY:Sesi K7QD-lama ABCD",), {"titled_with": "ABCD"}, "the last one"),
    (("SUMMARY:Sesi · k7qd",), {"titled_with": ""}, "small letters are no reference"),
    (("SUMMARY:Sesi · K7QD9ab",), {"titled_with": ""}, "part of a word is no reference"),
    ((), {"titled_with": ""}, "no title"),
    (("SUMMARY:Sesi · K7QD", "STATUS:CANCELLED"), {"cancelled": True}, "cancelled in the app"),
    (("SUMMARY:Sesi · K7QD", "STATUS:TENTATIVE"), {}, "status never approves or declines"),
    (("SUMMARY:Sesi · K7QD", "TRANSP:TRANSPARENT"), {}, "marked free is not cancelled"),
    (("SUMMARY:Sesi · K7QD", "RRULE:FREQ=DAILY"), {"odd": "recurring"}, "made a series"),
    (("SUMMARY:Sesi · K7QD", "RDATE:20260106T020000Z"), {"odd": "recurring"}, "given a second date"),
    (("SUMMARY:Sesi · K7QD", "RECURRENCE-ID:20260105T020000Z"), {"odd": "recurring"}, "an instance of something"),
    (("SUMMARY:Sesi · K7QD", "RRULE:FREQ=SOMETIMES"), {"odd": "recurring"}, "a rule nobody can read"),
]


@pytest.mark.parametrize(("lines", "changes", "words"), SEEN, ids=[words for _, _, words in SEEN])
def test_our_own_event_is_never_busy_and_is_reported(
    lines: tuple[str, ...], changes: dict[str, Any], words: str
) -> None:
    reading = busy(event(*TIMES, *lines), own_uids=OWN)
    assert not Spans.unpack(reading.spans), words
    assert reading.uid == "one@fixture"
    assert reading.seen == Seen(
        **{"uid": "one@fixture", "href": "/cal/one.ics", "etag": '"1"'} | AS_WRITTEN | changes
    ), words


@pytest.mark.parametrize(
    ("times", "odd", "words"),
    [
        (("DTSTART;VALUE=DATE:20260105",), "all-day", "dragged into the all-day row"),
        (("DTSTART:soon",), "unreadable", "no time"),
        ((), "unreadable", "no start"),
        (("DTSTART:20260105T020000Z", "DTEND:soon"), "unreadable", "no end"),
        (("DTSTART:20260105T030000Z", "DTEND:20260105T020000Z"), "unreadable", "ends before it starts"),
        (("DTSTART;TZID=Middle Earth:20260105T090000", "DURATION:PT1H"), "unreadable", "in a zone nobody knows"),
    ],
)
def test_our_own_event_that_cannot_be_judged_says_why(times: tuple[str, ...], odd: str, words: str) -> None:
    seen = busy(event(*times, "SUMMARY:Sesi · K7QD"), own_uids=OWN).seen
    assert seen is not None
    assert seen.odd == odd, words


def test_our_own_event_is_known_by_uid_in_open_calendars_too() -> None:
    reading = busy(event(*TIMES), own_uids=OWN, kind="open")
    assert not Spans.unpack(reading.spans)
    assert reading.seen is not None


def test_a_uid_is_taken_whole_even_with_a_colon_in_it() -> None:
    uid = "urn:uuid:3f"
    assert busy(event(*TIMES, uid=uid), own_uids=frozenset({uid})).seen is not None
    assert busy(event(*TIMES, uid="urn:uuid:4f"), own_uids=frozenset({uid, "4f"})).seen is None


SERVES = {"sesi satu jam": "long", "first talk": "short"}


@pytest.mark.parametrize(
    ("title", "offer", "words"),
    [
        ("Sesi satu jam", "long", "the title of an offer"),
        ("  SESI   Satu\\nJam ", "long", "in any case of letters and any spaces"),
        ("First Talk", "short", "the other language"),
        ("Open", "", "no offer: all may use it"),
        ("Sesi satu jam!", "", "not quite the title"),
    ],
)
def test_open_hours_named_after_an_offer_serve_it(title: str, offer: str, words: str) -> None:
    reading = busy(event(*TIMES, "RRULE:FREQ=DAILY", f"SUMMARY:{title}"), kind="open", serves=SERVES)
    assert reading.serves == offer, words


def test_an_availability_part_named_after_an_offer_serves_it() -> None:
    part = (
        "BEGIN:AVAILABLE\r\nUID:p{n}\r\nDTSTART:2026010{n}T020000Z\r\nDURATION:PT1H\r\nSUMMARY:{title}\r\n"
        "END:AVAILABLE\r\n"
    )

    def reading(*titles: str) -> str:
        parts = "".join(part.format(n=n, title=title) for n, title in enumerate(titles, 1))
        ics = f"BEGIN:VCALENDAR\r\nBEGIN:VAVAILABILITY\r\nUID:v\r\n{parts}END:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
        return read_availability(ics.encode(), rules_of("availability", kind="busy", serves=SERVES)).serves

    assert reading("First talk") == "short"
    assert reading("First talk", "first  talk") == "short"
    assert reading("First talk", "Sesi satu jam") == ""
