"""One calendar collection: listing it, reading objects, and writing them under conditions that hold on real servers.

Owns what each request means and what each refusal means. How bytes travel is `wire`'s, when to ask is `sync`'s.
The one rule of writing: a doubtful outcome is settled by reading the object back, never by guessing and never by an
unconditional write.
"""

import hashlib
from collections.abc import Sequence
from types import TracebackType
from typing import Self
from urllib.parse import urljoin
from urllib.parse import urlsplit

from microsite.calendars import dav
from microsite.calendars import meaning
from microsite.calendars import providers
from microsite.calendars.refusals import DOUBTFUL
from microsite.calendars.refusals import raise_for
from microsite.calendars.wire import MAX_LISTING
from microsite.calendars.wire import MAX_REPLY
from microsite.calendars.wire import Reply
from microsite.calendars.wire import Wire
from microsite.core.mirror import Fetched
from microsite.core.mirror import Written
from microsite.errors import CalendarChanged
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarUnreachable

_XML = {"Content-Type": "application/xml; charset=utf-8"}
_ICS = {"Content-Type": "text/calendar; charset=utf-8"}


class Client:
    """The conversation with one collection; as short-lived or long-lived as its `Wire`. Use it as a context manager."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire
        self.url = wire.account.url if wire.account.url.endswith("/") else wire.account.url + "/"
        self.path = dav.norm(urlsplit(self.url).path)
        self.profile = providers.choose(wire.account.profile, self.url)
        wire.gap = self.profile.min_gap

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.wire.close()

    def ask(self, method: str, body: bytes, depth: str = "1", url: str = "", cap: int = MAX_REPLY) -> Reply:
        """A PROPFIND or REPORT, as it was answered."""
        return self.wire.send(method, url or self.url, body, {**_XML, "Depth": depth}, cap)

    def propfind(self, depth: str, *properties: str, url: str = "") -> dav.Multi:
        """The named properties of the collection (or of `url`) and, with depth 1, of what is in it."""
        reply = self.ask("PROPFIND", dav.propfind(*properties), depth, url, MAX_LISTING)
        raise_for(reply)
        return dav.read(reply.body)

    def multiget(self, hrefs: Sequence[str]) -> dav.Multi:
        """The objects at these hrefs with their data; what is gone comes as a row with its status or not at all."""
        reply = self.ask("REPORT", dav.multiget(hrefs), "1")
        raise_for(reply)
        return dav.read(reply.body)

    def check(self) -> None:
        """Raise unless this is a calendar collection that we may read."""
        rows = self.propfind("0", "D:resourcetype", "D:displayname").rows
        if not any("calendar" in row.types for row in rows):
            raise CalendarMissing("there is no calendar at this address")

    def availability(self) -> str:
        """The `calendar-availability` (RFC 7953 7.2) of the collection, else of the person's inbox; or nothing."""
        own = self._first("C:calendar-availability", "D:current-user-principal", url=self.url)
        principal = self._near(own.link("current-user-principal"))
        if own.availability or not principal:
            return own.availability
        inbox = self._near(self._first("C:schedule-inbox-URL", url=principal).link("schedule-inbox-URL"))
        return self._first("C:calendar-availability", url=inbox).availability if inbox else ""

    def _first(self, *properties: str, url: str) -> dav.Row:
        """The properties of one resource; of none where the server hides it (that is no trouble with the calendar)."""
        reply = self.ask("PROPFIND", dav.propfind(*properties), "0", url)
        if reply.status in (403, 404, 405):
            return dav.Row("")
        raise_for(reply)
        rows = dav.read(reply.body).rows
        return rows[0] if rows else dav.Row("")

    def _near(self, link: str) -> str:
        """The address behind a link, if it is on this very server: our password goes nowhere else."""
        url = urljoin(self.url, link)
        return url if link and urlsplit(url)[:2] == urlsplit(self.url)[:2] else ""

    def make_calendar(self, title: str) -> None:
        """MKCALENDAR here; being there already is no error."""
        reply = self.wire.send("MKCALENDAR", self.url, dav.mkcalendar(title), _XML)
        if reply.status in (403, 405, 409):
            self.check()
        elif reply.status // 100 != 2:
            raise_for(reply)

    def remove_collection(self) -> None:
        """DELETE this collection with everything in it; that it is not there is no error."""
        reply = self.wire.send("DELETE", self.url)
        if reply.status not in dav.GONE:
            raise_for(reply)

    def read(self, href: str) -> Fetched | None:
        """The object at this href with its etag (a fingerprint of the body where the server gives none), or None."""
        reply = self.wire.send("GET", self._at(href))
        if reply.status in dav.GONE:
            return None
        raise_for(reply)
        etag = (reply.headers.get("ETag") or "").strip()
        if not dav.strong(etag):
            etag = self._listed_etag(href) or etag or dav.FINGERPRINT + hashlib.sha256(reply.body).hexdigest()
        return Fetched(href=href, etag=etag, ics=reply.body)

    def find(self, uid: str) -> Fetched | None:
        """The object with this UID wherever it lies in the collection, if the server can search for it."""
        reply = self.ask("REPORT", dav.by_uid(uid), "1")
        raise_for(reply)
        for row in dav.read(reply.body).rows:
            if row.data and meaning.uid(row.data.encode()) == uid:
                return Fetched(href=row.href, etag=row.etag, ics=row.data.encode())
        return None

    def create(self, uid: str, ics: bytes) -> Written:
        """Store a new object at a name made from its UID. Its being ours already is success (RFC 4791 5.3.2).

        CalendarChanged: something else is there, or our UID lies elsewhere. CalendarUnreachable: nothing is known.
        """
        href = dav.href_of(self.url, uid)
        if not self.profile.checks_create:
            there = self.read(href)
            if there is not None:
                return self._ours_or_changed(there, uid)
        reply = self._write("PUT", href, ics, {"If-None-Match": "*"})
        if reply is not None and reply.status // 100 == 2:
            return Written(href=href, etag=self._etag_after(reply, href))
        if reply is not None and reply.status not in DOUBTFUL:
            raise_for(reply)
        there = self.read(href)
        if there is not None:
            return self._ours_or_changed(there, uid)
        if reply is not None:
            raise_for(reply)
        raise CalendarUnreachable("the event may or may not have been written: it is not there now")

    def replace(self, href: str, ics: bytes, etag: str) -> Written:
        """Store a new version of the object that was read with `etag`. CalendarChanged if it is another one by now.

        Without a strong etag the object is read and compared first.
        """
        condition = dav.strong(etag) or self._looked_first(href, ics, etag)
        reply = self._write("PUT", href, ics, {"If-Match": condition} if condition else {})
        if reply is not None and reply.status // 100 == 2:
            return Written(href=href, etag=self._etag_after(reply, href))
        if reply is not None and reply.status not in DOUBTFUL and reply.status not in dav.GONE:
            raise_for(reply)
        there = self.read(href)
        if there is not None and meaning.of(there.ics) == meaning.of(ics):
            return Written(href=href, etag=dav.strong(there.etag))
        if there is None or (condition and there.etag != condition):
            raise CalendarChanged("the event was changed or deleted in the calendar meanwhile")
        if reply is not None:
            raise_for(reply)
        raise CalendarUnreachable("the new version of the event was not written")

    def delete(self, href: str, etag: str = "") -> bool:
        """Delete the object if it still is the one with `etag` (any, where none is given); False: it was not there."""
        condition = dav.strong(etag)
        if not condition or not self.profile.checks_delete:
            there = self.read(href)
            if there is None:
                return False
            if etag and there.etag != etag:
                raise CalendarChanged("the event was changed in the calendar meanwhile")
            condition = dav.strong(there.etag)
        reply = self._write("DELETE", href, b"", {"If-Match": condition} if condition else {})
        if reply is not None and reply.status // 100 == 2:
            return True
        if reply is not None and reply.status in dav.GONE:
            return False
        if reply is not None and reply.status not in DOUBTFUL:
            raise_for(reply)
        there = self.read(href)
        if there is None:
            return True
        if condition and there.etag != condition:
            raise CalendarChanged("the event was changed in the calendar meanwhile")
        if reply is not None:
            raise_for(reply)
        raise CalendarUnreachable("the event was not deleted")

    def _write(self, method: str, href: str, body: bytes, headers: dict[str, str]) -> Reply | None:
        """One write; None when it is unknown whether it took place."""
        patience = self.wire.left() * 0.6  # what is left over is for reading back
        try:
            return self.wire.send(method, self._at(href), body, {**(_ICS if body else {}), **headers}, seconds=patience)
        except CalendarUnreachable:
            if self.wire.left() <= 0:
                raise
            return None

    def _looked_first(self, href: str, ics: bytes, etag: str) -> str:
        there = self.read(href)
        if there is None or (etag and there.etag != etag) or meaning.uid(there.ics) != meaning.uid(ics):
            raise CalendarChanged("the event was changed or deleted in the calendar meanwhile")
        return dav.strong(there.etag)

    def _ours_or_changed(self, there: Fetched, uid: str) -> Written:
        if meaning.uid(there.ics) != uid:
            raise CalendarChanged("something else is stored under the event's name")
        return Written(href=there.href, etag=dav.strong(there.etag))

    def _etag_after(self, reply: Reply, href: str) -> str:
        """A strong etag from the reply, else from a PROPFIND; a server that fails here has still stored the event."""
        named = dav.strong(reply.headers.get("ETag") or "")
        return named or dav.strong(self._listed_etag(href))

    def _listed_etag(self, href: str) -> str:
        try:
            rows = self.propfind("0", "D:getetag", url=self._at(href)).rows
        except CalendarError:
            return ""
        return rows[0].etag if rows else ""

    def _at(self, href: str) -> str:
        return urljoin(self.url, href)
