"""Writing one event out as iCalendar bytes (RFC 5545). A room of its own: calendars store them, mail sends them.

Which properties an event may have at all is decided next door, in `core.events`; nothing is added here. The library is
loaded with the first event that is written: a web process that only shows times does without its seven megabytes.
"""

import unicodedata
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote
from urllib.parse import urlsplit

from microsite.core.events import MAX_SEQUENCE
from microsite.core.events import PRODID
from microsite.core.events import Event

if TYPE_CHECKING:
    from icalendar import Component

CONTENT_TYPE = "text/calendar; charset=utf-8"
FEATURES = {"tel": "PHONE"}
"""What a conference address offers (RFC 7986 6.3), by its scheme; anything else is taken for video."""
BREAKS = str.maketrans("\r\u2028\u2029\t", "\n\n\n ")
"""Signs at which some reader ends a line, though RFC 5545 does not."""
URI_SAFE = "!#$%&'()*+,/:;=?@[]~"


def render(event: Event, refresh: timedelta | None = None) -> bytes:
    """The event as a whole calendar file: CRLF, folded at 75 octets, UTC times only; METHOD if it has one.

    `refresh` says how often a reader that follows the address should ask again (RFC 7986 5.7, and Outlook's word).

    Raises ValueError for a time or counter that no reader would accept.
    """
    if event.end <= event.start:
        raise ValueError("an event must end after it starts")
    if not 0 <= event.sequence <= MAX_SEQUENCE:
        raise ValueError("SEQUENCE must stay within 31 bits")
    from icalendar import Calendar
    from icalendar import vDuration

    calendar = Calendar()
    calendar.add("VERSION", "2.0")
    calendar.add("PRODID", PRODID)
    calendar.add("CALSCALE", "GREGORIAN")
    if event.method:
        calendar.add("METHOD", event.method)
    if refresh is not None:
        calendar.add("REFRESH-INTERVAL", refresh, parameters={"VALUE": "DURATION"})
        calendar.add("X-PUBLISHED-TTL", vDuration(refresh))
    calendar.add_component(_vevent(event))
    return bytes(calendar.to_ical())


def _vevent(event: Event) -> "Component":
    from icalendar import Event as Vevent

    vevent = Vevent()
    vevent.add("UID", event.uid)
    vevent.add("DTSTAMP", _utc(event.stamp))
    vevent.add("CREATED", _utc(min(event.created, event.stamp)))
    vevent.add("LAST-MODIFIED", _utc(event.stamp))
    vevent.add("SEQUENCE", event.sequence)
    vevent.add("DTSTART", _utc(event.start))
    vevent.add("DTEND", _utc(event.end))
    vevent.add("SUMMARY", _clean(event.summary))
    vevent.add("STATUS", event.status)
    vevent.add("TRANSP", "OPAQUE")
    for name, text in (
        ("CLASS", event.event_class),
        ("LOCATION", _clean(event.location)),
        ("DESCRIPTION", _clean(event.description)),
    ):
        if text:
            vevent.add(name, text)
    _add_uris(vevent, event)
    return vevent


def _add_uris(vevent: "Component", event: Event) -> None:
    from icalendar import vUri

    url = _uri(event.url)
    if url:
        vevent.add("URL", url)
    conference = _uri(event.conference)
    if conference:
        features = FEATURES.get(urlsplit(conference).scheme.lower(), "VIDEO")
        vevent.add("CONFERENCE", vUri(conference), parameters={"VALUE": "URI", "FEATURE": features})
    if event.organizer_address:
        name = _clean(event.organizer_name).replace("\n", " ")
        parameters = {"CN": name} if name else {}
        vevent.add("ORGANIZER", f"mailto:{_mailbox(event.organizer_address)}", parameters=parameters)


def _utc(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _clean(text: str) -> str:
    """TEXT may hold no control character but the line break (RFC 5545 3.3.11); icalendar would let them through."""
    lines = text.replace("\r\n", "\n").translate(BREAKS)
    return "".join(sign for sign in lines if sign == "\n" or unicodedata.category(sign) not in {"Cc", "Cs"}).strip()


def _uri(text: str) -> str:
    """An absolute URI in ASCII, or nothing: a coach's own words for a place must not break her bookings."""
    text = text.strip()
    try:
        scheme = urlsplit(text).scheme
    except ValueError:
        return ""
    if not scheme or any(sign.isspace() or unicodedata.category(sign) in {"Cc", "Cs"} for sign in text):
        return ""
    return quote(text, safe=URI_SAFE)


def _mailbox(address: str) -> str:
    """A bare address; a name or a second line here makes mail programs drop the whole event."""
    if any(sign in ' <>"\r\n\t,' for sign in address) or address.count("@") != 1:
        raise ValueError("the organizer must be one bare address")
    return address
