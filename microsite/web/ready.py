"""In front of the application: a picker that was made once is sent to all who ask the same, without entering it.

A page is kept as the application answered it, to the byte, under everything that its making looked at (`Wish`), with
what it stands on (`Lease`). Each time it is asked for, the store answers one question; where the coach's revision is
another one, her page is closed or her calendars may not be relied on any more, the application is asked anew. So no
session, form token, limit or template is touched for a page that is ready. ETag, 304 and HEAD are here as well.

A part that htmx asked for is drawn again here where only times may have changed, by the very function that the view
draws it with (`part`); its headers are those that the application gave. Whatever else happened is the application's.

What holds a token, a name or an invitation is never lent, so never kept.
"""

import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Sequence
from datetime import date
from functools import cached_property
from functools import lru_cache
from hashlib import blake2b
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple
from urllib.parse import parse_qsl

from flask import Flask
from flask import Response
from flask import request
from werkzeug.wsgi import ClosingIterator

from microsite.core.bounded import Bounded
from microsite.core.hours import local_day
from microsite.core.settings import Offer
from microsite.core.spans import MINUTE
from microsite.errors import NotFound
from microsite.errors import StoreUnreadable
from microsite.errors import TimesUnknown
from microsite.services import Services
from microsite.work import look
from microsite.work.look import Coach
from microsite.work.look import Ground
from microsite.work.polls import refresh

from . import fragments
from . import zones
from .answered import READY
from .packing import coding_for
from .packing import packed_page
from .part import Part
from .picker import read_day

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

BYTES = 8 * 1024 * 1024
"""With `services.SEEN_BYTES` and what `drawn` keeps: as much as fits between a site in use and its 130 MB."""
AROUND = 4500
"""What a kept page weighs beside its body, as measured: headers, key, objects, and what a part is drawn again from."""
BUCKET = 5 * MINUTE
"""No page outlives its five minutes of the clock. Zones change their offset, and days end, only between two such."""
CACHING = "private, no-cache"
"""A page may be asked for again with its ETag. A part is never stored, so that «Back» does not show a bare part."""
PATH = re.compile(r"(?:/en)?/[a-z0-9-]+/[a-z0-9-]+/")
LONGEST = 120
"""Characters of a query that is looked at."""
OF_BODY = frozenset({"Content-Type", "Content-Length", "Content-Encoding"})
NOTES = "microsite."
"""What the application writes into a request's environ under names of its own is for whoever stands around it."""
LENT = f"{NOTES}lent"
Headers = list[tuple[str, str]]


class Wish(NamedTuple):
    """All that a picker depends on, but for the coach and the time: two who wish the same get the same."""

    root: str
    path: str
    day: str
    zone: str
    part: bool
    focus: str
    coding: str


class Lease(NamedTuple):
    """Since when and until when (UTC seconds) a page is right, if nothing changes what it stands on."""

    ground: Ground
    since: int
    until: int


class Loan(NamedTuple):
    """What the application lends with a page: for how long it is right, and the part it was drawn by, if it is one."""

    lease: Lease
    part: Part | None


class Page:
    """An answer of the application, with its ETag, and for how long it may be used."""

    def __init__(self, given: Headers, body: bytes, loan: Loan, notes: dict[str, Any]) -> None:
        self.body, self.loan, self.notes, self._given = body, loan, notes, given
        self.etag = f'"{blake2b(body, digest_size=12).hexdigest()}"'

    @cached_property
    def unchanged(self) -> Headers:
        """The headers of a 304."""
        return [header for header in [*self._given, ("ETag", self.etag)] if header[0] not in OF_BODY]

    @cached_property
    def coding(self) -> str:
        """How the body is packed."""
        return dict(self._given).get("Content-Encoding", "")

    def again(self, html: bytes, lease: Lease) -> "Page | None":
        """The same page with other HTML, packed as this one was; None where that would not be packed so."""
        body, coding = packed_page(html, self.coding)
        if coding != self.coding:
            return None
        given = self._given.copy()
        given[given.index(("Content-Length", str(len(self.body))))] = ("Content-Length", str(len(body)))
        return Page(given, body, Loan(lease, self.loan.part), self.notes)

    def send(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> list[bytes]:
        """The page, or that it is the one the browser has; to a HEAD without its body."""
        known = environ.get("HTTP_IF_NONE_MATCH")
        if known and (self.etag in known or known == "*"):
            start_response("304 NOT MODIFIED", self.unchanged.copy())
            return []
        start_response("200 OK", [*self._given, ("ETag", self.etag)])
        return [] if environ["REQUEST_METHOD"] == "HEAD" else [self.body]


class Front:
    """The WSGI application in front of the pages'."""

    def __init__(self, inner: "WSGIApplication", services: Services, limit: int = BYTES) -> None:
        self.inner, self._services = inner, services
        self._hosts = frozenset(services.config.trusted_hosts)
        self.kept: Bounded[Wish, Page] = Bounded(limit, lambda page: len(page.body) + AROUND)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Send what is ready, else what the application answers."""
        wish = wished(environ)
        if wish is None or environ.get("HTTP_HOST", "").partition(":")[0] not in self._hosts:
            return self.inner(environ, start_response)
        page = self.kept.get(wish)
        glance = self._glance(page) if page else None
        if page is None or glance is None:
            return self._make(wish, environ, start_response)
        sent = self._right(wish, page, glance)
        if sent is None:
            return self._make(wish, environ, start_response)
        environ.update(sent.notes)
        environ[READY] = sent is page
        answer = sent.send(environ, start_response)
        if not glance.old:
            return answer
        return ClosingIterator(answer, lambda: refresh(self._services, sent.loan.lease.ground.coach))

    def _glance(self, page: Page) -> Any:
        try:
            return self._services.store.glance(page.loan.lease.ground.coach, self._services.clock())
        except StoreUnreadable:  # the application has a page that says so
            return None

    def _right(self, wish: Wish, page: Page, glance: Any) -> Page | None:
        """The page where it is right still, else the same drawn again; None where the application must be asked."""
        (lease, part), now = page.loan, self._services.clock()
        if lease.since <= now <= lease.until and look.still(lease.ground, glance, now):
            return page
        if part is None:
            return None
        try:
            found = part.again(self._services, glance, now)
        except (NotFound, TimesUnknown, StoreUnreadable):
            return None
        renewed = leased(part, *found[1:], now) if found else None
        again = page.again(found[0], renewed) if found and renewed else None
        if again is not None:
            self.kept.put(wish, again)
        return again

    def _make(self, wish: Wish, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        said: list[Any] = []
        written: list[bytes] = []

        def listen(*status_and_headers: Any) -> Callable[[bytes], object]:
            said[:] = status_and_headers
            return written.append

        inner = {**environ, "REQUEST_METHOD": "GET"}
        made = self.inner(inner, listen)
        written.extend(made)
        body, loan = b"".join(written), inner.pop(LENT, None)
        notes = {name: value for name, value in inner.items() if name.startswith(NOTES)}
        environ.update(notes)
        if loan and said[0].startswith("200 ") and "Set-Cookie" not in dict(said[1]):
            page = Page(said[1], body, loan, notes)
            self.kept.put(wish, page)
            answer = page.send(environ, start_response)
        else:
            start_response(*said)
            answer = [] if environ["REQUEST_METHOD"] == "HEAD" else [body]
        return ClosingIterator(answer, getattr(made, "close", None))


def init_app(app: Flask) -> None:
    """Stand in front of the application; after all else that does."""
    front = Front(app.wsgi_app, app.extensions["microsite"])
    app.extensions["microsite-ready"] = front
    app.wsgi_app = front  # type: ignore[method-assign]


def wished(environ: "WSGIEnvironment") -> Wish | None:
    """What somebody wishes who asks for a picker; None where something else is asked, or anything is odd about it."""
    path, query = environ.get("PATH_INFO", ""), environ.get("QUERY_STRING", "")
    if environ["REQUEST_METHOD"] not in {"GET", "HEAD"} or len(query) > LONGEST or not PATH.fullmatch(path):
        return None
    fields = _fields(query) if query else ("", "")
    if fields is None:
        return None
    # As `fragments.wanted` and the template read them.
    part = environ.get("HTTP_HX_REQUEST") == "true" and environ.get("HTTP_HX_HISTORY_RESTORE_REQUEST") != "true"
    source = environ.get("HTTP_HX_SOURCE", "") if part else ""
    focus = next((start for start in ("a#month-", "a#") if source.startswith(start)), "") if source else ""
    return Wish(environ.get("SCRIPT_NAME", ""), path, *fields, part, focus, coding_for(environ))


def lend(page: Response, part: Part, starts: Sequence[int], now: int) -> None:
    """Let the page that this request gets be kept, if others may be sent it and it is one of a few."""
    lease = leased(part, part.coach, starts, now)
    if lease is None:
        return
    fragment = fragments.wanted()
    request.environ[LENT] = Loan(lease, part if fragment else None)
    if not fragment:
        page.headers["Cache-Control"] = CACHING


def leased(part: Part, coach: Coach, starts: Sequence[int], now: int) -> Lease | None:
    """For how long the picker with these starts is right; None where it is not to be kept."""
    offer = part.offer
    if offer.invited or not _near(part.wanted, coach, offer, now):
        return None
    until = now // BUCKET * BUCKET + BUCKET - 1
    if starts:  # the first one on it must still be bookable
        until = min(until, starts[0] - offer.notice * MINUTE)
    return Lease(look.ground(coach), now, until)


def _near(wanted: date | None, coach: Coach, offer: Offer, now: int) -> bool:
    """Whether it is one of the days that can be offered: of others there is no end."""
    if wanted is None:
        return True
    ahead = (wanted - local_day(now, coach.settings.zoneinfo)).days
    return -2 <= ahead <= offer.horizon_days + 2


@lru_cache(maxsize=1024)
def _fields(query: str) -> tuple[str, str] | None:
    """The day and the zone of a query that holds nothing else, and nothing twice."""
    try:
        pairs = parse_qsl(query, keep_blank_values=True, strict_parsing=True, max_num_fields=2)
    except ValueError:
        return None
    found = dict(pairs)
    day, zone = found.pop("day", ""), found.pop("tz", "")
    if found or len(pairs) != bool(day) + bool(zone):
        return None
    return (day, zone) if (not day or read_day(day)) and (not zone or zones.known(zone)) else None
