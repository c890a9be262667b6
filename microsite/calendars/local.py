"""The calendar operations, done in this very process: one kept connection per account and thread.

The web process uses it for the embedded server only; the bounded child uses it for everything else.
"""

import threading
import weakref
from contextlib import closing
from typing import TYPE_CHECKING

from microsite.calendars import addresses
from microsite.calendars import discovery
from microsite.calendars import feeds
from microsite.calendars import sync
from microsite.calendars.client import Client
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from microsite.core.mirror import Fetched
from microsite.core.mirror import Found
from microsite.core.mirror import Known
from microsite.core.mirror import OAuthApp
from microsite.core.mirror import Pulled
from microsite.core.mirror import ReadingRules
from microsite.core.mirror import SignIn
from microsite.core.mirror import Tokens
from microsite.core.mirror import Written

if TYPE_CHECKING:
    from microsite.calendars.embedded import Embedded

MAX_KEPT = 32


class Local:
    """Every operation of `Calendars`, without containment."""

    def __init__(self, embedded: "Embedded | None" = None, allowed: frozenset[str] = frozenset()) -> None:
        self._embedded, self._allowed, self._kept = embedded, allowed, threading.local()
        self._wires: weakref.WeakSet[Wire] = weakref.WeakSet()

    def pull(self, account: Account, known: Known, rules: ReadingRules, now: int, deadline_seconds: float) -> Pulled:
        """See `Calendars.pull`."""
        if feeds.is_feed(account):
            return feeds.pull(self._client(account, deadline_seconds).wire, known, rules, deadline_seconds)
        files = self._embedded.files if self._embedded and addresses.is_embedded(account.url) else None
        return sync.pull(self._client(account, deadline_seconds), known, rules, now, deadline_seconds, files=files)

    def create(self, account: Account, uid: str, ics: bytes, deadline_seconds: float) -> Written:
        """See `Calendars.create`."""
        return self._client(account, deadline_seconds).create(uid, ics)

    def read(self, account: Account, href: str, deadline_seconds: float) -> Fetched | None:
        """See `Calendars.read`."""
        return self._client(account, deadline_seconds).read(href)

    def replace(self, account: Account, href: str, ics: bytes, etag: str, deadline_seconds: float) -> Written:
        """See `Calendars.replace`."""
        return self._client(account, deadline_seconds).replace(href, ics, etag)

    def delete(self, account: Account, href: str, etag: str, deadline_seconds: float) -> bool:
        """See `Calendars.delete`."""
        return self._client(account, deadline_seconds).delete(href, etag)

    def find(self, account: Account, uid: str, deadline_seconds: float) -> Fetched | None:
        """See `Calendars.find`."""
        return self._client(account, deadline_seconds).find(uid)

    def check(self, account: Account, deadline_seconds: float) -> int | None:
        """See `Calendars.check`."""
        client = self._client(account, deadline_seconds)
        if feeds.is_feed(account):
            feeds.check(client.wire)
        else:
            client.check()
        return client.wire.date

    def discover(
        self, start: str, username: str, password: str, deadline_seconds: float, bearer: str = ""
    ) -> list[Found]:
        """See `Calendars.discover`."""
        return discovery.discover(
            start, username, password, deadline_seconds, self._allowed, self._embedded, bearer=bearer
        )

    def exchange(self, app: OAuthApp, asked: SignIn, pasted: str, deadline_seconds: float) -> Tokens:
        """See `oauth.exchange`."""
        from microsite.calendars import oauth

        with closing(oauth.wire_for(app, self._allowed, deadline_seconds)) as wire:
            return oauth.exchange(wire, app, asked, pasted)

    def refresh(self, app: OAuthApp, token: str, deadline_seconds: float) -> Tokens:
        """See `oauth.refresh`."""
        from microsite.calendars import oauth

        with closing(oauth.wire_for(app, self._allowed, deadline_seconds)) as wire:
            return oauth.refresh(wire, app, token)

    def close(self) -> None:
        """Give back the connections of all threads."""
        for wire in list(self._wires):
            wire.close()

    def _client(self, account: Account, seconds: float) -> Client:
        """The thread's client for this account; another password or address makes a new one."""
        kept: dict[str, Client] | None = getattr(self._kept, "clients", None)
        if kept is None:
            kept = self._kept.clients = {}
        client = kept.get(account.calendar)
        if client is None or client.wire.account != account:
            if client is not None:
                client.wire.close()
            if len(kept) >= MAX_KEPT:
                kept.pop(next(iter(kept))).wire.close()
            inside = self._embedded if addresses.is_embedded(account.url) else None
            client = kept[account.calendar] = Client(Wire(account, embedded=inside, allowed=self._allowed))
            self._wires.add(client.wire)
        client.wire.start(seconds)
        return client
