"""Nothing a person wrote in the coach's own events, and nobody in them, is found in what reading hands on."""

import msgspec
import pytest

from microsite.calendars.expand import read_availability
from microsite.calendars.expand import read_feed
from microsite.core.mirror import ReadingRules

from .conftest import busy
from .conftest import utc

CANARY = "Kenari7"
TEXTS = (
    f"SUMMARY:{CANARY} summary",
    f"DESCRIPTION:{CANARY} description\\, {CANARY}",
    f"LOCATION:{CANARY}",
    f"COMMENT:{CANARY}",
    f"CONTACT:{CANARY}",
    f"CATEGORIES:{CANARY},{CANARY}",
    f"ATTENDEE;CN={CANARY}:mailto:{CANARY}@example.org",
    f"ORGANIZER;CN={CANARY}:mailto:{CANARY}@example.org",
    f"URL:https://example.org/{CANARY}",
    f"ATTACH:https://example.org/{CANARY}",
    f"GEO:{CANARY}",
    f"X-ALT-DESC;FMTTYPE=text/html:{CANARY}",
    f"X-{CANARY}:1",
    f"STATUS:{CANARY}",
    f"CLASS:{CANARY}",
    f"RELATED-TO:{CANARY}",
    f"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:{CANARY}\r\nTRIGGER:-PT5M\r\nEND:VALARM",
)
ZONE = (
    f"BEGIN:VTIMEZONE\r\nTZID:{CANARY}'s zone\r\nCOMMENT:{CANARY}\r\nBEGIN:STANDARD\r\nTZNAME:{CANARY}\r\n"
    "DTSTART:19700101T000000\r\nTZOFFSETFROM:+0545\r\nTZOFFSETTO:+0545\r\nEND:STANDARD\r\nEND:VTIMEZONE\r\n"
)
TIMES = {
    "single": ("DTSTART:20260105T020000Z", "DTEND:20260105T030000Z"),
    "single after the window": ("DTSTART:20270105T020000Z", "DTEND:20270105T030000Z"),
    "series": (
        f"DTSTART;X-{CANARY}={CANARY};TZID={CANARY}'s zone:20260105T090000",
        "DURATION:PT1H",
        "RRULE:FREQ=DAILY",
    ),
    "unknown zone": (f"DTSTART;TZID={CANARY}:20260105T090000", "DURATION:PT1H", "RRULE:FREQ=DAILY"),
    "bad rule": ("DTSTART:20260105T020000Z", "DURATION:PT1H", f"RRULE:FREQ=DAILY;X-NAME={CANARY}"),
    "bad exdate": ("DTSTART:20260105T020000Z", "DURATION:PT1H", "RRULE:FREQ=DAILY", f"EXDATE:{CANARY}"),
    "bad end": ("DTSTART:20260105T020000Z", f"DTEND:{CANARY}", "RRULE:FREQ=DAILY"),
    "bad start": (f"DTSTART:{CANARY}", "RRULE:FREQ=DAILY"),
}


def made(times: tuple[str, ...], kind: str = "VEVENT") -> str:
    override = "\r\n".join(("BEGIN:VEVENT", "UID:u", "RECURRENCE-ID:20260106T020000Z", *TEXTS, "END:VEVENT"))
    event = "\r\n".join((f"BEGIN:{kind}", "UID:u", *times, *TEXTS, f"END:{kind}"))
    parts = (
        f"{event}\r\n{override}\r\n" if kind == "VEVENT" else f"BEGIN:VAVAILABILITY\r\n{event}\r\nEND:VAVAILABILITY\r\n"
    )
    return f"BEGIN:VCALENDAR\r\nX-WR-CALNAME:{CANARY}\r\n{ZONE}{parts}END:VCALENDAR\r\n"


def leaks(value: object) -> bool:
    return CANARY.casefold() in repr(value).casefold() or CANARY.encode() in msgspec.json.encode(value)


@pytest.mark.parametrize("case", TIMES)
@pytest.mark.parametrize("kind", ["busy", "open"])
@pytest.mark.parametrize("own", [frozenset(), frozenset({"u"})])
def test_no_text_of_an_event_survives_reading(case: str, kind: str, own: frozenset[str]) -> None:
    rules = {"kind": kind, "own_uids": own, "serves": {f"{CANARY.casefold()} summary": "offer"}}
    reading = busy(made(TIMES[case]).encode(), **rules)
    assert not leaks(reading)
    assert not leaks([reading.spans])


def test_the_canary_would_be_found_if_it_were_there() -> None:
    reading = busy(made(TIMES["series"]).encode())
    assert leaks(msgspec.structs.replace(reading, serves=f"SUMMARY:{CANARY}"))
    assert reading.spans


@pytest.mark.parametrize("case", TIMES)
def test_no_text_survives_in_feeds_and_availability(case: str) -> None:
    rules = ReadingRules(kind="busy", zone="Asia/Jakarta", start=utc("2026-01-01"), end=utc("2026-04-01"))
    assert not leaks(read_feed(made(TIMES[case]).encode(), "e", rules))
    assert not leaks(read_availability(made(TIMES[case], "AVAILABLE").encode(), rules))
