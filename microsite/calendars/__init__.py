"""The calendars room: everything said to CalDAV servers and feeds, and nothing else.

`Calendars` is its one door. It imports nothing heavy until it is first used for what needs it, and it keeps servers
that are not ours at arm's length: a bounded child process speaks to them, never the process that serves pages.
"""

import threading
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import TypeVar
from urllib.parse import urlsplit

import msgspec

from microsite.core.events import EventChanges
from microsite.core.mirror import Account
from microsite.core.mirror import Fetched
from microsite.core.mirror import Found
from microsite.core.mirror import Known
from microsite.core.mirror import OAuthApp
from microsite.core.mirror import Pulled
from microsite.core.mirror import ReadingRules
from microsite.core.mirror import SignIn
from microsite.core.mirror import Written
from microsite.core.people import Secret
from microsite.errors import CalendarBusy
from microsite.errors import CalendarMissing
from microsite.errors import CalendarRefused

if TYPE_CHECKING:
    from microsite.calendars.bearers import Bearers
    from microsite.calendars.bounded import Bounded
    from microsite.calendars.embedded import Embedded
    from microsite.calendars.local import Local

SYNC_SECONDS = 20.0
BOOKING_SECONDS = 5.0
AT_ONCE = 4
"""Calls to one host at the same time, whoever asks: the host shall not take us for an attack."""
Answer = TypeVar("Answer")


class Calendars:
    """Reads and writes calendars. One object per process, shared by its threads.

    `allow_private_hosts` names hosts and networks in private or loopback ranges that may be contacted. With
    `contained`, every account but the embedded one is served by a child process with bounded memory and time.

    Errors are the `Calendar…` tree of `microsite.errors`. After CalendarUnreachable nothing is known.
    """

    def __init__(
        self,
        embedded: "Embedded | None",
        allow_private_hosts: frozenset[str] = frozenset(),
        contained: bool = True,
        app: OAuthApp | None = None,
    ) -> None:
        self._embedded, self._allowed, self._contained = embedded, allow_private_hosts, contained
        self._app = app
        self._bearers: Bearers | None = None
        self._hosts = dict[str, threading.BoundedSemaphore]()
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
        return self._ask(
            account, deadline_seconds, lambda room, account, left: room.pull(account, known, rules, now, left)
        )

    def create(self, account: Account, uid: str, ics: bytes, deadline_seconds: float = BOOKING_SECONDS) -> Written:
        """Store a new event at an address made from its UID; also fine if it is there and ours.

        CalendarChanged: something else is there.
        """
        return self._ask(account, deadline_seconds, lambda room, account, left: room.create(account, uid, ics, left))

    def read(self, account: Account, href: str, deadline_seconds: float = BOOKING_SECONDS) -> Fetched | None:
        """The event at `href`, or None if the server says that there is none."""
        return self._ask(account, deadline_seconds, lambda room, account, left: room.read(account, href, left))

    def replace(
        self, account: Account, href: str, ics: bytes, etag: str, deadline_seconds: float = BOOKING_SECONDS
    ) -> Written:
        """Store a new version of the event read with `etag`. CalendarChanged: it is another one by now, or gone."""
        return self._ask(
            account, deadline_seconds, lambda room, account, left: room.replace(account, href, ics, etag, left)
        )

    def delete(self, account: Account, href: str, etag: str = "", deadline_seconds: float = BOOKING_SECONDS) -> bool:
        """Delete the event, if it still is the one with `etag` (any, without one). False: it was not there."""
        return self._ask(account, deadline_seconds, lambda room, account, left: room.delete(account, href, etag, left))

    def find(self, account: Account, uid: str, deadline_seconds: float = BOOKING_SECONDS) -> Fetched | None:
        """The event with this UID anywhere in the collection. None proves nothing: some servers cannot search."""
        return self._ask(account, deadline_seconds, lambda room, account, left: room.find(account, uid, left))

    def check(self, account: Account, deadline_seconds: float = BOOKING_SECONDS) -> int | None:
        """Raise unless there is a calendar that this account may read; what the server's clock says (UTC seconds)."""
        return self._ask(account, deadline_seconds, lambda room, account, left: room.check(account, left))

    def discover(
        self, start: str, username: str, password: str, deadline_seconds: float = SYNC_SECONDS, refresh: str = ""
    ) -> list[Found]:
        """The calendars of an account, from a web address, a domain or an e-mail address (RFC 6764).

        `refresh` stands in for the password where the provider wants a sign-in.
        """
        ends_at = time.monotonic() + deadline_seconds
        bearer = self._bearer(refresh, deadline_seconds) if refresh else ""
        return self._for(start).discover(start, username, password, ends_at - time.monotonic(), bearer)

    def sign_in(self) -> SignIn:
        """Begin a sign-in at the provider that the operator's settings name. CalendarMissing: they name none."""
        from microsite.calendars import oauth

        return oauth.sign_in(self._provider())

    def exchange(self, asked: SignIn, pasted: str, deadline_seconds: float = SYNC_SECONDS) -> Secret:
        """The lasting permission, for the address at which the sign-in ended. CalendarRefused: it is no good."""
        app = self._provider()
        return Secret(self._for(app.token_url).exchange(app, asked, pasted, deadline_seconds).refresh)

    def href_of(self, account: Account, uid: str) -> str:
        """The address at which `create` stores the event with this UID."""
        from microsite.calendars import dav

        return dav.href_of(account.url, uid)

    def add_embedded_user(self, htpasswd: Path, user: str, password: Secret) -> None:
        """Give a user of the embedded server this password; a new one replaces the old at once."""
        from microsite.calendars import embedded

        embedded.add_user(htpasswd, user, password.reveal())

    def remove_embedded_user(self, htpasswd: Path, user: str) -> None:
        """Let a user into the embedded server no more, and delete her calendars there."""
        from microsite.calendars import embedded

        if self._embedded is not None:
            embedded.remove_user(self._embedded, htpasswd, user)

    def make_embedded(self, user: str, name: str, title: str) -> str:
        """Make a calendar on the embedded server (no error if it is there); its in-process address."""
        from microsite.calendars import embedded

        if self._embedded is None:
            raise CalendarMissing("there is no embedded calendar here")
        return embedded.make_calendar(self._embedded, user, name, title)

    def held_still(self, folder: Path) -> AbstractContextManager[None]:
        """While this lasts no calendar of the embedded server over `folder` is written to."""
        from microsite.calendars import embedded

        return embedded.held_still(folder)

    def patch(self, ics: bytes, changes: EventChanges) -> bytes:
        """The coach's document with only our properties changed. CalendarChanged: it holds no event any more."""
        from microsite.calendars import patch

        return patch.patch(ics, changes)

    def close(self) -> None:
        """End the child processes and give back the connections."""
        for part in (self._bounded, self._local):
            if part is not None:
                part.close()

    def _ask(
        self, account: Account, seconds: float, call: Callable[["Local | Bounded", Account, float], Answer]
    ) -> Answer:
        """One call, when its host has a place for it. A bearer that is refused may have been ended early: once more."""
        from microsite.calendars import addresses

        room = self._for(account.url)
        if addresses.is_embedded(account.url):
            return call(room, account, seconds)
        ends_at = time.monotonic() + seconds
        host = self._host(account.url)
        if not host.acquire(timeout=seconds):
            raise CalendarBusy("too much is being asked of this calendar server at once")
        try:
            if not account.refresh:
                return call(room, account, ends_at - time.monotonic())
            bearer = self._bearer(account.refresh, seconds)
            try:
                return call(room, _signed(account, bearer), ends_at - time.monotonic())
            except CalendarRefused:
                self._known_bearers().drop(account.refresh, bearer)
                again = self._bearer(account.refresh, max(0.0, ends_at - time.monotonic()))
                return call(room, _signed(account, again), max(0.0, ends_at - time.monotonic()))
        finally:
            host.release()

    def _bearer(self, refresh: str, seconds: float) -> str:
        return self._known_bearers().get(refresh, seconds)

    def _known_bearers(self) -> "Bearers":
        from microsite.calendars.bearers import Bearers

        app = self._provider()
        with self._lock:
            if self._bearers is None:
                self._bearers = Bearers(lambda token, left: self._for(app.token_url).refresh(app, token, left))
            return self._bearers

    def _provider(self) -> OAuthApp:
        if self._app is None:
            raise CalendarMissing("no provider to sign in at is set up: see [google] in the operator's settings")
        return self._app

    def _host(self, url: str) -> threading.BoundedSemaphore:
        host = urlsplit(url).hostname or ""
        with self._lock:
            return self._hosts.setdefault(host, threading.BoundedSemaphore(AT_ONCE))

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


def _signed(account: Account, bearer: str) -> Account:
    return msgspec.structs.replace(account, bearer=bearer, refresh="")
