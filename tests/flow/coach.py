"""What the coach and her client hold in their hands: a calendar app (python-caldav) and a mailbox (a Maildir)."""

import base64
import threading
import time
import urllib.request
import uuid
from collections.abc import Callable
from datetime import UTC
from datetime import datetime
from email.message import EmailMessage
from email.parser import BytesParser
from email.policy import SMTP
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import caldav
from caldav.lib.error import DAVError

from tests.waiting import PATIENCE


class CalendarApp:
    """The coach's calendar app. Her calendars are named by the last part of their address: open, bookings, private."""

    def __init__(self, url: str, user: str, password: str) -> None:
        self._account = (user, password)
        self.client = caldav.DAVClient(url=url, username=user, password=password)
        try:
            found = self.client.principal().get_calendars()
        except DAVError:
            self.close()
            raise
        self.calendars = {urlsplit(str(each.url)).path.strip("/").split("/")[-1]: each for each in found}

    @classmethod
    def of(cls, welcome: dict[str, str]) -> "CalendarApp":
        """Set up with what WELCOME.txt says."""
        return cls(welcome["caldav-url"], welcome["caldav-user"], welcome["caldav-password"])

    def add(self, calendar: str, title: str, start: datetime, end: datetime) -> "caldav.Event":
        """Put an event into a calendar."""
        return self.calendars[calendar].add_event(event(title, start, end))

    def move(self, entry: "caldav.Event", title: str, start: datetime, end: datetime) -> None:
        """Drag an event to another time."""
        entry.data = event(title, start, end, uid=str(entry.icalendar_component["UID"]))
        entry.save()

    def titled(self, text: str, calendar: str = "bookings") -> list["caldav.Event"]:
        """The events whose title holds a text."""
        found = self.calendars[calendar].get_events()
        return [each for each in found if text in str(each.icalendar_component["SUMMARY"])]

    def raw(self, entry: "caldav.Event") -> bytes:
        """An event's bytes, exactly as the server hands them out."""
        login = base64.b64encode(":".join(self._account).encode()).decode()
        request = urllib.request.Request(str(entry.url), headers={"Authorization": f"Basic {login}"})
        with urllib.request.urlopen(request, timeout=60) as answer:
            body: bytes = answer.read()
        return body

    def close(self) -> None:
        """Hang up."""
        self.client.close()


def event(title: str, start: datetime, end: datetime, uid: str = "") -> str:
    """An event as an app writes it."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//flow//app//EN",
        "BEGIN:VEVENT",
        f"UID:{uid or uuid.uuid4()}",
        f"DTSTAMP:{_utc(datetime.now(UTC))}",
        f"DTSTART:{_utc(start)}",
        f"DTEND:{_utc(end)}",
        f"SUMMARY:{title}",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return "\r\n".join(lines)


class Letter(NamedTuple):
    """A letter as a mail program reads it."""

    message: EmailMessage

    @property
    def to(self) -> str:
        """The recipient's address."""
        return str(self.message["To"].addresses[0].addr_spec)

    @property
    def message_id(self) -> str:
        """What is the same each time that it is sent."""
        return str(self.message["Message-ID"])

    @property
    def subject(self) -> str:
        """The subject."""
        return str(self.message["Subject"])

    @property
    def text(self) -> str:
        """The plain text."""
        return str(self.part("text/plain").get_content())

    @property
    def tree(self) -> list[str]:
        """The types of all parts, outermost first."""
        return [part.get_content_type() for part in self.message.walk()]

    @property
    def ics(self) -> bytes:
        """The calendar file that mail programs act on."""
        return bytes(self.part("text/calendar").get_payload(decode=True))

    def part(self, kind: str) -> EmailMessage:
        """The one part of a type."""
        (found,) = [part for part in self.message.walk() if part.get_content_type() == kind]
        assert isinstance(found, EmailMessage)
        return found


class Mailbox:
    """A Maildir, read as any mail program does: only `new` and `cur` count."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def letters(self, to: str = "") -> list[Letter]:
        """All letters (to one address), oldest first."""
        paths = [path for name in ("new", "cur") for path in (self.folder / name).iterdir()]
        read = [letter(path.read_bytes()) for path in sorted(paths, key=lambda path: path.stat().st_ctime_ns)]
        return [each for each in read if to in {"", each.to}]

    def wait(self, to: str, count: int, seconds: float = PATIENCE) -> list[Letter]:
        """The letters to an address, once there are so many."""
        return wait_for_letters(lambda: self.letters(to), count, seconds)


def letter(data: bytes) -> Letter:
    """A letter from its bytes."""
    message = BytesParser(policy=SMTP).parsebytes(data)
    assert isinstance(message, EmailMessage)
    return Letter(message)


def wait_for_letters(look: Callable[[], list[Letter]], count: int, seconds: float = PATIENCE) -> list[Letter]:
    """What `look` finds, once it is so many letters."""
    deadline = time.monotonic() + seconds
    while len(found := look()) < count:
        assert time.monotonic() < deadline, f"{len(found)} letters after {seconds} s, not {count}"
        threading.Event().wait(0.05)
    return found


def _utc(instant: datetime) -> str:
    return instant.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
