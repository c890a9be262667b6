"""A real relay (aiosmtpd) that can have a bad day, and the letters it took, read as a mail program reads them."""

from collections.abc import Iterator
from contextlib import contextmanager
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP as POLICY
from typing import Any
from typing import NamedTuple

import icalendar
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from aiosmtpd.smtp import Envelope
from aiosmtpd.smtp import Session

from tests.waiting import free_port

OK = "250 OK"
DOWN = "421 come back later"
BUSY = "451 try again later"
REFUSED = "550 no such mailbox"


class File(NamedTuple):
    """What a calendar takes from a letter's file."""

    uid: str
    method: str
    sequence: int
    stamp: int
    start: int
    end: int
    status: str


class Letter(NamedTuple):
    """One letter as it came."""

    to: str
    message: EmailMessage

    @property
    def message_id(self) -> str:
        """Its Message-ID."""
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        """Its subject."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """The plain words."""
        (part,) = [part for part in self.message.walk() if part.get_content_type() == "text/plain"]
        assert isinstance(part, EmailMessage)
        return str(part.get_content())

    @property
    def file(self) -> File | None:
        """The calendar file that mail programs act on."""
        parts = [part for part in self.message.walk() if part.get_content_type() == "text/calendar"]
        if not parts:
            return None
        document = icalendar.Calendar.from_ical(parts[0].get_payload(decode=True))
        (event,) = document.walk("VEVENT")
        return File(
            uid=str(event["UID"]),
            method=str(document["METHOD"]),
            sequence=int(event["SEQUENCE"]),
            stamp=int(event["DTSTAMP"].dt.timestamp()),
            start=int(event["DTSTART"].dt.timestamp()),
            end=int(event["DTEND"].dt.timestamp()),
            status=str(event["STATUS"]),
        )

    @property
    def without_recipient(self) -> bytes:
        """Everything but the one line that must name the reader."""
        lines = self.message.as_bytes().split(b"\r\n")
        return b"\r\n".join(line for line in lines if not line.lower().startswith(b"to:"))


class Inbox:
    """What came, in order; and how the relay behaves: `weather` answers MAIL, `lost` takes a letter and says 451."""

    def __init__(self) -> None:
        self.letters: list[Letter] = []
        self.weather = OK
        self.lost = False
        self.refused: set[str] = set()

    def to(self, address: str) -> list[Letter]:
        """The letters to one address."""
        return [letter for letter in self.letters if letter.to == address]

    async def handle_MAIL(self, server: SMTP, session: Session, envelope: Envelope, sender: str, options: Any) -> str:
        if self.weather == OK:
            envelope.mail_from = sender
            envelope.mail_options.extend(options)
        return self.weather

    async def handle_RCPT(self, server: SMTP, session: Session, envelope: Envelope, to: str, options: Any) -> str:
        if to in self.refused:
            return REFUSED
        envelope.rcpt_tos.append(to)
        return OK

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        message = BytesParser(policy=POLICY).parsebytes(envelope.original_content or b"")
        assert isinstance(message, EmailMessage)
        self.letters.append(Letter(envelope.rcpt_tos[0], message))
        return BUSY if self.lost else OK


@contextmanager
def relay(inbox: Inbox) -> Iterator[int]:
    """A running relay with this inbox; gives its port."""
    controller = Controller(inbox, hostname="127.0.0.1", port=free_port(), ready_timeout=60)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()
