"""Pickers that are ready to be sent: rendered once for all who ask the same, and right to the second.

A page is found by everything that it depends on: the coach's revision, offer, zone, language, day, page or part. It is
right until the first start on it falls under the notice, the coach's day ends, or five minutes have passed. Whether
her calendars may be relied on is asked anew each time (`Coach.known_until`), so no page outlives that.

Kept are public pages only: nothing here holds a token, a name or an invitation, so they may also be compressed. A page
may be asked for again with its ETag; a part is never stored by a browser, so that «Back» never shows a bare part.
"""

import gzip
from datetime import timedelta
from functools import cached_property
from hashlib import blake2b
from zoneinfo import ZoneInfo

from flask import Flask
from flask import Response
from flask import current_app
from flask import request

from microsite.core.bounded import Bounded
from microsite.core.hours import local_day
from microsite.core.hours import midnight
from microsite.core.settings import Offer
from microsite.core.spans import MINUTE
from microsite.work.look import Coach

from . import fragments
from . import zones
from .i18n import KEPT_ON_SWITCH
from .picker import read_day
from .security import VARY
from .security import Finished
from .security import public_headers

BYTES = 16 * 1024 * 1024
LONGEST = 5 * MINUTE
PAGE_CACHING = "private, no-cache"
PART_CACHING = "private, no-store"
ODD = frozenset(KEPT_ON_SWITCH) - {"day", "tz"}
"""Fields that a page may repeat in its links, but that no picker is asked with."""
PACKING = 3
"""How hard to compress: harder costs more time than it saves bytes."""
HTML = "text/html; charset=utf-8"


Key = tuple[object, ...]


class Page:
    """A rendered answer with its headers, and from when until when (UTC seconds) it is right."""

    def __init__(self, body: bytes, headers: list[tuple[str, str]], since: int, until: int) -> None:
        self.body, self.since, self.until = body, since, until
        # Weak: the same page may be sent compressed.
        self.etag = f'W/"{blake2b(body, digest_size=12).hexdigest()}"'
        self.shared = [*headers, ("ETag", self.etag)]
        self.plain = [*self.shared, ("Content-Type", HTML), ("Content-Length", str(len(body)))]

    @cached_property
    def packed(self) -> tuple[bytes, list[tuple[str, str]]]:
        """The same compressed, with its headers, when first asked for."""
        body = gzip.compress(self.body, PACKING, mtime=0)
        length = ("Content-Length", str(len(body)))
        return body, [*self.shared, ("Content-Type", HTML), length, ("Content-Encoding", "gzip")]

    def answer(self) -> Finished:
        """The page as this request wants it: not again, compressed, or plain."""
        asked = request.environ
        if self.etag in asked.get("HTTP_IF_NONE_MATCH", ""):
            return Finished(b"", self.shared, "304 NOT MODIFIED")
        # Never compressed for somebody who carries a cookie: `packing` says why.
        if "gzip" in asked.get("HTTP_ACCEPT_ENCODING", "") and "HTTP_COOKIE" not in asked:
            return Finished(*self.packed)
        return Finished(self.body, self.plain)


def init_app(app: Flask) -> None:
    """Make the memory of this process."""
    app.extensions["microsite-ready"] = Bounded[Key, Page](BYTES, lambda page: 2 * len(page.body) + 1000)


def key(coach: Coach, offer: Offer, zone: ZoneInfo, now: int) -> Key | None:
    """What the asked-for picker depends on; None where it should not be kept."""
    args = request.args
    asked_day, asked_zone = args.get("day", ""), args.get("tz", "")
    if offer.invited or now > coach.known_until or any(name in args for name in ODD):
        return None
    if asked_day:
        day = read_day(asked_day)
        if day is None:  # no wish at all, but the language switch may repeat it
            return None
        today = local_day(now, coach.settings.zoneinfo)
        if not -2 <= (day - today).days <= offer.horizon_days + 2:  # any number of these could be asked for
            return None
    part = fragments.wanted()
    return (
        coach.slug,
        coach.revision,
        offer.slug,
        request.path,
        request.root_path,
        zone.key,
        asked_zone if zones.known(asked_zone) else bool(asked_zone),
        asked_day,
        part,
        part and _source(),
    )


def find(key: Key | None, now: int) -> Response | None:
    """The answer, where it is ready."""
    page = None if key is None else _memory().get(key)
    if page is None or not page.since <= now <= page.until:
        return None
    return page.answer()


def keep(key: Key | None, starts: list[int], coach: Coach, offer: Offer, now: int, made: Response) -> Response:
    """Keep a picker that was just made from these starts; answers what to send."""
    if key is None:
        return made
    caching = PART_CACHING if fragments.wanted() else PAGE_CACHING
    headers = [*public_headers(), ("Vary", ", ".join((*VARY, "Accept-Encoding"))), ("Cache-Control", caching)]
    page = Page(made.get_data(), headers, now, _right_until(starts, coach, offer, now))
    _memory().put(key, page)
    return page.answer()


def _source() -> str:
    """What of the place that was pressed decides about the focus."""
    source = request.headers.get("HX-Source", "")
    return next((start for start in ("a#month-", "a#") if source.startswith(start)), "")


def _right_until(starts: list[int], coach: Coach, offer: Offer, now: int) -> int:
    zone = coach.settings.zoneinfo
    tomorrow = midnight(local_day(now, zone) + timedelta(days=1), zone)
    latest = min(now + LONGEST, tomorrow - 1)
    return min(latest, starts[0] - offer.notice * MINUTE) if starts else latest


def _memory() -> "Bounded[Key, Page]":
    memory: Bounded[Key, Page] = current_app.extensions["microsite-ready"]
    return memory
