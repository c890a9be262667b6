"""The coach's calendar app: python-caldav on one calendar. It rewrites events as apps do; it does not know the site."""

from datetime import UTC
from datetime import datetime
from typing import Any
from typing import NamedTuple

import caldav
import icalendar
from caldav.lib.error import NotFoundError

from microsite.core.mirror import Account


class Entry(NamedTuple):
    """One event as the app shows it; times are UTC seconds."""

    uid: str
    title: str
    start: int
    end: int
    status: str
    sequence: int


class App:
    """What the coach does by hand."""

    def __init__(self, account: Account) -> None:
        self.client = caldav.DAVClient(
            url=account.url, username=account.username, password=account.password, auth_type="basic"
        )
        self.calendar = caldav.Calendar(client=self.client, url=account.url)

    def close(self) -> None:
        """Hang up."""
        self.client.close()

    def events(self) -> list[Entry]:
        """Everything in the calendar that has a time of day."""
        found = [one.icalendar_component for one in self.calendar.get_events()]
        return [_entry(part) for part in found if isinstance(part["DTSTART"].dt, datetime)]

    def entry(self, uid: str) -> Entry | None:
        """One event, or None."""
        found = self._find(uid)
        return _entry(found.icalendar_component) if found else None

    def text(self, uid: str) -> str:
        """An event's text."""
        found = self._find(uid)
        assert found is not None
        return str(found.data)

    def drag(self, uid: str, start: int, minutes: int = 60) -> bool:
        """Give the event another time."""
        return self.edit(uid, dtstart=instant(start), dtend=instant(start + minutes * 60))

    def edit(self, uid: str, **values: Any) -> bool:
        """Rewrite properties; the app's own DTSTAMP goes with it. False: there is no such event."""
        found = self._find(uid)
        if found is None:
            return False
        document = found.icalendar_instance
        (event,) = document.walk("VEVENT")
        for name, value in values.items():
            event.pop(name, None)
            if value is not None:
                event.add(name, value)
        found.data = document.to_ical().decode()
        found.save()
        return True

    def ring(self, uid: str) -> bool:
        """Add an alarm, and the private notes that apps leave."""
        found = self._find(uid)
        if found is None:
            return False
        document = found.icalendar_instance
        (event,) = document.walk("VEVENT")
        alarm = icalendar.Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", "soon")
        alarm.add("trigger", datetime(2026, 11, 30, tzinfo=UTC))
        event.add_component(alarm)
        event.add("x-moz-lastack", "20261123T000000Z")
        found.data = document.to_ical().decode()
        found.save()
        return True

    def delete(self, uid: str) -> str:
        """Delete the event; its text, for the one who wants it back. Empty: there was none."""
        found = self._find(uid)
        if found is None:
            return ""
        text = str(found.data)
        found.delete()
        return text

    def put(self, text: str) -> None:
        """Store an event (again)."""
        self.calendar.add_event(text)

    def add(self, uid: str, start: int, minutes: int = 60, title: str = "Privat") -> None:
        """An event of her own."""
        document = icalendar.Calendar()
        document.add("version", "2.0")
        document.add("prodid", "-//app//EN")
        event = icalendar.Event()
        event.add("uid", uid)
        event.add("dtstamp", instant(start))
        event.add("dtstart", instant(start))
        event.add("dtend", instant(start + minutes * 60))
        event.add("summary", title)
        document.add_component(event)
        self.put(document.to_ical().decode())

    def _find(self, uid: str) -> Any:
        try:
            return self.calendar.get_event_by_uid(uid)
        except NotFoundError:
            return None


def _entry(part: Any) -> Entry:
    end = part["DTEND"].dt if "DTEND" in part else part["DTSTART"].dt
    return Entry(
        uid=str(part["UID"]),
        title=str(part.get("SUMMARY", "")),
        start=int(part["DTSTART"].dt.timestamp()),
        end=int(end.timestamp()),
        status=str(part.get("STATUS", "")),
        sequence=int(part.get("SEQUENCE", 0)),
    )


def instant(at: int) -> datetime:
    """UTC seconds as calendar libraries take them."""
    return datetime.fromtimestamp(at, UTC)
