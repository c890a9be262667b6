"""What a calendar server must get right for us, asked of a real one; each check raises or answers."""

import re
import secrets
from collections.abc import Callable
from urllib.parse import urlsplit

from microsite.calendars.client import Client
from microsite.calendars.patch import patch
from microsite.calendars.wire import Reply
from microsite.core.events import EventChanges
from microsite.errors import CalendarChanged

from .events import Mirror
from .events import event
from .target import WRITERS
from .target import Tamper
from .target import Tampered
from .target import Target
from .target import etag_as

ETAG = re.compile(rb"<([A-Za-z0-9]*:?)getetag>.*?</\1getetag>", re.DOTALL)
ROW = re.compile(rb"<([A-Za-z0-9]*:?)response(?:\s[^>]*)?>.*?</\1response>", re.DOTALL)


def create(target: Target) -> str:
    """Creating twice is one event; somebody else's event under that name is told, not overwritten."""
    uid = _uid()
    first, second = target.client.create(uid, event(uid)), target.client.create(uid, event(uid))
    assert first.href == second.href
    other = _uid()
    reply = target.client.wire.send("PUT", _at(target, first.href), event(uid, "Changed"))
    assert reply.status < 300, f"plain PUT: {reply.status}"
    assert target.client.delete(first.href)
    foreign = target.client.create(other, event(other))
    try:
        target.client._ours_or_changed(target.client.read(foreign.href), uid)  # type: ignore[arg-type]
    except CalendarChanged:
        return "yes"
    raise AssertionError("a foreign event counted as ours")


def etags(target: Target) -> str:
    """The etag of a write is the one that is read and listed afterwards."""
    uid = _uid()
    written = target.client.create(uid, event(uid))
    read = target.client.read(written.href)
    assert read is not None
    listed = {row.href: row.etag for row in target.client.propfind("1", "D:getetag").rows}
    assert written.etag == read.etag == listed[written.href], (written.etag, read.etag)
    return "same bytes" if read.ics == event(uid) else "rewritten"


def create_race(target: Target) -> str:
    """Eight writers, eight different events, one name."""
    href = f"{target.client.path}{_uid()}.ics"

    def write(client: Client, number: int) -> bool:
        headers = {"If-None-Match": "*", "Content-Type": "text/calendar"}
        return client.wire.send("PUT", _at(target, href), event(f"{href[-20:-4]}-{number}"), headers).status < 300

    return f"{target.race(write)} of {WRITERS}"


def update_race(target: Target) -> str:
    """Eight writers hold the same etag; each that is told it succeeded counts."""
    uid = _uid()
    written = target.client.create(uid, event(uid))

    def write(client: Client, number: int) -> bool:
        return bool(client.replace(written.href, event(uid, f"Version {number}"), written.etag))

    return f"{target.race(write)} of {WRITERS}"


def delete_race(target: Target) -> str:
    """Eight writers delete; the event is gone and nobody is told that it is still there."""
    uid = _uid()
    written = target.client.create(uid, event(uid))
    target.race(lambda client, _: client.delete(written.href, written.etag))
    assert target.client.read(written.href) is None
    return "yes"


def stale_update(target: Target) -> str:
    """An update with an old etag is refused."""
    uid = _uid()
    first = target.client.create(uid, event(uid))
    target.client.replace(first.href, event(uid, "Second"), first.etag)
    return _refused(lambda: target.client.replace(first.href, event(uid, "Third"), first.etag))


def stale_delete(target: Target) -> str:
    """A deletion with an old etag is refused."""
    uid = _uid()
    first = target.client.create(uid, event(uid))
    target.client.replace(first.href, event(uid, "Second"), first.etag)
    return _refused(lambda: target.client.delete(first.href, first.etag))


def follow(target: Target) -> str:
    """After creating, changing, renaming and deleting, the mirror is what the server has."""
    mirror, uids = Mirror(target.client), [_uid() for _ in range(3)]
    written = [target.client.create(uid, event(uid)) for uid in uids]
    mirror.pull()
    assert set(uids) <= mirror.names
    target.client.replace(written[0].href, event(uids[0], "Changed"), written[0].etag)
    target.client.delete(written[1].href, written[1].etag)
    moved = target.client.wire.send(
        "MOVE", _at(target, written[2].href), headers={"Destination": _at(target, written[2].href[:-4] + "-moved.ics")}
    )
    pulled = mirror.pull()
    assert any(reading.href == written[0].href for reading in pulled.readings), "the change was not seen"
    assert uids[1] not in mirror.names and {uids[0], uids[2]} <= mirror.names
    return f"{pulled.state.lower()}, rename {'followed' if moved.status < 300 else 'refused'}"


def bogus_token(target: Target) -> str:
    """A token that the server never gave leads to a full comparison, at the latest on schedule."""
    mirror, uid = Mirror(target.client), _uid()
    mirror.pull()
    target.client.create(uid, event(uid))
    if mirror.known.state != "IDLE":
        return "no tokens"
    mirror.change(sync_token="http://nowhere.invalid/never-given")
    pulled = mirror.pull()
    if pulled.full:
        assert uid in mirror.names
        return "told"
    mirror.change(last_full_at=0)
    mirror.pull()
    assert uid in mirror.names
    return "silent"


def lost_token(target: Target) -> str:
    """Without a token everything is compared and nothing is fetched twice."""
    mirror, uid = Mirror(target.client), _uid()
    target.client.create(uid, event(uid))
    mirror.pull()
    mirror.change(sync_token="")
    pulled = mirror.pull()
    assert pulled.full and not pulled.readings and uid in mirror.names
    return "yes"


def kept(target: Target) -> str:
    """What the coach's app added survives a move by us."""
    uid = _uid()
    alarm = "BEGIN:VALARM\r\nACTION:DISPLAY\r\nDESCRIPTION:x\r\nTRIGGER:-PT10M\r\nEND:VALARM\r\n"
    written = target.client.create(uid, event(uid, extra=f"X-HER-COLOUR:teal\r\n{alarm}"))
    there = target.client.read(written.href)
    assert there is not None
    changes = EventChanges(sequence=1, stamp=1_795_406_400, start=1_796_000_400, end=1_796_004_000)
    target.client.replace(there.href, patch(there.ics, changes), there.etag)
    after = target.client.read(written.href)
    assert after is not None and b"20261130T010000Z" in after.ics
    return "yes" if b"X-HER-COLOUR:teal" in after.ics and b"TRIGGER:-PT10M" in after.ics else "no"


def availability(target: Target) -> str:
    """Does the server store a VAVAILABILITY object (RFC 7953), in a calendar not made for events only? Nice to have."""
    uid = _uid()
    url = f"{target.account.url.rstrip('/')}-open/"
    made = target.client.wire.send("MKCALENDAR", url).status < 300
    body = (
        "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//tests//EN\r\nBEGIN:VAVAILABILITY\r\n"
        f"UID:{uid}\r\nDTSTAMP:20261101T000000Z\r\nBEGIN:AVAILABLE\r\nUID:{uid}-1\r\nDTSTAMP:20261101T000000Z\r\n"
        "DTSTART:20261201T030000Z\r\nDTEND:20261201T090000Z\r\nEND:AVAILABLE\r\nEND:VAVAILABILITY\r\nEND:VCALENDAR\r\n"
    )
    where = f"{url if made else target.client.url}{uid}.ics"
    stored = target.client.wire.send("PUT", where, body.encode(), {"Content-Type": "text/calendar; charset=utf-8"})
    target.client.wire.send("DELETE", url if made else where)
    return "yes" if stored.status < 300 else "no"


def _refused(write: Callable[[], object]) -> str:
    try:
        write()
    except CalendarChanged:
        return "yes"
    return "no"


def _at(target: Target, href: str) -> str:
    parts = urlsplit(target.account.url)
    return f"{parts.scheme}://{parts.netloc}{href}"


def _uid() -> str:
    return f"conformance-{secrets.token_hex(8)}"


def no_etags(target: Target) -> str:
    """Where no etag is given at all, an update goes through and never over somebody else's."""
    return _careful(target, lambda reply: etag_as(reply, None)._replace(body=ETAG.sub(b"", reply.body)))


def weak_etags(target: Target) -> str:
    """The same where every etag is a weak one, as behind a proxy that compresses."""
    return _careful(target, lambda reply: etag_as(reply, "W/"))


def cut_listing(target: Target) -> str:
    """What a listing leaves out is asked for before it counts as gone."""
    uids = [_uid() for _ in range(3)]
    for uid in uids:
        target.client.create(uid, event(uid))
    cut = re.compile(re.escape(uids[0].encode()))

    def tamper(reply: Reply) -> Reply:
        listing = reply.status == 207 and b"calendar-data" not in reply.body
        return (
            reply._replace(body=ROW.sub(lambda row: b"" if cut.search(row[0]) else row[0], reply.body))
            if listing
            else reply
        )

    mirror = Mirror(target.client)
    mirror.pull()
    with Client(Tampered(target, tamper)) as client:
        mirror.client = client
        mirror.change(sync_token="", ctag="")
        mirror.pull()
    assert set(uids) <= mirror.names, "an event that was there counted as gone"
    return "yes"


def _careful(target: Target, tamper: Tamper) -> str:
    uid = _uid()
    with Client(Tampered(target, tamper)) as client:
        client.create(uid, event(uid))
        href = f"{client.path}{uid}.ics"
        there = client.read(href)
        assert there is not None
        client.replace(href, event(uid, "Moved"), there.etag)
        now = target.client.read(href)
        assert now is not None and b"SUMMARY:Moved" in now.ics, "the update did not arrive"
        target.client.replace(href, event(uid, "Hers"), now.etag)
        return _refused(lambda: client.replace(href, event(uid, "Ours"), there.etag))


CHECKS: dict[str, Callable[[Target], str]] = {
    "create once": create,
    "etag, body": etags,
    "create race": create_race,
    "update race": update_race,
    "delete race": delete_race,
    "stale update refused": stale_update,
    "stale delete refused": stale_delete,
    "sync": follow,
    "listing cut": cut_listing,
    "bogus token": bogus_token,
    "lost token": lost_token,
    "no etags": no_etags,
    "weak etags": weak_etags,
    "her additions kept": kept,
    "VAVAILABILITY": availability,
}
