"""The coach's calendar app for tests of the work modules: it edits events in the embedded calendar as any app would."""

import re
from datetime import UTC
from datetime import datetime

import pytest

from microsite.core.mirror import Account
from microsite.work.sync import account_of
from tests.conftest import House


def stamp(at: int) -> str:
    """An instant as a calendar writes it."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y%m%dT%H%M%SZ")


class App:
    """What a coach's app does to the events in her calendars."""

    def __init__(self, house: House) -> None:
        self.house = house

    def account(self, name: str = "bookings") -> Account:
        """One of her calendars, by the last part of its address."""
        with self.house.services.store.read() as tx:
            rows = tx.mirror.calendars("sari")
        return account_of(self.house.services, next(row for row in rows if row.url.endswith(f"/{name}/")))

    def read(self, booking_id: str) -> str:
        """The event of a booking, as text."""
        found = self.house.services.calendars.read(self.account(), self.house.booking(booking_id).coach_href)
        assert found is not None
        return found.ics.decode()

    def gone(self, booking_id: str) -> bool:
        """Whether the event is not there."""
        booking = self.house.booking(booking_id)
        return self.house.services.calendars.read(self.account(), booking.coach_href) is None

    def edit(self, booking_id: str, **properties: str) -> None:
        """Replace properties of the event, as an app does that rewrites the lines it knows."""
        text = self.read(booking_id)
        for name, value in properties.items():
            line = f"{name.replace('_', '-')}{value}"
            text, count = re.subn(rf"(?m)^{name.replace('_', '-')}[;:].*\r?$", line + "\r", text)
            if not count:
                text = text.replace("END:VEVENT", f"{line}\r\nEND:VEVENT")
        self.put(booking_id, text)

    def put(self, booking_id: str, text: str) -> None:
        """Store the event anew and let the house hear of it."""
        booking = self.house.booking(booking_id)
        there = self.house.services.calendars.read(self.account(), booking.coach_href)
        assert there is not None
        self.house.services.calendars.replace(self.account(), booking.coach_href, text.encode(), there.etag)
        self.hear()

    def drag(self, booking_id: str, start: int, minutes: int = 60) -> None:
        """Give the event another time."""
        self.edit(booking_id, DTSTART=f":{stamp(start)}", DTEND=f":{stamp(start + minutes * 60)}")

    def delete(self, booking_id: str) -> None:
        """Delete the event."""
        booking = self.house.booking(booking_id)
        assert self.house.services.calendars.delete(self.account(), booking.coach_href)
        self.hear()

    def add(self, name: str, uid: str, start: int, minutes: int = 60, title: str = "Privat") -> None:
        """Put an event of her own into a calendar."""
        ics = (
            "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//app//EN\r\nBEGIN:VEVENT\r\n"
            f"UID:{uid}\r\nDTSTAMP:{stamp(start)}\r\nDTSTART:{stamp(start)}\r\nDTEND:{stamp(start + minutes * 60)}\r\n"
            f"SUMMARY:{title}\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
        )
        self.house.services.calendars.create(self.account(name), uid, ics.encode())
        self.hear()

    def hear(self) -> None:
        """What the mount does after an app's request: ask for a sync."""
        with self.house.services.store.write() as tx:
            for row in tx.mirror.calendars("sari"):
                self.house.services.jobs.enqueue(tx, "sync", row.id)

    def later(self, seconds: int = 150) -> None:
        """Let the jobs run, time pass, and the jobs run again."""
        self.house.drain()
        self.house.now += seconds
        self.house.drain()


@pytest.fixture(name="app")
def _app(house: House) -> App:
    return App(house)


def confirmed(house: House, slug: str = "sesi", start: int | None = None) -> str:
    """A confirmed booking's id."""
    placed = house.book(start, slug)
    house.drain()
    assert house.booking(placed.booking.id).state == "confirmed"
    return placed.booking.id
