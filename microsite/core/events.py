"""What the coach's calendar gets, what the client's file gets, and what we read back: allow-lists, decided here.

The events hold a neutral title, a random reference and a time. There is no parameter through which a person could
enter: these functions are never given a `ClientDetails`.
"""

from typing import NamedTuple

import msgspec

COACH_PROPERTIES = frozenset(
    "UID DTSTAMP CREATED LAST-MODIFIED SEQUENCE DTSTART DTEND SUMMARY STATUS TRANSP CLASS URL LOCATION"
    " CONFERENCE".split()
)
CLIENT_PROPERTIES = frozenset(
    "UID DTSTAMP CREATED LAST-MODIFIED SEQUENCE DTSTART DTEND SUMMARY STATUS TRANSP CLASS URL LOCATION CONFERENCE"
    " DESCRIPTION ORGANIZER".split()
)
CALENDAR_PROPERTIES = frozenset("VERSION PRODID CALSCALE METHOD".split())
PRODID = "-//microsite//booking//EN"
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
