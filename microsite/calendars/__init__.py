"""The calendars room: everything said to CalDAV servers and feeds, and nothing else.

`Calendars` is its one door. It imports nothing heavy until it is first used for what needs it, and it keeps servers
that are not ours at arm's length: a bounded child process speaks to them, never the process that serves pages.
"""

import threading
from pathlib import Path
from typing import TYPE_CHECKING

from microsite.core.events import EventChanges
from microsite.core.mirror import Account
from microsite.core.mirror import Fetched
from microsite.core.mirror import Found
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.core.mirror import ReadingRules
from microsite.core.mirror import Written
from microsite.core.people import Secret
from microsite.errors import CalendarMissing

if TYPE_CHECKING:
    from microsite.calendars.bounded import Bounded
    from microsite.calendars.embedded import Embedded
    from microsite.calendars.local import Local

SYNC_SECONDS = 20.0
BOOKING_SECONDS = 5.0


class Calendars:
    """Reads and writes calendars. One object per process, shared by its threads.

    `allow_private_hosts` names hosts and networks in private or loopback ranges that may be contacted. With
    `contained`, every account but the embedded one is served by a child process with bounded memory and time.

    Errors are the `Calendar…` tree of `microsite.errors`. After CalendarUnreachable nothing is known.
    """

    def __init__(
        self, embedded: "Embedded | None", allow_private_hosts: frozenset[str] = frozenset(), contained: bool = True
    ) -> None:
        self._embedded, self._allowed, self._contained = embedded, allow_private_hosts, contained
        self._lock = threading.Lock()
        self._local: Local | None = None
        self._bounded: Bounded | None = None

    def pull(
        self,
        account: Account,
        known: Known,
        rules: ReadingRules,
        now: int,
        deadline_seconds: float = SYNC_SECONDS,
    ) -> Pulled:
        """What changed since `known`, of a collection or a feed. State FULL: not all in time, store it and pull again.

        `known` without etags fetches and reads everything anew (after a change of the rules).
        """
        return self._for(account.url).pull(account, known, rules, now, deadline_seconds)

    def create(self, account: Account, uid: str, ics: bytes, deadline_seconds: float = BOOKING_SECONDS) -> Written:
        """Store a new event at an address made from its UID; also fine if it is there and ours.

        CalendarChanged: something else is there.
        """
        return self._for(account.url).create(account, uid, ics, deadline_seconds)

    def read(self, account: Account, href: str, deadline_seconds: float = BOOKING_SECONDS) -> Fetched | None:
        """The event at `href`, or None if the server says that there is none."""
        return self._for(account.url).read(account, href, deadline_seconds)

    def replace(
        self, account: Account, href: str, ics: bytes, etag: str, deadline_seconds: float = BOOKING_SECONDS
    ) -> Written:
        """Store a new version of the event read with `etag`. CalendarChanged: it is another one by now, or gone."""
        return self._for(account.url).replace(account, href, ics, etag, deadline_seconds)

    def delete(self, account: Account, href: str, etag: str = "", deadline_seconds: float = BOOKING_SECONDS) -> bool:
        """Delete the event, if it still is the one with `etag` (any, without one). False: it was not there."""
        return self._for(account.url).delete(account, href, etag, deadline_seconds)

    def find(self, account: Account, uid: str, deadline_seconds: float = BOOKING_SECONDS) -> Fetched | None:
        """The event with this UID anywhere in the collection. None proves nothing: some servers cannot search."""
        return self._for(account.url).find(account, uid, deadline_seconds)

    def check(self, account: Account, deadline_seconds: float = BOOKING_SECONDS) -> None:
        """Raise unless there is a calendar that this account may read."""
        self._for(account.url).check(account, deadline_seconds)

    def discover(self, start: str, username: str, password: str, deadline_seconds: float = SYNC_SECONDS) -> list[Found]:
        """The calendars of an account, from a web address, a domain or an e-mail address (RFC 6764)."""
        return self._for(start).discover(start, username, password, deadline_seconds)

    def href_of(self, account: Account, uid: str) -> str:
        """The address at which `create` stores the event with this UID."""
        from microsite.calendars import dav

        return dav.href_of(account.url, uid)

    def add_embedded_user(self, htpasswd: Path, user: str, password: Secret) -> None:
        """Give a user of the embedded server this password; a new one replaces the old at once."""
        from microsite.calendars import embedded

        embedded.add_user(htpasswd, user, password.reveal())

    def make_embedded(self, user: str, name: str, title: str) -> str:
        """Make a calendar on the embedded server (no error if it is there); its in-process address."""
        from microsite.calendars import embedded

        if self._embedded is None:
            raise CalendarMissing("there is no embedded calendar here")
        return embedded.make_calendar(self._embedded, user, name, title)

    def patch(self, ics: bytes, changes: EventChanges) -> bytes:
        """The coach's document with only our properties changed. CalendarChanged: it holds no event any more."""
        from microsite.calendars import patch

        return patch.patch(ics, changes)

    def close(self) -> None:
        """End the child processes and give back the connections."""
        for part in (self._bounded, self._local):
            if part is not None:
                part.close()

    def _for(self, url: str) -> "Local | Bounded":
        from microsite.calendars import addresses

        with self._lock:
            if self._contained and not addresses.is_embedded(url):
                if self._bounded is None:
                    from microsite.calendars.bounded import Bounded

                    self._bounded = Bounded(self._allowed)
                return self._bounded
            if self._local is None:
                from microsite.calendars.local import Local

                self._local = Local(self._embedded, self._allowed)
            return self._local
