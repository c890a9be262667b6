"""The few WebDAV and CalDAV documents we send, and how replies are read. Pure: bytes in, values out.

Replies are read as a stream, one `<response>` at a time; document types and entities are refused.
"""

import hashlib
import re
from collections.abc import Iterable
from io import BytesIO
from typing import NamedTuple
from urllib.parse import quote
from urllib.parse import unquote
from urllib.parse import urlsplit
from xml.etree.ElementTree import Element
from xml.etree.ElementTree import ParseError
from xml.sax.saxutils import escape

from defusedxml.common import DefusedXmlException  # type: ignore[import-untyped]
from defusedxml.ElementTree import iterparse  # type: ignore[import-untyped]

from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

_NAMESPACES = 'xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:S="http://calendarserver.org/ns/"'
_D, _C, _S = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}", "{http://calendarserver.org/ns/}"
GONE = frozenset({404, 410, 418})
"""Statuses that mean "no longer here"; 418 is what some servers say for a deletion."""

_MAX_DEPTH = 50
_UNRESERVED = "@:!$&'()*+,;=~-._"


class Row(NamedTuple):
    """One `<response>`: `status` is the resource's own; a property that has no value is an empty text."""

    href: str
    status: int = 200
    etag: str = ""
    data: str = ""
    availability: str = ""
    ctag: str = ""
    token: str = ""
    name: str = ""
    types: tuple[str, ...] = ()
    components: tuple[str, ...] = ()
    privileges: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def is_gone(self) -> bool:
        """Did the server say that this resource is no longer there?"""
        return self.status in GONE

    def link(self, name: str) -> str:
        """The first href inside the property of this local name, or nothing."""
        return next((href for key, href in self.links if key == name), "")


class Multi(NamedTuple):
    """A multistatus reply; `truncated` is RFC 6578 3.6: more is to come, ask again with `token`."""

    rows: list[Row]
    token: str = ""
    truncated: bool = False


def norm(href: str) -> str:
    """One spelling for a path, however the server escaped it (an encoded slash stays encoded, `@` stays bare)."""
    path = urlsplit(href).path if "://" in href else href.split("?")[0].split("#")[0]
    return "/".join(quote(unquote(part), safe=_UNRESERVED) for part in path.split("/"))


def href_of(collection: str, uid: str) -> str:
    """The path of our own object: the UID as its name, hashed where a server might not take it. Never the slot."""
    plain = re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}", uid)
    name = uid if plain else hashlib.sha256(uid.encode()).hexdigest()
    return f"{norm(collection).rstrip('/')}/{name}.ics"


def href_in(collection: str, name: str) -> str:
    """The path of the object that has this name in a collection."""
    return f"{collection.rstrip('/')}/{quote(name, safe=_UNRESERVED)}"


def strong(etag: str) -> str:
    """The etag if it may stand in `If-Match`, else nothing. Etags are opaque, some servers leave out the quotes."""
    etag = etag.strip()
    return "" if not etag or etag == "*" or etag[:2] in ("W/", "w/") or etag.startswith(FINGERPRINT) else etag


FINGERPRINT = "sha256:"
"""Begins what stands in for the etag of an object to which the server gives none."""


def propfind(*properties: str) -> bytes:
    """A PROPFIND body for properties written with the prefixes D:, C: and S:."""
    return _document("D:propfind", f"<D:prop>{''.join(f'<{name}/>' for name in properties)}</D:prop>")


def sync_collection(token: str) -> bytes:
    """A sync-collection REPORT (RFC 6578); never with a limit, which makes some servers skip the rest for good."""
    body = f"<D:sync-token>{escape(token)}</D:sync-token><D:sync-level>1</D:sync-level>"
    return _document("D:sync-collection", f"{body}<D:prop><D:getetag/></D:prop>")


def multiget(hrefs: Iterable[str]) -> bytes:
    """A calendar-multiget REPORT (RFC 4791 7.9)."""
    wanted = "".join(f"<D:href>{escape(href)}</D:href>" for href in hrefs)
    return _document("C:calendar-multiget", f"<D:prop><D:getetag/><C:calendar-data/></D:prop>{wanted}")


def by_uid(uid: str) -> bytes:
    """A calendar-query REPORT for one UID (broken on some servers: the caller checks what comes back)."""
    match = f'<C:prop-filter name="UID"><C:text-match collation="i;octet">{escape(uid)}</C:text-match></C:prop-filter>'
    inner = f'<C:comp-filter name="VEVENT">{match}</C:comp-filter>'
    body = f'<C:filter><C:comp-filter name="VCALENDAR">{inner}</C:comp-filter></C:filter>'
    return _document("C:calendar-query", f"<D:prop><D:getetag/><C:calendar-data/></D:prop>{body}")


def mkcalendar(title: str) -> bytes:
    """A MKCALENDAR body (RFC 4791 5.3.1): a name, and events only."""
    components = '<C:supported-calendar-component-set><C:comp name="VEVENT"/></C:supported-calendar-component-set>'
    props = f"<D:displayname>{escape(title)}</D:displayname>{components}"
    return _document("C:mkcalendar", f"<D:set><D:prop>{props}</D:prop></D:set>")


def read(body: bytes) -> Multi:
    """Read a multistatus. CalendarUnsafe for a document type or entity, CalendarUnreachable for a cut or wrong one."""
    rows: list[Row] = []
    token, truncated, inside, seen, depth = "", False, False, False, 0
    try:
        for event, element in iterparse(BytesIO(body), events=("start", "end"), forbid_dtd=True):
            depth += 1 if event == "start" else -1
            if depth > _MAX_DEPTH:
                raise CalendarUnsafe("the reply was nested beyond reason and was dropped")
            if event == "start":
                seen = seen or element.tag == f"{_D}multistatus"
                inside = inside or element.tag == f"{_D}response"
            elif element.tag == f"{_D}response":
                row = _row(element)
                truncated = truncated or row.status == 507
                rows.append(row)
                inside = False
                element.clear()
            elif element.tag == f"{_D}sync-token" and not inside:
                token = (element.text or "").strip()
    except ParseError as e:
        raise CalendarUnreachable("the calendar server's reply was cut short or is no calendar reply") from e
    except DefusedXmlException as e:
        raise CalendarUnsafe("the reply held a document type or entities and was dropped") from e
    if not seen:
        raise CalendarUnreachable("the server's reply is no calendar reply")
    return Multi([row for row in rows if row.status != 507], token, truncated)


def _document(root: str, inner: str) -> bytes:
    return f'<?xml version="1.0" encoding="utf-8"?><{root} {_NAMESPACES}>{inner}</{root}>'.encode()


def _row(response: Element) -> Row:
    href = norm((response.findtext(f"{_D}href") or "").strip())
    own = response.findtext(f"{_D}status")
    status = _code(own)
    properties: dict[str, Element] = {}
    for propstat in response.iterfind(f"{_D}propstat"):
        code = _code(propstat.findtext(f"{_D}status"))
        if code // 100 == 2:
            properties.update({child.tag: child for prop in propstat.iterfind(f"{_D}prop") for child in prop})
        elif own is None and code in (410, 418):
            status = code
    return _filled(href, status, properties)


def _filled(href: str, status: int, properties: dict[str, Element]) -> Row:
    def text(tag: str) -> str:
        found = properties.get(tag)
        return (found.text or "") if found is not None else ""

    types = properties.get(f"{_D}resourcetype")
    components = properties.get(f"{_C}supported-calendar-component-set")
    privileges = properties.get(f"{_D}current-user-privilege-set")
    links = [
        (tag.rpartition("}")[2], (href.text or "").strip())
        for tag, found in properties.items()
        for href in found.iter(f"{_D}href")
    ]
    return Row(
        href,
        status,
        etag=text(f"{_D}getetag").strip(),
        data=text(f"{_C}calendar-data"),
        availability=text(f"{_C}calendar-availability"),
        ctag=text(f"{_S}getctag").strip(),
        token=text(f"{_D}sync-token").strip(),
        name=text(f"{_D}displayname").strip(),
        types=tuple(_local(child) for child in types) if types is not None else (),
        components=tuple(c.get("name", "") for c in components) if components is not None else (),
        privileges=tuple(_local(leaf) for leaf in privileges.iter()) if privileges is not None else (),
        links=tuple(links),
    )


def _local(element: Element) -> str:
    return element.tag.rpartition("}")[2]


def _code(line: str | None) -> int:
    """The number in `HTTP/1.1 404 Not Found`; no line at all means that all is well."""
    found = re.search(r"\b([1-5]\d\d)\b", line or "")
    return int(found[1]) if found else 200
