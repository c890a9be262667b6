"""Read-only calendars published as one file (webcal or https): fetched if changed, one reading for each UID in it.

The reading itself is `expand`'s. The feed's ETag is kept as the ctag and its Last-Modified as the sync token.
"""

import hashlib
from collections.abc import Callable

from microsite.calendars.refusals import raise_for
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.core.mirror import Reading
from microsite.core.mirror import ReadingRules

FeedReader = Callable[[bytes, str, ReadingRules], list[Reading]]


def pull(
    wire: Wire, known: Known, rules: ReadingRules, deadline_seconds: float, read: FeedReader | None = None
) -> Pulled:
    """Fetch the feed if it changed: `full`, unless the server or the file itself says that nothing changed."""
    wire.start(deadline_seconds)
    reply = wire.send("GET", address(wire.account.url), headers=_conditions(known))
    if reply.status == 304:
        return _unchanged(wire, known.ctag, known.sync_token)
    raise_for(reply)
    ctag, since = reply.headers.get("ETag") or "", reply.headers.get("Last-Modified") or ""
    etag = content_etag(reply.body)
    if known.etags and set(known.etags.values()) == {etag}:
        return _unchanged(wire, ctag, since)
    readings = (read or _expand)(reply.body, etag, rules)
    return Pulled(
        state="IDLE",
        ctag=ctag,
        sync_token=since,
        full=True,
        readings=readings,
        present=[reading.href for reading in readings],
        requests=wire.requests,
        bytes=wire.bytes,
    )


def check(wire: Wire) -> None:
    """Raise unless there is a readable feed at the address."""
    raise_for(wire.send("GET", address(wire.account.url)))


def is_feed(account: Account) -> bool:
    """Is this account a published file rather than a collection?"""
    return account.feed or account.url.lower().startswith("webcal://")


def address(url: str) -> str:
    """The https address of a feed: `webcal` is a way of saying "subscribe", not a protocol."""
    return "https" + url[len("webcal") :] if url.lower().startswith("webcal://") else url


def content_etag(ics: bytes) -> str:
    """What the file says, as an etag. Generated feeds stamp every event anew at each fetch; that is no change."""
    lines = (line for line in ics.splitlines() if not line.upper().startswith(b"DTSTAMP"))
    return hashlib.sha256(b"\n".join(lines)).hexdigest()


def _expand(ics: bytes, etag: str, rules: ReadingRules) -> list[Reading]:
    from microsite.calendars import expand  # heavy: icalendar and all that comes with it

    return expand.read_feed(ics, etag, rules)


def _conditions(known: Known) -> dict[str, str]:
    """Ask for changes only, if all that was there has been read (no etags: the caller wants everything again)."""
    if not known.etags:
        return {}
    if known.ctag:
        return {"If-None-Match": known.ctag}
    return {"If-Modified-Since": known.sync_token} if known.sync_token else {}


def _unchanged(wire: Wire, ctag: str, since: str) -> Pulled:
    return Pulled(state="IDLE", ctag=ctag, sync_token=since, requests=wire.requests, bytes=wire.bytes)
