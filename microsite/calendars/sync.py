"""Keeping step with one collection: sync tokens first, etag listings where there are none, all of it now and then.

Owns the order of the questions and what the answers come to (`Pulled`). Storing it, and when to pull again, is the
store's and work's. What a server says is taken as a hint about what changed; whether an object is there, and what it
says, is decided by asking for the object itself.

States: NEW has seen nothing; FULL has begun a first load and is not done (pull again, with what was stored meanwhile);
IDLE goes on with its sync token; LISTING has no token to go by. AUTH and BACKOFF are what `after` makes of an error.
"""

from collections.abc import Callable
from collections.abc import Collection
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from hashlib import sha256
from typing import Literal
from typing import NamedTuple

from microsite.calendars import dav
from microsite.calendars.client import Client
from microsite.calendars.files import Files
from microsite.calendars.providers import Profile
from microsite.calendars.refusals import raise_for
from microsite.calendars.wire import MAX_LISTING
from microsite.calendars.wire import TooLarge
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.core.mirror import Reading
from microsite.core.mirror import ReadingRules
from microsite.errors import CalendarError
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable
from microsite.errors import MicrositeError

Reader = Callable[[str, str, bytes, ReadingRules], Reading]
Step = Literal["full", "delta", "listing"]
MAX_PAGES = 100
ASK_AGAIN = 200
"""So many objects that a listing no longer shows are asked for one by one before they count as gone."""

AVAILABILITY = "calendar-availability"
"""Stands for the href of the property of that name, which is read like an object in every full turn."""

_RESERVE = 2.0
"""Seconds kept back, so that a load which will not be done in time ends in order."""


class Listed(NamedTuple):
    """What the server says is there (or changed), as etags by href, and what it says is gone."""

    etags: Mapping[str, str]
    gone: frozenset[str] = frozenset()
    token: str = ""
    ctag: str = ""


class _NoTokens(Exception):
    """The server has no sync reports for this collection."""


class _TokenLost(Exception):
    """The server no longer knows the token; everything must be compared."""


def next_state(known: Known, profile: Profile, now: int) -> Step:
    """Which question to ask first. Pure."""
    due = now - known.last_full_at >= profile.full_every
    if not profile.tokens:
        return "listing"
    if known.state == "LISTING":
        return "full" if due else "listing"  # a server may learn to report; ask at every full turn
    if known.state in ("NEW", "FULL") or due or not known.sync_token:
        return "full"
    return "delta"


def after(error: MicrositeError) -> str:
    """The state a calendar is in after a pull that failed: AUTH waits for the coach, BACKOFF for the clock."""
    return "AUTH" if isinstance(error, CalendarRefused) else "BACKOFF"


def changed(listed: Mapping[str, str], known: Mapping[str, str]) -> list[str]:
    """The hrefs whose objects must be fetched: new ones, other etags, and those without any etag. Pure."""
    return sorted(href for href, etag in listed.items() if not etag or known.get(href) != etag)


def pull(
    client: Client,
    known: Known,
    rules: ReadingRules,
    now: int,
    deadline_seconds: float,
    read: Reader | None = None,
    files: Files | None = None,
) -> Pulled:
    """Bring one collection up to date. Raises the house's calendar errors; then nothing may be concluded.

    `files` are those of a server that is our own: they say what changed sooner than it does.
    """
    client.wire.start(deadline_seconds)
    step = next_state(known, client.profile, now)
    turn = _Turn(client, known, rules, read or _expand)
    look = files.look(client.path) if files else None
    if files is None or look is None:
        return _asked(turn, step)
    changed = files.changed(client.path, look, known.etags) if step == "delta" else None
    # Where everything seems to be another file (a disk with numbers of its own making), the server knows better.
    few = changed is not None and len(changed) <= client.profile.batch
    pulled = turn.told(changed) if changed is not None and few else _asked(turn, step)
    if pulled.state != "FULL":
        files.note(client.path, look, {**known.etags, **{each.href: each.etag for each in pulled.readings}})
    return pulled


def _asked(turn: "_Turn", step: Step) -> Pulled:
    if step == "delta":
        try:
            return turn.delta()
        except (_TokenLost, _NoTokens):
            step = "full"
    if step == "full":
        try:
            return turn.full()
        except _NoTokens:
            pass
    return turn.listing()


def _expand(href: str, etag: str, ics: bytes, rules: ReadingRules) -> Reading:
    from microsite.calendars import expand  # heavy: icalendar and all that comes with it

    return expand.read(href, etag, ics, rules)


class _Turn:
    """One pull: the client, what was known, and how to read."""

    def __init__(self, client: Client, known: Known, rules: ReadingRules, read: Reader) -> None:
        self.client, self.known, self.rules, self.read = client, known, rules, read

    def delta(self) -> Pulled:
        """What changed since the token."""
        listed = report(self.client, self.known.sync_token)
        wanted = changed(listed.etags, self.known.etags)
        readings, missing, left = self._fetch(wanted)
        if left:
            raise CalendarUnreachable("there were more changes than could be read in time")
        removed = sorted((listed.gone | missing) & set(self.known.etags))
        return self._pulled("IDLE", listed, readings=readings, removed=removed)

    def told(self, hrefs: Sequence[str]) -> Pulled:
        """What changed, of these alone; the token stays as it was, so it tells of more than is new, never of less."""
        readings, missing, left = self._fetch(hrefs)
        if left:
            raise CalendarUnreachable("there were more changes than could be read in time")
        listed = Listed({}, token=self.known.sync_token, ctag=self.known.ctag)
        removed = sorted(missing & set(self.known.etags))
        return self._pulled("IDLE", listed, readings=readings, removed=removed)

    def full(self) -> Pulled:
        """Everything, by the sync report with an empty token."""
        return self._whole(report(self.client, ""), "IDLE")

    def listing(self) -> Pulled:
        """Everything, by etags; nothing at all when the collection's ctag is still the same."""
        if self.known.state == "LISTING" and self.known.ctag:
            rows = self.client.propfind("0", "S:getctag").rows
            if rows and rows[0].ctag == self.known.ctag:
                return self._pulled("LISTING", Listed({}, ctag=self.known.ctag))
        rows = self.client.propfind("1", "D:getetag", "D:resourcetype", "S:getctag").rows
        own = next((row for row in rows if row.href.rstrip("/") == self.client.path.rstrip("/")), None)
        if own is None:
            raise CalendarUnreachable("the listing did not hold the calendar itself")
        return self._whole(Listed(_objects(rows, self.client.path), ctag=own.ctag), "LISTING")

    def _whole(self, listed: Listed, state: str) -> Pulled:
        listed = self._confirmed(listed)
        readings, missing, left = self._fetch(changed(listed.etags, self.known.etags))
        present = sorted(set(listed.etags) - missing)
        if left:
            return self._pulled("FULL", Listed({}), readings=readings)
        hours = self._availability()
        if hours:
            present.append(AVAILABILITY)
            readings += [each for each in hours if each.etag != self.known.etags.get(AVAILABILITY)]
        if not present:
            # A server that is ill may show nothing and give a token for it: then nothing would ever come back. To ask
            # an empty calendar for everything costs no more than to ask it for changes.
            listed = listed._replace(token="", ctag="")
        return self._pulled(state, listed, full=True, readings=readings, present=present)

    def _availability(self) -> Sequence[Reading]:
        """What the availability property opens, where a calendar is there for open hours and the server has one."""
        if self.rules.kind != "open":
            return ()
        try:
            text = self.client.availability()
        except CalendarError:
            # Servers are seen to fail (500) at this very question; that must not keep the calendar from being read.
            known = self.known.etags.get(AVAILABILITY)
            return () if known is None else (Reading(href=AVAILABILITY, etag=known, uid="", spans=b""),)
        if not text.strip():
            return ()
        etag = dav.FINGERPRINT + sha256(text.encode()).hexdigest()
        return (self.read(AVAILABILITY, etag, text.encode(), self.rules),)

    def _confirmed(self, listed: Listed) -> Listed:
        """A listing may be cut, cached or windowed: what it no longer shows is gone only if asking for it agrees."""
        vanished = sorted(set(self.known.etags) - set(listed.etags) - {AVAILABILITY})
        if not vanished:
            return listed
        sample = vanished if len(vanished) <= ASK_AGAIN else vanished[:: len(vanished) // ASK_AGAIN + 1]
        alive = {row.href: row.etag for rows in self._multiget(sample) for row in rows if row.data}
        if alive and len(sample) < len(vanished):
            raise CalendarUnreachable("the server's listing was not complete")
        return listed._replace(etags={**listed.etags, **alive})

    def _fetch(self, wanted: Sequence[str]) -> tuple[list[Reading], set[str], bool]:
        """Read the objects: the readings, the hrefs that turned out to be gone, and whether time ran out before all."""
        readings: list[Reading] = []
        missing: set[str] = set()
        size = self.client.profile.batch
        for start in range(0, len(wanted), size):
            if start and self.client.wire.left() < _RESERVE:
                return readings, missing, True
            batch = wanted[start : start + size]
            rows = {row.href: row for rows in self._multiget(batch) for row in rows if row.data}
            missing.update(set(batch) - set(rows))
            for href, row in rows.items():
                if not row.etag or row.etag != self.known.etags.get(href):
                    readings.append(self._reading(href, row))
        return readings, missing, False

    def _reading(self, href: str, row: dav.Row) -> Reading:
        if row.data == _TOO_LARGE:
            return Reading(href=href, etag=row.etag, uid="", spans=b"", warning="too-large")
        return self.read(href, row.etag, row.data.encode(), self.rules)

    def _multiget(self, hrefs: Sequence[str]) -> Iterator[list[dav.Row]]:
        """The objects in batches; a batch whose reply is too large is halved, down to the one that is."""
        size = self.client.profile.batch
        batches = [list(hrefs[at : at + size]) for at in range(0, len(hrefs), size)]
        while batches:
            batch = batches.pop(0)
            try:
                yield [row for row in self.client.multiget(batch).rows if row.href in batch]
            except TooLarge:
                if len(batch) == 1:
                    yield [dav.Row(batch[0], etag="", data=_TOO_LARGE)]
                else:
                    batches[:0] = [batch[: len(batch) // 2], batch[len(batch) // 2 :]]

    def _pulled(
        self,
        state: str,
        listed: Listed,
        *,
        full: bool = False,
        readings: Collection[Reading] = (),
        removed: Collection[str] = (),
        present: Collection[str] = (),
    ) -> Pulled:
        return Pulled(
            state=state,
            sync_token=listed.token,
            ctag=listed.ctag,
            full=full,
            readings=list(readings),
            removed=list(removed),
            present=list(present),
            requests=self.client.wire.requests,
            bytes=self.client.wire.bytes,
        )


_TOO_LARGE = "\0too-large"


def report(client: Client, token: str) -> Listed:
    """All pages of a sync-collection REPORT, put together: later pages win (RFC 6578 3.6)."""
    etags: dict[str, str] = {}
    gone: set[str] = set()
    for _ in range(MAX_PAGES):
        page = _page(client, token)
        for row in page.rows:
            if row.is_gone:
                gone.add(row.href)
                etags.pop(row.href, None)
        for href, etag in _objects(page.rows, client.path).items():
            etags[href] = etag
            gone.discard(href)
        if not page.truncated:
            return Listed(etags, frozenset(gone), token=page.token)
        if not page.token or page.token == token:
            break
        token = page.token
    raise CalendarUnreachable("the server cuts its sync report without end")


def _page(client: Client, token: str) -> dav.Multi:
    reply = client.ask("REPORT", dav.sync_collection(token), "0", cap=MAX_LISTING)
    if reply.status == 207:
        page = dav.read(reply.body)
        if not page.token:
            raise _NoTokens
        return page
    if b"valid-sync-token" in reply.body and token:
        raise _TokenLost
    if reply.status in (400, 403, 405, 406, 409, 412, 415, 422, 500, 501, 507):
        raise _TokenLost if token else _NoTokens
    raise_for(reply)
    raise _NoTokens


def _objects(rows: Sequence[dav.Row], collection: str) -> dict[str, str]:
    """Etags of what can be an object of this collection: not itself, not a folder in it, not what is gone."""
    return {
        row.href: row.etag
        for row in rows
        if not row.is_gone
        and "collection" not in row.types
        and not row.href.endswith("/")
        and row.href != collection.rstrip("/")
        and row.href.startswith(collection)
    }
