"""Events and mirrors for the tests of this room."""

import msgspec

from microsite.calendars import sync
from microsite.calendars.client import Client
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.core.mirror import ReadingRules

NOW = 1_795_406_400
"""Monday 23 November 2026, 04:00 UTC."""

DAY = 86_400
RULES = ReadingRules(kind="busy", zone="Asia/Jakarta", start=NOW, end=NOW + 90 * DAY)


def event(uid: str, summary: str = "Session", start: str = "20261201T030000Z", extra: str = "") -> bytes:
    """One event of an hour, as a calendar app would store it."""
    end = start[:9] + f"{int(start[9:11]) + 1:02}" + start[11:]
    return (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VEVENT\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nDTSTART:{start}\r\nDTEND:{end}\r\nSUMMARY:{summary}\r\n"
        f"{extra}END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def many(count: int) -> bytes:
    """A whole calendar of so many events, to be stored in one request where a server allows it."""
    bodies = [event(f"many-{number}", start=f"2026120{number % 9 + 1}T0{number % 8}0000Z") for number in range(count)]
    inner = b"".join(body.split(b"PRODID:-//tests//EN\r\n")[1].removesuffix(b"END:VCALENDAR\r\n") for body in bodies)
    return b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\n" + inner + b"END:VCALENDAR\r\n"


class Mirror:
    """The smallest mirror there can be: it applies what was pulled, as the store does."""

    def __init__(self, client: Client) -> None:
        self.client, self.known, self.uids = client, Known(), dict[str, str]()

    def pull(self, now: int = NOW, seconds: float = 20.0) -> Pulled:
        """Pull and apply."""
        pulled = sync.pull(self.client, self.known, RULES, now, seconds)
        etags = dict(self.known.etags)
        for reading in pulled.readings:
            etags[reading.href] = reading.etag
            self.uids[reading.href] = reading.uid
        kept = set(pulled.present) | {reading.href for reading in pulled.readings} if pulled.full else set(etags)
        etags = {href: etag for href, etag in etags.items() if href in kept - set(pulled.removed)}
        self.uids = {href: uid for href, uid in self.uids.items() if href in etags}
        self.known = Known(
            state=pulled.state,
            sync_token=pulled.sync_token,
            ctag=pulled.ctag,
            last_full_at=now if pulled.full else self.known.last_full_at,
            etags=etags,
        )
        return pulled

    def change(self, **fields: object) -> None:
        """Change what is known, as a restored backup or another server might."""
        self.known = msgspec.structs.replace(self.known, **fields)

    @property
    def names(self) -> set[str]:
        """The UIDs that the mirror holds."""
        return set(self.uids.values())
