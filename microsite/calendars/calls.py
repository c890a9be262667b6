"""What the site and its bounded child say to each other: one struct per operation, framed msgpack over pipes.

A call's fields are the parameters of the method of `Local` whose name is its tag.
"""

import struct
from typing import Any

import msgspec

from microsite import errors
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

HEAD = struct.Struct(">I")
MAX_FRAME = 64 * 1024 * 1024


class Hello(msgspec.Struct, frozen=True):
    """The first frame: what the child may contact and how much memory it may use."""

    allowed: frozenset[str]
    memory: int


class Pull(msgspec.Struct, frozen=True, tag="pull"):
    account: Account
    known: Known
    rules: ReadingRules
    now: int
    deadline_seconds: float


class Create(msgspec.Struct, frozen=True, tag="create"):
    account: Account
    uid: str
    ics: bytes
    deadline_seconds: float


class Read(msgspec.Struct, frozen=True, tag="read"):
    account: Account
    href: str
    deadline_seconds: float


class Replace(msgspec.Struct, frozen=True, tag="replace"):
    account: Account
    href: str
    ics: bytes
    etag: str
    deadline_seconds: float


class Delete(msgspec.Struct, frozen=True, tag="delete"):
    account: Account
    href: str
    etag: str
    deadline_seconds: float


class Find(msgspec.Struct, frozen=True, tag="find"):
    account: Account
    uid: str
    deadline_seconds: float


class Check(msgspec.Struct, frozen=True, tag="check"):
    account: Account
    deadline_seconds: float


class Discover(msgspec.Struct, frozen=True, tag="discover"):
    start: str
    username: str
    password: str
    deadline_seconds: float
    bearer: str = ""

    def __repr__(self) -> str:
        return "Discover()"


class Exchange(msgspec.Struct, frozen=True, tag="exchange"):
    app: OAuthApp
    asked: SignIn
    pasted: str
    deadline_seconds: float

    def __repr__(self) -> str:
        return "Exchange()"


class Refresh(msgspec.Struct, frozen=True, tag="refresh"):
    app: OAuthApp
    token: str
    deadline_seconds: float

    def __repr__(self) -> str:
        return "Refresh()"


Call = Pull | Create | Read | Replace | Delete | Find | Check | Discover | Exchange | Refresh
WRITES = (Create, Replace, Delete, Exchange)


class Done(msgspec.Struct, frozen=True, tag="done"):
    """What came back; its type is the operation's own."""

    value: msgspec.Raw


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """A calendar error by its class name. The message is one of ours and holds nothing of the server's."""

    name: str
    message: str
    retry_after: int | None = None

    @classmethod
    def of(cls, error: errors.CalendarError) -> "Failed":
        """This error, under the nearest name that both sides know."""
        name = next(kind.__name__ for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return cls(name, str(error), error.retry_after)

    def error(self) -> errors.CalendarError:
        """The error itself, to be raised on this side of the pipe."""
        kind = getattr(errors, self.name, None)
        if not (isinstance(kind, type) and issubclass(kind, errors.CalendarError)):
            kind = errors.CalendarError
        return kind(self.message, self.retry_after)


RESULTS: dict[type, Any] = {
    Pull: Pulled,
    Create: Written,
    Read: Fetched | None,
    Replace: Written,
    Delete: bool,
    Find: Fetched | None,
    Check: int | None,
    Discover: list[Found],
    Exchange: Tokens,
    Refresh: Tokens,
}


def frame(message: object) -> bytes:
    """A message with its length before it."""
    body = msgspec.msgpack.encode(message)
    return HEAD.pack(len(body)) + body
