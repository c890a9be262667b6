"""What is known of a coach's calendars: accounts, sync state, readings, and our own events as they were seen.

These values cross the walls between calendars, store and work (and the pipe to the bounded child), so they are plain
structs. No title, place or person of the coach's own events is ever among them.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

Role = Literal["busy", "open", "bookings", "feed"]


class Account(msgspec.Struct, frozen=True, kw_only=True):
    """How to reach one calendar collection (or feed). `password` is plain only while a call lasts.

    `url` of the embedded server is a path on the made-up host `embedded.invalid`. `refresh` is the lasting permission
    of an OAuth provider; the calendars room makes a `bearer` of it before it speaks to the server.
    """

    calendar: str
    url: str
    username: str = ""
    password: str = ""
    bearer: str = ""
    refresh: str = ""
    profile: str = ""
    feed: bool = False

    def __repr__(self) -> str:
        return f"Account({self.calendar})"

    __str__ = __repr__


class OAuthApp(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator registered at a provider that gives no access by password."""

    client_id: str
    client_secret: str = ""
    authorize_url: str
    token_url: str
    scope: str
    redirect_uri: str

    def __repr__(self) -> str:
        return "OAuthApp()"

    __str__ = __repr__


class SignIn(msgspec.Struct, frozen=True, kw_only=True):
    """A sign-in that was begun: where the coach goes, and the secrets her answer is checked against."""

    url: str
    state: str
    verifier: str

    def __repr__(self) -> str:
        return "SignIn()"

    __str__ = __repr__


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a provider gave: access for so many seconds, and the permission to ask for more (may be empty)."""

    access: str
    refresh: str
    seconds: int

    def __repr__(self) -> str:
        return "Tokens()"

    __str__ = __repr__


class Known(msgspec.Struct, frozen=True, kw_only=True):
    """What the mirror knew before a sync. `etags` maps href (path) to the etag last read."""

    state: str = "NEW"
    sync_token: str = ""
    ctag: str = ""
    last_full_at: int = 0
    etags: Mapping[str, str] = {}


class ReadingRules(msgspec.Struct, frozen=True, kw_only=True):
    """How to turn objects into spans: the window (UTC seconds), the coach's zone, and what counts.

    `kind` is `open` or `busy`; `serves` maps a folded title (casefold, single spaces) to the offer's slug; `own_uids`
    are our bookings' UIDs, which are never busy but are reported as `Seen`.
    """

    kind: Literal["busy", "open"]
    zone: str
    start: int
    end: int
    tentative_blocks: bool = True
    serves: Mapping[str, str] = {}
    own_uids: frozenset[str] = frozenset()


class Seen(msgspec.Struct, frozen=True, kw_only=True):
    """One of our own events as it stands on the server. `odd` says why it cannot be judged, if it cannot."""

    uid: str
    href: str
    etag: str
    calendar: str = ""
    start: int = 0
    end: int = 0
    cancelled: bool = False
    marked: bool = False
    titled_with: str = ""
    odd: Literal["", "all-day", "recurring", "unreadable"] = ""


class Reading(msgspec.Struct, frozen=True, kw_only=True):
    """What one calendar object came to.

    `spans` is packed (core.spans); `serves` is the offer an open-hours event is for; `warning` is a short code for
    the coach, never event text. Nothing of the object itself is kept: when the window moves on, it is read again.
    """

    href: str
    etag: str
    uid: str
    spans: bytes
    serves: str = ""
    warning: str = ""
    seen: Seen | None = None


class Pulled(msgspec.Struct, frozen=True, kw_only=True):
    """The outcome of one sync of one calendar.

    `full` says that `readings` and `present` together are the whole collection (whatever is not in `present` is gone);
    else `removed` lists what is gone. Requests and bytes are counted for the operator.
    """

    state: str
    sync_token: str = ""
    ctag: str = ""
    full: bool = False
    readings: list[Reading] = []
    removed: list[str] = []
    present: list[str] = []
    requests: int = 0
    bytes: int = 0


class Written(msgspec.Struct, frozen=True, kw_only=True):
    """A write that took place. `etag` is empty where the server named no strong one."""

    href: str
    etag: str = ""


class Fetched(msgspec.Struct, frozen=True, kw_only=True):
    """One object read from a server."""

    href: str
    etag: str
    ics: bytes


class Found(msgspec.Struct, frozen=True, kw_only=True):
    """A calendar found by discovery."""

    url: str
    name: str
    writable: bool = True
    components: list[str] = []
