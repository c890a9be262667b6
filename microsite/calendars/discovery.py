"""Finding a person's calendars from a web address, a domain or an e-mail address (RFC 6764, RFC 5397, RFC 4791 6.2.1).

Its errors are sentences a coach can act on. Passwords go to the host she named, to hosts of the same domain, and to
known providers; never to another host that an unprotected DNS answer names.
"""

from collections.abc import Callable
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING
from typing import NamedTuple
from urllib.parse import urljoin
from urllib.parse import urlsplit

from microsite.calendars import addresses
from microsite.calendars import dav
from microsite.calendars import providers
from microsite.calendars.refusals import raise_for
from microsite.calendars.wire import MAX_LISTING
from microsite.calendars.wire import Wire
from microsite.core.mirror import Account
from microsite.core.mirror import Found
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnsafe

if TYPE_CHECKING:
    from publicsuffixlist import PublicSuffixList

    from microsite.calendars.embedded import Embedded

MAX_REDIRECTS = 3
_NOT_CALENDARS = {"schedule-inbox", "schedule-outbox", "subscribed", "notification"}
_WRITING = {"write", "write-content", "bind", "all"}


class Service(NamedTuple):
    """Where the DNS says that a domain's calendars are (SRV and TXT records)."""

    host: str
    port: int
    path: str


Lookup = Callable[[str], list[Service]]


def discover(
    start: str,
    username: str,
    password: str,
    deadline_seconds: float,
    allowed: frozenset[str] = frozenset(),
    embedded: "Embedded | None" = None,
    lookup: Lookup | None = None,
    bearer: str = "",
) -> list[Found]:
    """The calendars of this account. Raises CalendarRefused, CalendarMissing, CalendarUnsafe or CalendarUnreachable."""
    start = start.strip()
    username = username or (start if "@" in start and "://" not in start else "")
    inside = embedded if addresses.is_embedded(start) else None
    account = Account(calendar="discovery", url=start, username=username, password=password, bearer=bearer)
    wire = Wire(account, embedded=inside, allowed=allowed)
    wire.start(deadline_seconds)
    try:
        return _first(_Search(wire, url).calendars for url in _starts(start, lookup or srv))
    except CalendarRefused as e:
        if bearer:
            raise
        raise _explained(e, start) from e
    finally:
        wire.close()


def srv(domain: str) -> list[Service]:
    """Ask the DNS for `_caldavs._tcp` of this domain, the best first; an empty list where there is no answer."""
    import dns.exception
    import dns.resolver

    name = f"_caldavs._tcp.{domain}"
    try:
        records = sorted(dns.resolver.resolve(name, "SRV", lifetime=5), key=lambda r: (r.priority, -r.weight))
    except dns.exception.DNSException:
        return []
    try:
        texts = [
            part.decode("utf-8", "replace") for r in dns.resolver.resolve(name, "TXT", lifetime=5) for part in r.strings
        ]
    except dns.exception.DNSException:
        texts = []
    path = next((text[5:] for text in texts if text.startswith("path=")), "/.well-known/caldav")
    found = [Service(str(record.target).rstrip("."), int(record.port), path) for record in records]
    return [service for service in found if service.host]


def _starts(start: str, lookup: Lookup) -> Iterator[str]:
    """Addresses to try, the likeliest first."""
    if "://" in start:
        if start.lower().startswith("webcal://"):
            raise CalendarMissing("this is a published feed: it can be added as it is, without a password")
        yield start
        yield urljoin(start, "/.well-known/caldav")
        return
    domain = start.rpartition("@")[2].lower()
    profile = providers.of_domain(domain)
    if profile.bearer_only:
        raise CalendarRefused("this provider gives no access by password: connect it by signing in there")
    if profile.start:
        yield profile.start
        return
    for service in lookup(domain):
        if not _trusted(service.host, domain):
            raise CalendarUnsafe(f"the domain points to {service.host}: if you trust it, enter https://{service.host}/")
        port = "" if service.port == 443 else f":{service.port}"
        yield f"https://{service.host}{port}{service.path}"
    yield f"https://{domain}/.well-known/caldav"
    yield f"https://{domain}/"


def _first(searches: "Iterator[Callable[[], list[Found]]]") -> list[Found]:
    """The first search that finds anything; else the refusal, if there was one, else the last thing that went wrong."""
    failure: CalendarError = CalendarMissing("there is no calendar server at this address")
    for search in searches:
        try:
            found = search()
        except CalendarRefused:
            raise
        except CalendarError as e:
            failure = e
            continue
        if found:
            return found
        failure = CalendarMissing("the sign-in works, but there is no calendar for events here yet")
    raise failure


class _Search:
    """From one address to the calendars behind it: principal, home, calendars."""

    def __init__(self, wire: Wire, url: str) -> None:
        self._wire, self._url = wire, url
        self._origin = urlsplit(url).hostname or ""

    def calendars(self) -> list[Found]:
        """All calendars of the person, or the one that the address itself is."""
        url, row = self._one(self._url, "D:current-user-principal", "C:calendar-home-set", "D:resourcetype")
        home = row.link("calendar-home-set")
        if not home:
            principal = row.link("current-user-principal")
            if principal:
                url, row = self._one(self._join(url, principal), "C:calendar-home-set")
                home = row.link("calendar-home-set")
        if not home:
            home = url if "calendar" in row.types or "collection" in row.types else ""
        if not home:
            raise CalendarMissing("this is a server, but it says nothing of calendars for this name")
        return self._in(self._join(url, home))

    def _in(self, home: str) -> list[Found]:
        properties = ("D:displayname", "D:resourcetype", "C:supported-calendar-component-set")
        home, rows = self._propfind(home, "1", *properties, "D:current-user-privilege-set")
        return [
            Found(
                url=urljoin(home, row.href),
                name=row.name or row.href.rstrip("/").rpartition("/")[2],
                writable=not row.privileges or bool(_WRITING & set(row.privileges)),
                components=list(row.components),
            )
            for row in rows
            if "calendar" in row.types
            and not _NOT_CALENDARS & set(row.types)
            and (not row.components or "VEVENT" in row.components)
        ]

    def _one(self, url: str, *properties: str) -> tuple[str, dav.Row]:
        url, rows = self._propfind(url, "0", *properties)
        if not rows:
            raise CalendarMissing("this is not a calendar server")
        return url, rows[0]

    def _propfind(self, url: str, depth: str, *properties: str) -> tuple[str, list[dav.Row]]:
        headers = {"Content-Type": "application/xml; charset=utf-8", "Depth": depth}
        for _ in range(MAX_REDIRECTS + 1):
            reply = self._wire.send("PROPFIND", url, dav.propfind(*properties), headers, MAX_LISTING, redirects=True)
            if reply.status // 100 != 3:
                break
            url = self._join(url, reply.headers.get("Location") or "")
        else:
            raise CalendarUnsafe("the server sends us from one address to the next without end")
        if reply.status in (200, 404, 405, 410, 501):
            raise CalendarMissing("this is not a calendar server")
        raise_for(reply)
        return url, dav.read(reply.body).rows

    def _join(self, base: str, link: str) -> str:
        """The address a server points to, if the password may be taken there."""
        try:
            url = urljoin(base, link)
            parts = urlsplit(url)
        except ValueError:
            raise CalendarUnsafe("the server points to an address that cannot be read") from None
        if urlsplit(self._url).scheme == "https" and parts.scheme != "https":
            raise CalendarUnsafe("the server points to an address without encryption")
        if not _trusted(parts.hostname or "", self._origin):
            raise CalendarUnsafe(f"the server points to another one: if you trust it, enter https://{parts.hostname}/")
        return url


def _trusted(host: str, origin: str) -> bool:
    """Same host, same domain (as somebody can register it: under `co.id` everybody can), or a provider we know."""
    if host == origin:
        return True
    if addresses.is_literal(host) or addresses.is_literal(origin):
        return False
    domain = _suffixes().privatesuffix(origin)
    same = domain is not None and (host == domain or host.endswith(f".{domain}"))
    return same or providers.choose("", f"https://{host}/").name != "default"


@cache
def _suffixes() -> "PublicSuffixList":
    from publicsuffixlist import PublicSuffixList  # some thousand rules, read when first needed

    return PublicSuffixList()


def _explained(error: CalendarRefused, start: str) -> CalendarRefused:
    domain = (urlsplit(start).hostname or "") if "://" in start else start.rpartition("@")[2]
    profile = providers.of_domain(domain)
    if profile.name == "default":
        profile = providers.choose("", f"https://{domain}/")
    if profile.bearer_only:
        return CalendarRefused("this provider gives no access by password: connect it by signing in there")
    if profile.app_password:
        return CalendarRefused("the name or password is wrong; this provider wants an app password, not your usual one")
    return CalendarRefused("the name or password is wrong; with two-factor sign-in an app password is needed")
