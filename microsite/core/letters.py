"""Which letter for which happening, to whom, under which subject. Pure; the words of the letters lie in templates/mail.

A kind says everything that must be known to write a letter again from its row: who moved or cancelled is part of it.
Subjects are constant per kind and language: they reach lock screens, so they say neither who nor what nor when.
"""

from types import MappingProxyType
from typing import Literal

import msgspec

from .bookings import AWAITING_COACH
from .bookings import AWAITING_EMAIL
from .bookings import CONFIRMED
from .bookings import Booking
from .events import Event
from .people import Address
from .people import Secret

CLIENT = "client"
COACH = "coach"

# What can happen, as far as letters are concerned.
BOOKED = "booked"
"""The calendar has it and nobody needs to approve."""
ADDRESS_ASKED = "address-asked"
REQUESTED = "requested"
APPROVED = "approved"
REQUEST_DECLINED = "request-declined"
REQUEST_EXPIRED = "request-expired"
HOLD_EXPIRED = "hold-expired"
"""Nobody pressed the button of the address letter: nobody is written to again."""
BOOKING_FAILED = "booking-failed"
MOVED_BY_CLIENT = "moved-by-client"
MOVED_BY_COACH = "moved-by-coach"
MOVE_ASKED = "move-asked"
"""The coach asks, from her desk, for another time; nothing has moved yet."""
CANCELLED_BY_CLIENT = "cancelled-by-client"
CANCELLED_AT_DESK = "cancelled-at-desk"
CANCELLED_IN_CALENDAR = "cancelled-in-calendar"
ASKED_AGAIN = "asked-again"
REMINDER_DUE = "reminder-due"
ERASED = "erased"
RETITLED = "retitled"
"""Title, alarm, colour or notes of the event changed: nobody's business."""
BOOKING_FROZEN = "booking-frozen"
CALENDAR_UNREACHABLE = "calendar-unreachable"
LETTER_REFUSED = "letter-refused"
BRAKED = "braked"
BREACH_SEALED = "breach-sealed"
"""Somebody else may have what is kept: sealed only, or with the addresses, or all that was typed in that time."""
BREACH_ADDRESSES = "breach-addresses"
BREACH_OPEN = "breach-open"

SUBJECTS = MappingProxyType(
    {
        "confirmed": ("Janji temu sudah terjadwal", "Appointment confirmed"),
        "moved": ("Waktu janji temu berubah", "Appointment time changed"),
        "moved-by-coach": ("Waktu janji temu berubah", "Appointment time changed"),
        "move-asked": ("Tentang janji temumu", "About your appointment"),
        "cancelled": ("Janji temu dibatalkan", "Appointment cancelled"),
        "cancelled-by-coach": ("Janji temu dibatalkan", "Appointment cancelled"),
        "failed": ("Janji temu tidak jadi dibuat", "Appointment not booked"),
        "request-received": ("Permintaan diterima", "Request received"),
        "verify-address": ("Link untukmu", "Your link"),
        "declined": ("Tentang permintaanmu", "About your request"),
        "expired": ("Tentang permintaanmu", "About your request"),
        "reminder": ("Pengingat janji temu", "Appointment reminder"),
        "link-again": ("Link untukmu", "Your link"),
        "breach-sealed": ("Pemberitahuan penting", "Important notice"),
        "breach-addresses": ("Pemberitahuan penting", "Important notice"),
        "breach-open": ("Pemberitahuan penting", "Important notice"),
        "new": ("Pemesanan baru", "New booking"),
        "new-request": ("Permintaan baru", "New request"),
        "moved-by-client": ("Waktu pemesanan berubah", "Booking time changed"),
        "cancelled-by-client": ("Pemesanan dibatalkan", "Booking cancelled"),
        "cancelled-in-calendar": ("Pemesanan hilang dari kalender", "Booking gone from the calendar"),
        "calendar-unreachable": ("Kalender tidak bisa dibaca", "Calendar cannot be read"),
        "mail-refused": ("Satu email tidak sampai", "A letter did not arrive"),
        "please-check": ("Mohon periksa satu pemesanan", "Please check a booking"),
        "brake": ("Perubahan kalender ditahan", "Calendar changes on hold"),
    }
)
"""Subject per kind: Indonesian, English."""

COACH_KINDS = frozenset(
    "new new-request moved-by-client cancelled-by-client cancelled-in-calendar calendar-unreachable mail-refused"
    " please-check brake".split()
)
CLIENT_KINDS = frozenset(SUBJECTS) - COACH_KINDS
PUBLISHING = frozenset({"confirmed", "moved", "moved-by-coach", "link-again"})
CANCELLING = frozenset({"cancelled", "cancelled-by-coach"})

TO_CLIENT = MappingProxyType(
    {
        BOOKED: "confirmed",
        APPROVED: "confirmed",
        ADDRESS_ASKED: "verify-address",
        REQUESTED: "request-received",
        REQUEST_DECLINED: "declined",
        REQUEST_EXPIRED: "expired",
        BOOKING_FAILED: "failed",
        MOVED_BY_CLIENT: "moved",
        MOVED_BY_COACH: "moved-by-coach",
        MOVE_ASKED: "move-asked",
        CANCELLED_BY_CLIENT: "cancelled",
        CANCELLED_AT_DESK: "cancelled-by-coach",
        CANCELLED_IN_CALENDAR: "cancelled-by-coach",
        ASKED_AGAIN: "link-again",
        REMINDER_DUE: "reminder",
        BREACH_SEALED: "breach-sealed",
        BREACH_ADDRESSES: "breach-addresses",
        BREACH_OPEN: "breach-open",
    }
)
TO_COACH = MappingProxyType(
    {
        BOOKED: "new",
        REQUESTED: "new-request",
        MOVED_BY_CLIENT: "moved-by-client",
        CANCELLED_BY_CLIENT: "cancelled-by-client",
        CANCELLED_IN_CALENDAR: "cancelled-in-calendar",
        BOOKING_FROZEN: "please-check",
        CALENDAR_UNREACHABLE: "calendar-unreachable",
        LETTER_REFUSED: "mail-refused",
        BRAKED: "brake",
    }
)
SILENT = frozenset({HOLD_EXPIRED, ERASED, RETITLED})
HAPPENINGS = frozenset(TO_CLIENT) | frozenset(TO_COACH) | SILENT


class Letter(msgspec.Struct, frozen=True, kw_only=True):
    """One letter to be written: its kind, for whom, and the METHOD of its calendar file (empty: no file)."""

    kind: str
    to: Literal["client", "coach"]
    with_ics: Literal["", "PUBLISH", "CANCEL"] = ""

    @property
    def template(self) -> str:
        """The file's name in templates/mail/<language>/."""
        return f"{self.kind}.txt"


class LetterOrder(msgspec.Struct, frozen=True, kw_only=True):
    """Everything one letter is written from. There is no field for a name, a note or an offer's title.

    Times are UTC seconds; `zone` is the reader's. A letter to the coach never uses `zone` but `coach_zone`, so a
    client's zone cannot slip into it. `link` is the client's page (or the page with the button), or the coach's desk.
    """

    kind: str
    language: str
    address: Address
    message_id: str
    sent_at: int
    references: str = ""
    zone: str = "UTC"
    coach_zone: str = "UTC"
    start: int = 0
    end: int = 0
    old_start: int = 0
    ref: str = ""
    link: Secret = Secret("")
    booking_page: str = ""
    place: str = ""
    coach_name: str = ""
    contact: str = ""
    purge_on: str = ""
    hold_until: int = 0
    alternatives: tuple[int, ...] = ()
    since: int = 0
    code: int = 0
    count: int = 0
    event: Event | None = None


def letters_for(happening: str, booking: Booking | None = None, has_address: bool = True) -> list[Letter]:
    """The letters of one happening, the client's first. `booking` is needed for happenings of a booking.

    Without an address the client gets none. A file goes only to a client who has, or now gets, a confirmed time.
    """
    if happening not in HAPPENINGS:
        raise ValueError(f"no such happening: {happening}")
    letters = []
    kind = TO_CLIENT.get(happening)
    if kind and has_address:
        letters.append(Letter(kind=kind, to="client", with_ics=_method(kind, _holds_file(happening, booking))))
    kind = TO_COACH.get(happening)
    if kind:
        letters.append(Letter(kind=kind, to="coach"))
    return letters


def file_method(kind: str, stamp: int) -> Literal["", "PUBLISH", "CANCEL"]:
    """The METHOD of a stored letter's file: by its kind, and none where the row carries no DTSTAMP."""
    return _method(kind, stamp > 0)


def subject(kind: str, language: str) -> str:
    """The subject of that kind: constant, so that nothing about a person can enter it."""
    indonesian, english = SUBJECTS[kind]
    return english if language == "en" else indonesian


def recipient(kind: str) -> Literal["client", "coach"]:
    """Who gets that kind of letter."""
    return "coach" if kind in COACH_KINDS else "client"


def message_id(random_part: str, site_host: str) -> str:
    """A Message-ID on the site's own host. Make it once per letter; every retry carries the same."""
    return f"<{random_part}@{site_host}>"


def _method(kind: str, holds_file: bool) -> Literal["", "PUBLISH", "CANCEL"]:
    if holds_file and kind in PUBLISHING:
        return "PUBLISH"
    return "CANCEL" if holds_file and kind in CANCELLING else ""


def _holds_file(happening: str, booking: Booking | None) -> bool:
    if happening in {BOOKED, APPROVED}:
        return True
    if booking is None or booking.state in {AWAITING_EMAIL, AWAITING_COACH}:
        return False
    return booking.state == CONFIRMED or booking.client_dtstamp > 0
