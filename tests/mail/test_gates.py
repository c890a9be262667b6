"""The judges themselves are judged: every file broken in one way is caught by at least one of them."""

from collections.abc import Callable

import ics_gates
import libical
import pytest
from letterbox import file_for

from microsite import ics
from microsite.core.bookings import Booking

Break = Callable[[bytes], bytes]


def put(old: bytes, new: bytes) -> Break:
    def broken(good: bytes) -> bytes:
        assert old in good, old
        return good.replace(old, new, 1)

    return broken


def after(line: bytes, extra: bytes) -> Break:
    return put(line + b"\r\n", line + b"\r\n" + extra + b"\r\n")


def without(name: bytes) -> Break:
    def broken(good: bytes) -> bytes:
        lines = good.replace(b"\r\n ", b"").split(b"\r\n")
        kept = [line for line in lines if not line.startswith((name + b":", name + b";"))]
        assert len(kept) == len(lines) - 1, name
        return b"\r\n".join(kept)

    return broken


UID = b"UID:feedbeeffeedbeeffeedbeeffeedbeef@book.example"
PUBLISH_BROKEN: dict[str, Break] = {
    "no UID": without(b"UID"),
    "no DTSTAMP": without(b"DTSTAMP"),
    "no DTSTART": without(b"DTSTART"),
    "no ORGANIZER": without(b"ORGANIZER"),
    "no SUMMARY": without(b"SUMMARY"),
    "no SEQUENCE": without(b"SEQUENCE"),
    "no PRODID": without(b"PRODID"),
    "no VERSION": without(b"VERSION"),
    "no METHOD": without(b"METHOD"),
    "two UIDs": after(UID, b"UID:another@book.example"),
    "an attendee": after(UID, b"ATTENDEE:mailto:klien@example.org"),
    "a comment": after(UID, b"COMMENT:a note"),
    "a property of somebody's own": after(UID, b"X-CLIENT:klien"),
    "a duration beside the end": after(UID, b"DURATION:PT1H"),
    "a method after the event": lambda good: put(b"METHOD:PUBLISH\r\n", b"")(good).replace(
        b"END:VEVENT\r\n", b"END:VEVENT\r\nMETHOD:PUBLISH\r\n"
    ),
    "an unknown method": put(b"METHOD:PUBLISH", b"METHOD:ANNOUNCE"),
    "a request without attendee": put(b"METHOD:PUBLISH", b"METHOD:REQUEST"),
    "a status with one L": put(b"STATUS:CONFIRMED", b"STATUS:CANCELED"),
    "cancelled in a PUBLISH": put(b"STATUS:CONFIRMED", b"STATUS:CANCELLED"),
    "an organizer without mailto": put(b":mailto:janji@", b":janji@"),
    "a name inside the address": put(b":mailto:janji@book.example", b":mailto:Rara <janji@book.example>"),
    "an impossible date": put(b"DTSTART:20261201T060000Z", b"DTSTART:20261301T060000Z"),
    "an end before the start": put(b"DTEND:20261201T070000Z", b"DTEND:20261201T050000Z"),
    "an end at the start": put(b"DTEND:20261201T070000Z", b"DTEND:20261201T060000Z"),
    "a local time": put(b"DTSTART:20261201T060000Z", b"DTSTART:20261201T060000"),
    "a zone without its definition": put(b"DTSTART:20261201T060000Z", b"DTSTART;TZID=Asia/Jakarta:20261201T130000"),
    "a negative SEQUENCE": put(b"SEQUENCE:0", b"SEQUENCE:-1"),
    "a SEQUENCE of the year 2038": put(b"SEQUENCE:0", b"SEQUENCE:2147483648"),
    "an alarm": put(
        b"END:VEVENT", b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\nEND:VEVENT"
    ),
    "an alarm without trigger": put(b"END:VEVENT", b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nEND:VALARM\r\nEND:VEVENT"),
    "a second event": put(b"END:VEVENT", b"END:VEVENT\r\nBEGIN:VEVENT\r\nUID:b\r\nEND:VEVENT"),
    "a space before the event": put(b"BEGIN:VEVENT", b" BEGIN:VEVENT"),
    "bare line feeds": lambda good: good.replace(b"\r\n", b"\n"),
    "one bare line feed": put(b"SUMMARY:Sesi", b"SUMMARY:Se\nsi"),
    "a raw new line in a text": put(b"SUMMARY:Sesi", b"SUMMARY:Se\r\nsi"),
    "a blank line in the middle": put(b"BEGIN:VEVENT", b"\r\nBEGIN:VEVENT"),
    "a blank line at the end": lambda good: good + b"\r\n",
    "no line end at the end": lambda good: good.removesuffix(b"\r\n"),
    "a line too long": put(b"SUMMARY:Sesi", b"SUMMARY:" + b"Sesi " * 20),
    "a fold inside a character": put(b"SUMMARY:Sesi", b"SUMMARY:\xe4\xba\r\n \x88"),
    "a control character": put(b"SUMMARY:Sesi", b"SUMMARY:Se\x07si"),
    "nothing at all": lambda good: b"",
}
CANCEL_BROKEN: dict[str, Break] = {
    "a cancel that is confirmed": put(b"STATUS:CANCELLED", b"STATUS:CONFIRMED"),
    "a cancel with an alarm": put(
        b"END:VEVENT", b"BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT1H\r\nEND:VALARM\r\nEND:VEVENT"
    ),
    "a cancel without organizer": without(b"ORGANIZER"),
    "a cancel without SEQUENCE": without(b"SEQUENCE"),
}
LIBICAL_ALONE = {"no UID", "no DTSTAMP", "no ORGANIZER", "no SUMMARY", "no PRODID", "an attendee", "two UIDs"}
"""What libical must see by itself, so that a library that only loads but never judges is noticed."""


@pytest.mark.parametrize("name", PUBLISH_BROKEN)
def test_a_broken_publish_is_caught(booking: Booking, name: str) -> None:
    good = ics.render(file_for(booking, "PUBLISH"))
    assert ics_gates.judge(good) == []
    assert ics_gates.judge(PUBLISH_BROKEN[name](good)) != []


@pytest.mark.parametrize("name", CANCEL_BROKEN)
def test_a_broken_cancel_is_caught(booking: Booking, name: str) -> None:
    good = ics.render(file_for(booking, "CANCEL"))
    assert ics_gates.judge(good) == []
    assert ics_gates.judge(CANCEL_BROKEN[name](good)) != []


@pytest.mark.parametrize("name", sorted(LIBICAL_ALONE))
def test_libical_catches_what_it_is_there_for(booking: Booking, name: str) -> None:
    assert libical.complaints(PUBLISH_BROKEN[name](ics.render(file_for(booking, "PUBLISH")))) != []


def test_the_second_reader_catches_what_it_is_there_for(booking: Booking) -> None:
    good = ics.render(file_for(booking, "PUBLISH"))
    assert ics_gates.second(good) == []
    for name in ("an end before the start", "an impossible date", "two UIDs", "a status with one L"):
        assert ics_gates.second(PUBLISH_BROKEN[name](good)) != [], name


def test_a_missing_libical_fails_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(libical.glob, "glob", lambda pattern: [])
    libical.library.cache_clear()
    try:
        with pytest.raises(pytest.fail.Exception, match="apt-get install libical3"):
            libical.complaints(b"")
    finally:
        libical.library.cache_clear()
