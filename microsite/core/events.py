"""What the coach's calendar gets, what the client's file gets, and what we read back: allow-lists, decided here.

The events hold a neutral title, a random reference and a time. There is no parameter through which a person could
enter: these functions are never given a `ClientDetails`.
"""

from datetime import UTC
from datetime import datetime
from typing import NamedTuple
from urllib.parse import urlsplit

import msgspec

from .bookings import ENDED
from .bookings import Booking
from .settings import CoachSettings
from .settings import Place

COACH_PROPERTIES = frozenset(
    "UID DTSTAMP CREATED LAST-MODIFIED SEQUENCE DTSTART DTEND SUMMARY STATUS TRANSP CLASS URL LOCATION"
    " CONFERENCE".split()
)
CLIENT_PROPERTIES = frozenset(
    "UID DTSTAMP CREATED LAST-MODIFIED SEQUENCE DTSTART DTEND SUMMARY STATUS TRANSP CLASS URL LOCATION CONFERENCE"
    " DESCRIPTION ORGANIZER".split()
)
CALENDAR_PROPERTIES = frozenset("VERSION PRODID CALSCALE METHOD".split())
FEED_PROPERTIES = CALENDAR_PROPERTIES | {"REFRESH-INTERVAL", "X-PUBLISHED-TTL"}
PRODID = "-//microsite//booking//EN"
MAX_SEQUENCE = 2**31 - 1
"""RFC 5545 3.3.8; some readers refuse the whole file beyond it."""
PENDING_MARK = "? "
"""A title that begins with this waits for the coach; taking it off, in any calendar app, approves."""


class Event(msgspec.Struct, frozen=True, kw_only=True):
    """One VEVENT before it is written out. Times are UTC seconds; an empty text is left out.

    `method` is empty for a stored object (RFC 4791 4.1) and for a download, PUBLISH or CANCEL in a letter (RFC 5546).
    """

    uid: str
    sequence: int
    stamp: int
    created: int
    start: int
    end: int
    summary: str
    status: str = "CONFIRMED"
    event_class: str = ""
    url: str = ""
    location: str = ""
    conference: str = ""
    description: str = ""
    method: str = ""
    organizer_name: str = ""
    organizer_address: str = ""


class EventChanges(msgspec.Struct, frozen=True, kw_only=True):
    """What is to change in an event that stands in the coach's calendar; None leaves a property as it is.

    Times are UTC seconds; `stamp` becomes DTSTAMP and LAST-MODIFIED.
    """

    sequence: int
    stamp: int
    start: int | None = None
    end: int | None = None
    summary: str | None = None
    status: str | None = None


class Title(NamedTuple):
    """A title as read back: does it wait for the coach, and does it still carry this reference?"""

    pending: bool
    has_ref: bool


def coach_title(neutral: str, ref: str, pending: bool) -> str:
    """The title in the coach's calendar: a neutral word and the reference, marked while it waits for her."""
    return f"{PENDING_MARK if pending else ''}{neutral} · {ref}"


def read_title(summary: str, ref: str) -> Title:
    """What a title that the coach may have edited says. Only a leading question mark counts as the mark."""
    return Title(pending=summary.lstrip().startswith("?"), has_ref=ref in summary)


class Counter(NamedTuple):
    """What tells a calendar which of two versions is newer: SEQUENCE, then DTSTAMP in UTC seconds (RFC 5546 2.1.5)."""

    sequence: int
    stamp: int


def next_counter(last: Counter | None, now: int, changed: bool = True) -> Counter:
    """The counter of the next file: SEQUENCE + 1 for new content, the same for a re-send; DTSTAMP rises always.

    `last` is None before the first file. Keep the result with the letter: a retry sends the same one again.
    """
    if last is None:
        return Counter(0, now)
    sequence = last.sequence + (1 if changed else 0)
    if sequence > MAX_SEQUENCE:
        raise ValueError("SEQUENCE must stay within 31 bits")
    return Counter(sequence, max(now, last.stamp + 1))


def full_uid(random_part: str, site_host: str) -> str:
    """A UID as calendars see it: 128 random bits as text, then the site's host (unless it is there already)."""
    return random_part if "@" in random_part else f"{random_part}@{site_host}"


def event_place(place: Place, language: str) -> tuple[str, str]:
    """LOCATION and CONFERENCE for a place: one line of text, and the address again if it is one."""
    text = " ".join(place.text[language].split())
    return text, text if place.kind == "video" and _is_link(text) else ""


def client_title(settings: CoachSettings, booking: Booking, language: str) -> str:
    """The title of the client's file: the neutral word, or the session type where the client chose to see it."""
    offer = settings.offer(booking.offer)
    return settings.session_title[language] if booking.discreet or offer is None else offer.title[language]


def client_description(language: str, status_url: str) -> str:
    """Two lines for the client's entry: where the live time is, and how to change it. No link of power."""
    if language == "en":
        return f"The time that counts is always at {status_url}\nTo change or cancel, use your private link."
    return f"Waktu yang berlaku selalu ada di {status_url}\nUntuk mengubah atau membatalkan, pakai link pribadimu."


def coach_event(
    booking: Booking,
    neutral: str,
    site_host: str,
    desk_url: str,
    now: int,
    pending: bool,
    event_class: str,
    place_location: str,
    place_conference: str,
) -> Event:
    """What the coach's calendar gets: neutral title, reference, time. `event_class` "none" leaves CLASS out."""
    return Event(
        uid=full_uid(booking.coach_uid, site_host),
        sequence=booking.coach_seq,
        stamp=now,
        created=_midnight(booking.created_on),
        start=booking.start,
        end=booking.end,
        summary=coach_title(neutral, booking.ref, pending),
        status="TENTATIVE" if pending else "CONFIRMED",
        event_class="" if event_class == "none" else event_class,
        url=desk_url,
        location=place_location,
        conference=place_conference,
    )


def client_event(
    booking: Booking,
    summary: str,
    status_url: str,
    location: str,
    conference: str,
    description: str,
    organizer_name: str,
    organizer_address: str,
    method: str,
    now: int,
) -> Event:
    """The file of a letter: `method` PUBLISH or CANCEL (RFC 5546 3.2), never an ATTENDEE.

    Times and SEQUENCE are the booking's; `now` becomes DTSTAMP, so hand in what the letter's row keeps.
    """
    if method not in {"PUBLISH", "CANCEL"}:
        raise ValueError("a client's file is a PUBLISH or a CANCEL")
    cancel = method == "CANCEL"
    return Event(
        uid=booking.client_uid,
        sequence=booking.client_seq,
        stamp=now,
        created=_midnight(booking.created_on),
        start=booking.start,
        end=booking.end,
        summary=summary,
        status="CANCELLED" if cancel else "CONFIRMED",
        event_class="PRIVATE",
        url=status_url,
        location="" if cancel else location,
        conference="" if cancel else conference,
        description="" if cancel else description,
        method=method,
        organizer_name=organizer_name,
        organizer_address=organizer_address,
    )


def download_event(
    booking: Booking, summary: str, status_url: str, location: str, conference: str, description: str, now: int
) -> Event:
    """The file behind a button: same UID and SEQUENCE, but no METHOD and no ORGANIZER, or Outlook asks to accept it."""
    ended = booking.state in ENDED
    return Event(
        uid=booking.client_uid,
        sequence=booking.client_seq,
        stamp=max(now, booking.client_dtstamp),
        created=_midnight(booking.created_on),
        start=booking.start,
        end=booking.end,
        summary=summary,
        status="CANCELLED" if ended else "CONFIRMED",
        event_class="PRIVATE",
        url=status_url,
        location="" if ended else location,
        conference="" if ended else conference,
        description="" if ended else description,
    )


def _midnight(day: str) -> int:
    """CREATED tells the day only: the minute somebody booked is nobody's business."""
    return int(datetime.fromisoformat(day).replace(tzinfo=UTC).timestamp())


def _is_link(text: str) -> bool:
    try:
        parts = urlsplit(text)
    except ValueError:
        return False
    return parts.scheme in {"http", "https"} and bool(parts.netloc) and " " not in text
