"""Bookings, files, orders, and a mailer whose letters are read as another program reads them."""

from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path

import msgspec

from microsite.core.bookings import Booking
from microsite.core.events import Event
from microsite.core.events import client_event
from microsite.core.letters import CANCELLING
from microsite.core.letters import PUBLISHING
from microsite.core.letters import LetterOrder
from microsite.core.people import Address
from microsite.core.people import Secret
from microsite.mail import Maildir
from microsite.mail import Mailer

TEMPLATES = Path(__file__).resolve().parents[2] / "templates" / "mail"
SENDER = "janji@book.example"
BRAND = "Ruang Percaya"
START = 1796104800
"""2026-12-01 06:00 UTC."""
NOW = START - 30 * 3600


def a_booking() -> Booking:
    """A confirmed booking, told once."""
    return Booking(
        id="row-4711",
        coach="rara",
        ref="K7QD",
        offer="percakapan-pertama",
        start=START,
        end=START + 3600,
        state="confirmed",
        language="id",
        created_on="2026-11-20",
        purge_on="2026-12-31",
        coach_uid="c0ffee00c0ffee00c0ffee00c0ffee00@book.example",
        client_uid="feedbeeffeedbeeffeedbeeffeedbeef@book.example",
        client_dtstamp=NOW,
    )


def file_for(booking: Booking, method: str, now: int = NOW, summary: str = "Sesi", place: str = "") -> Event:
    page = "https://book.example/s/low-power"
    return client_event(
        booking, summary, page, place, place, "Waktu yang berlaku\nada di situ.", BRAND, SENDER, method, now
    )


def order_for(booking: Booking, kind: str, language: str = "id", **changes: object) -> LetterOrder:
    """An order with every fact filled in and the right file for its kind."""
    event = None
    if kind in PUBLISHING:
        event = file_for(booking, "PUBLISH")
    if kind in CANCELLING:
        event = file_for(msgspec.structs.replace(booking, client_seq=1), "CANCEL", NOW + 1)
    order = LetterOrder(
        kind=kind,
        language=language,
        address=Address("klien@example.org"),
        message_id="<0123456789abcdef0123@book.example>",
        references="<first0123456789abcdef@book.example>",
        sent_at=NOW,
        zone="Asia/Makassar",
        coach_zone="Asia/Jakarta",
        start=booking.start,
        end=booking.end,
        old_start=booking.start - 86400,
        ref=booking.ref,
        link=Secret("https://book.example/m/T0KEN-t0ken_T0KENt0ken"),
        booking_page="https://book.example/rara/",
        place="https://meet.example/ruang",
        coach_name="Rara",
        contact="rara@coach.example",
        purge_on=booking.purge_on,
        hold_until=booking.start - 7200,
        alternatives=(booking.start + 7200, booking.start + 86400),
        since=NOW,
        code=550,
        count=5,
        event=event,
    )
    return msgspec.structs.replace(order, **changes)


class Sent:
    """A mailer into a Maildir, and the letters as another program reads them."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.mailer = Mailer(Maildir(folder), SENDER, BRAND, "https://book.example", TEMPLATES)

    def raw(self, order: LetterOrder) -> bytes:
        """The bytes of this one letter as they were handed over."""
        before = set((self.folder / "new").iterdir())
        self.mailer.send(order)
        (path,) = set((self.folder / "new").iterdir()) - before
        return path.read_bytes()

    def letter(self, order: LetterOrder) -> EmailMessage:
        """This one letter, parsed again."""
        return parse(self.raw(order))


def parse(raw: bytes) -> EmailMessage:
    message = BytesParser(policy=SMTP).parsebytes(raw)
    assert isinstance(message, EmailMessage)
    return message


def parts(message: EmailMessage) -> dict[str, EmailMessage]:
    """The leaves of a letter by content type."""
    return {part.get_content_type(): part for part in message.walk() if not part.is_multipart()}
