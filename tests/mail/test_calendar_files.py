"""What the calendar files look like from outside: judged by three, read back by another parser."""

from datetime import UTC
from datetime import datetime

import icalendar
import msgspec
import pytest
from ics_gates import CLIENT_PROPERTIES
from ics_gates import COACH_PROPERTIES
from ics_gates import fields
from ics_gates import judge
from ics_gates import property_names
from ics_gates import value
from letterbox import NOW
from letterbox import START
from letterbox import file_for

from microsite import ics
from microsite.core.bookings import Booking
from microsite.core.events import Event
from microsite.core.events import client_description
from microsite.core.events import coach_event
from microsite.core.events import download_event
from microsite.core.events import event_place
from microsite.core.events import full_uid
from microsite.core.settings import Place
from microsite.core.settings import Words

NASTY = {
    "separators": r"Sesi; 1, 2 \ 3 : \n",
    "two lines": "Sesi\r\nBEGIN:VALARM\r\nEND:VALARM",
    "an event": "BEGIN:VEVENT\nATTENDEE:mailto:x@example.org\nEND:VEVENT",
    "bare returns": "Sesi\rATTENDEE:mailto:x@example.org",
    "emoji": "Sesi 🌱👩🏽‍🦱 tenang",
    "200 CJK characters": "予約" * 100,
    "right to left": "جلسة مع المدربة \u202eabc\u202c",
    "control characters": "Se\x00si\x07\x1b[31m\x85\x9f",
    "line separators": "Se\u2028si\u2029Tiga",
    "a lone surrogate": "Sesi \ud83c",
    "quotes and carets": '"Sesi" ^n ^\'',
}
FORBIDDEN = {"ATTENDEE", "CONTACT", "COMMENT", "ATTACH", "RELATED-TO", "X-ALT-DESC", "VALARM", "VTIMEZONE"}


def coach_file(booking: Booking, neutral: str = "Sesi", pending: bool = False, place: str = "") -> bytes:
    desk = "https://book.example/desk#K7QD"
    return ics.render(coach_event(booking, neutral, "book.example", desk, NOW, pending, "CONFIDENTIAL", place, place))


def readable(text: str) -> str:
    """A text without what no calendar may hold: the check is that the rest arrives whole."""
    return "".join(sign for sign in text if sign.isprintable() and not 0xD800 <= ord(sign) < 0xE000 and sign != " ")


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("method", ["PUBLISH", "CANCEL"])
def test_a_clients_file_is_good_whatever_the_texts_hold(booking: Booking, method: str, text: str) -> None:
    event = msgspec.structs.replace(file_for(booking, method, summary=text, place=text), organizer_name=text)
    if method == "PUBLISH":
        event = msgspec.structs.replace(event, description=text)
    written = ics.render(event)
    assert judge(written) == []
    assert property_names(written) & FORBIDDEN == set()
    (component,) = icalendar.Calendar.from_ical(written).events
    assert readable(str(component["SUMMARY"])) == readable(text)


@pytest.mark.parametrize("text", NASTY.values(), ids=NASTY)
@pytest.mark.parametrize("pending", [False, True])
def test_a_coachs_file_is_good_whatever_the_texts_hold(booking: Booking, text: str, pending: bool) -> None:
    written = coach_file(booking, text, pending, text)
    assert judge(written, COACH_PROPERTIES) == []


def test_the_coachs_file_holds_only_the_allow_list_and_no_method(booking: Booking) -> None:
    written = coach_file(booking, place="https://meet.example/ruang")
    assert property_names(written) == COACH_PROPERTIES | {"VERSION", "PRODID", "CALSCALE"}
    assert value(written, "SUMMARY") == "Sesi · K7QD"
    assert value(written, "STATUS") == "CONFIRMED"


def test_a_waiting_event_wears_the_mark_and_is_tentative(booking: Booking) -> None:
    written = coach_file(booking, pending=True)
    assert value(written, "SUMMARY") == "? Sesi · K7QD"
    assert value(written, "STATUS") == "TENTATIVE"


def test_the_class_can_be_left_out_of_the_coachs_file(booking: Booking) -> None:
    event = coach_event(booking, "Sesi", "book.example", "", NOW, False, "none", "", "")
    assert "CLASS" not in property_names(ics.render(event))


def test_a_publish_holds_only_the_allow_list(booking: Booking) -> None:
    written = ics.render(file_for(booking, "PUBLISH", place="https://meet.example/ruang;a,b"))
    assert property_names(written) == CLIENT_PROPERTIES | {"VERSION", "PRODID", "CALSCALE", "METHOD"}
    assert value(written, "LOCATION") == r"https://meet.example/ruang\;a\,b"
    assert value(written, "CONFERENCE") == "https://meet.example/ruang;a,b"


def test_a_cancel_says_nothing_more_than_that(booking: Booking) -> None:
    written = ics.render(file_for(booking, "CANCEL", place="https://meet.example/ruang"))
    assert value(written, "STATUS") == "CANCELLED"
    assert property_names(written) & {"LOCATION", "CONFERENCE", "DESCRIPTION"} == set()


def test_a_download_has_the_same_uid_and_neither_method_nor_organizer(booking: Booking) -> None:
    mailed = ics.render(file_for(booking, "PUBLISH"))
    loaded = ics.render(download_event(booking, "Sesi", "https://book.example/s/x", "", "", "", NOW))
    assert judge(loaded) == []
    assert property_names(loaded) & {"METHOD", "ORGANIZER"} == set()
    assert [value(loaded, name) for name in ("UID", "SEQUENCE")] == [
        value(mailed, name) for name in ("UID", "SEQUENCE")
    ]


def test_a_download_of_a_cancelled_booking_says_so(booking: Booking) -> None:
    gone = msgspec.structs.replace(booking, state="cancelled", client_seq=1)
    loaded = ics.render(download_event(gone, "Sesi", "https://book.example/s/x", "rumah", "", "x", NOW))
    assert judge(loaded) == []
    assert value(loaded, "STATUS") == "CANCELLED"


def test_times_arrive_as_they_were_meant(booking: Booking) -> None:
    (component,) = icalendar.Calendar.from_ical(ics.render(file_for(booking, "PUBLISH"))).events
    assert component.start == datetime.fromtimestamp(START, UTC)
    assert component.end == datetime.fromtimestamp(START + 3600, UTC)
    assert component["DTSTAMP"].dt == datetime.fromtimestamp(NOW, UTC)


def test_created_tells_the_day_and_not_the_minute(booking: Booking) -> None:
    assert value(ics.render(file_for(booking, "PUBLISH")), "CREATED") == "20261120T000000Z"


def test_the_method_stands_before_the_event(booking: Booking) -> None:
    names = [name if name != "BEGIN" else text for name, _, text in fields(ics.render(file_for(booking, "PUBLISH")))]
    assert names.index("METHOD") < names.index("VEVENT")


def test_the_two_uids_share_nothing(booking: Booking) -> None:
    coach, client = value(coach_file(booking), "UID"), value(ics.render(file_for(booking, "PUBLISH")), "UID")
    assert coach != client
    for secret in (booking.id, booking.offer, str(booking.start), booking.ref):
        assert secret not in coach + client


def test_a_bare_uid_gets_the_sites_host_once() -> None:
    assert full_uid("c0ffee", "book.example") == "c0ffee@book.example"
    assert full_uid("c0ffee@book.example", "book.example") == "c0ffee@book.example"


def test_a_calendar_file_never_names_the_clients_zone_or_language(booking: Booking) -> None:
    written = ics.render(file_for(booking, "PUBLISH")) + coach_file(booking)
    assert b"TZID" not in written
    assert b"LANGUAGE" not in written


@pytest.mark.parametrize(
    ("kind", "text", "conference"),
    [
        ("video", "https://meet.example/ruang", "https://meet.example/ruang"),
        ("video", "Saya kirim link nanti", ""),
        ("video", "https://[bad", ""),
        ("address", "https://maps.example/x", ""),
        ("phone", "+62 812", ""),
    ],
)
def test_only_a_video_link_becomes_a_conference(kind: str, text: str, conference: str) -> None:
    place = msgspec.structs.replace(Place(), kind=kind, text=Words(id=text))
    assert event_place(place, "en") == (text, conference)


def test_a_place_on_several_lines_becomes_one_line() -> None:
    assert event_place(Place(text=Words(id="Jalan Mawar 1\nJakarta")), "id") == ("Jalan Mawar 1 Jakarta", "")


@pytest.mark.parametrize("language", ["id", "en"])
def test_the_entrys_text_is_two_lines_with_the_low_power_page(language: str) -> None:
    text = client_description(language, "https://book.example/s/x")
    assert len(text.splitlines()) == 2
    assert "https://book.example/s/x" in text
    assert "\\n" not in text


@pytest.mark.parametrize("text", ["not a link", "https://meet.example/a b", "javascript", "https://[bad", "://", ""])
def test_words_that_are_no_address_are_left_out_and_break_nothing(booking: Booking, text: str) -> None:
    event = msgspec.structs.replace(file_for(booking, "PUBLISH"), conference=text)
    written = ics.render(event)
    assert "CONFERENCE" not in property_names(written)
    assert judge(written) == []


@pytest.mark.parametrize(
    "change",
    [
        {"end": START},
        {"sequence": -1},
        {"sequence": 2**31},
        {"organizer_address": "Rara <rara@book.example>"},
        {"organizer_address": "rara@book.example\r\nATTENDEE:mailto:x@example.org"},
        {"organizer_address": "nobody"},
    ],
)
def test_an_impossible_event_is_refused(booking: Booking, change: dict[str, object]) -> None:
    event: Event = msgspec.structs.replace(file_for(booking, "PUBLISH"), **change)
    with pytest.raises(ValueError, match="must"):
        ics.render(event)


def test_a_clients_file_is_never_a_request(booking: Booking) -> None:
    with pytest.raises(ValueError, match="PUBLISH"):
        file_for(booking, "REQUEST")
