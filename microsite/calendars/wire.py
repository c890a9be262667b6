"""One account's connection: what may be contacted, how long it may take, how much may come back, and what it cost.

Owns HTTP (through niquests) and its dangers. What the requests mean is `dav`'s and `client`'s.
A `Wire` belongs to one thread; its session is kept alive between calls.
"""

import time
from collections.abc import Mapping
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple
from typing import cast
from urllib.parse import urlsplit

import niquests
from niquests.exceptions import RequestException
from niquests.extensions.sgi import WebServerGatewayInterface
from niquests.packages.urllib3.exceptions import HTTPError

from microsite.calendars import addresses
from microsite.core.mirror import Account
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

if TYPE_CHECKING:
    from microsite.calendars.embedded import Embedded

MAX_REPLY = 5 * 1024 * 1024
"""Bytes of one reply that carries events."""

MAX_LISTING = 16 * 1024 * 1024
"""Bytes of one listing: 20,000 rows of hrefs and etags are 5 to 7 MB, and are read as a stream."""

_CHUNK = 8192
_REPEATABLE = frozenset({"GET", "PROPFIND", "REPORT"})


class TooLarge(CalendarUnsafe):
    """The reply was larger than it may be; with fewer objects it might not be."""


class Reply(NamedTuple):
    """A whole reply. Header names are matched without case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def retry_after(self) -> int | None:
        """Seconds the server asked us to wait, if it named seconds (a date is left to our own back-off)."""
        value = self.headers.get("Retry-After") or ""
        return min(int(value), 86400) if value.isascii() and value.isdigit() else None


class _Request(NamedTuple):
    method: str
    url: str
    body: bytes
    headers: Mapping[str, str]
    cap: int
    ends_at: float
    redirects: bool


class _InProcess(WebServerGatewayInterface):
    """niquests' WSGI adapter without the header that makes Radicale answer gzip, which the adapter does not unpack."""

    def _create_environ(self, request: Any) -> dict[str, Any]:
        environ: dict[str, Any] = super()._create_environ(request)
        environ.pop("HTTP_ACCEPT_ENCODING", None)
        return environ


class Wire:
    """Requests to one account within one deadline, counted."""

    def __init__(
        self, account: Account, *, embedded: "Embedded | None" = None, allowed: frozenset[str] = frozenset()
    ) -> None:
        self.account, self._allowed = account, allowed
        self._session: Any = niquests.Session(
            disable_http2=True,
            disable_http3=True,
            retries=0,
            allow_incoming_cookies=False,
            revocation_configuration=None,  # a certificate check must not tell a third party whom we visit
        )
        self._session.trust_env = False  # no .netrc, no proxy variables
        self._session.headers["User-Agent"] = "microsite"
        if embedded is not None:
            self._session.mount(
                f"http://{addresses.EMBEDDED_HOST}/", _InProcess(cast(Any, embedded.inside(account.username)))
            )
        self._embedded = embedded is not None
        self.gap = 0.0
        """Seconds to leave between two requests, for servers that want it."""
        self.sent_at = 0.0
        """When the last request began, by the monotonic clock."""
        self.date: int | None = None
        """What the server's clock said in its last reply (UTC seconds), if it said anything."""
        self.start(20.0)

    def start(self, seconds: float) -> None:
        """Begin a call: everything until the next `start` shares this deadline and these counters."""
        self.ends_at = time.monotonic() + seconds
        self.requests = self.bytes = 0

    def left(self) -> float:
        """Seconds until the deadline."""
        return self.ends_at - time.monotonic()

    def close(self) -> None:
        """Give back the connections."""
        self._session.close()

    def send(
        self,
        method: str,
        url: str,
        body: bytes = b"",
        headers: Mapping[str, str] | None = None,
        cap: int = MAX_REPLY,
        seconds: float = 3600.0,
        redirects: bool = False,
    ) -> Reply:
        """One exchange. CalendarUnreachable: no (whole) answer in time; CalendarUnsafe: a limit or rule was broken.

        It gets what is left of the deadline, at most `seconds`. A redirect is never followed here; with `redirects` it
        is handed to the caller, else it is an error.
        """
        addresses.check(url, self._allowed, self._embedded)
        ends_at = time.monotonic() + min(seconds, self.left())
        request = _Request(method, url, body, headers or {}, cap, ends_at, redirects)
        try:
            return self._exchange(request)
        except niquests.exceptions.Timeout as e:
            raise CalendarUnreachable("the calendar server did not answer in time") from e
        except niquests.exceptions.SSLError as e:
            raise CalendarUnreachable("the calendar server's certificate is not accepted") from e
        except (RequestException, HTTPError, OSError) as e:
            if method not in _REPEATABLE or self.left() <= 0.5:
                raise CalendarUnreachable("the connection to the calendar server failed") from e
        try:  # a kept-alive connection may have been closed meanwhile; asking again does no harm
            return self._exchange(request)
        except (RequestException, HTTPError, OSError) as e:
            raise CalendarUnreachable("the connection to the calendar server failed") from e

    def _exchange(self, request: "_Request") -> Reply:
        if self.gap:
            time.sleep(max(0.0, min(self.sent_at + self.gap, request.ends_at) - time.monotonic()))
        self.sent_at = time.monotonic()
        left = request.ends_at - self.sent_at
        if left <= 0:
            raise CalendarUnreachable("the calendar server was too slow")
        self.requests += 1
        response = self._session.request(
            request.method,
            request.url,
            data=request.body or None,
            headers={**request.headers, **self._credentials()},
            timeout=left,
            stream=True,
            allow_redirects=False,
            hooks={"pre_send": [self._check_peer]},
        )
        try:
            return self._read(response, request)
        finally:
            response.close()

    def _read(self, response: Any, request: "_Request") -> Reply:
        parts: list[bytes] = []
        size = 0
        for chunk in response.iter_content(_CHUNK if self._embedded else -1):
            size += len(chunk)
            parts.append(chunk)
            if size > request.cap:
                raise TooLarge(f"a reply was larger than {request.cap // 1048576} MiB and was dropped")
            if time.monotonic() > request.ends_at:
                raise CalendarUnreachable("the calendar server was too slow")
        self.bytes += size
        self.date = _date(response.headers.get("Date") or "")
        status = int(response.status_code)
        if 300 <= status < 400 and status != 304 and not request.redirects:
            raise CalendarUnsafe("the server answered with a redirect, which is not followed: enter the final address")
        return Reply(status, response.headers, b"".join(parts))

    def _credentials(self) -> dict[str, str]:
        if self._embedded and not self.account.password:
            return {}
        return addresses.authorization(self.account)

    def _check_peer(self, request: Any, **_: Any) -> None:
        """Refuse a peer that the name led to after the check of the name (DNS rebinding), before anything is sent."""
        peer = getattr(request.conn_info, "destination_address", None)
        if peer and not addresses.is_allowed(urlsplit(request.url).hostname or "", str(peer[0]), self._allowed):
            raise CalendarUnsafe("the calendar's address leads into a private network")


def _date(header: str) -> int | None:
    try:
        return int(parsedate_to_datetime(header).timestamp())
    except (ValueError, OverflowError):
        return None
