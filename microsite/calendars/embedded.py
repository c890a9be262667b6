"""The built-in CalDAV server for a coach who has none: Radicale, mounted at /dav and reached in-process.

Owns the mount, its users and what its log may say. The conversation with it is `client`'s, as with any other server.
Two Radicale applications share one folder and its file locks: the mounted one asks for passwords, the inner one trusts
`REMOTE_USER` and has no address at all, so the site's own calls cost no password hash and touch no port.
"""

import fcntl
import logging
import os
import re
import tempfile
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import unquote
from urllib.parse import urlsplit

import bcrypt
from radicale import config as radicale_config
from radicale.app import Application

from microsite.calendars.addresses import EMBEDDED_HOST
from microsite.calendars.files import Files
from microsite.calendars.logins import Entry
from microsite.calendars.logins import Logins
from microsite.errors import StartRefused

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment


MOUNT = "/dav"
MAX_BODY = 5 * 1024 * 1024
BCRYPT_ROUNDS = 10
CHANGES = frozenset("PUT DELETE MOVE MKCALENDAR MKCOL PROPPATCH POST".split())
HEADERS = (
    ("Cache-Control", "private, no-store"),
    ("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
    ("Referrer-Policy", "same-origin"),
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "DENY"),
    ("X-Robots-Tag", "noindex, nofollow, noarchive"),
)
_NOT_FROM_OUTSIDE = (
    "REMOTE_USER",
    "HTTP_REMOTE_USER",
    "HTTP_X_REMOTE_USER",
    "HTTP_X_REMOTE_ADDR",
    "HTTP_X_SCRIPT_NAME",
    # Radicale takes these as a sign of a proxy and then strips the mount from paths that merely begin like it:
    # the calendar /david/ would be read as /id/.
    "HTTP_X_FORWARDED_FOR",
    "HTTP_X_FORWARDED_HOST",
    "HTTP_X_FORWARDED_PROTO",
    "HTTP_X_FORWARDED_SERVER",
)


class _Discreet(logging.Filter):
    """Radicale's own errors name paths and tracebacks; only the place in its code may reach the log."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Blank what the record says, keep where it came from."""
        if os.sep + "radicale" + os.sep in record.pathname:
            record.msg, record.args = f"embedded calendar: {record.levelname} in {record.funcName}", ()
            record.exc_info = record.exc_text = record.stack_info = None
        return True


_DISCREET = _Discreet()


def dav_app(folder: Path, htpasswd: Path) -> "WSGIApplication":
    """Radicale over `folder`, each user owning only her own part, passwords from `htpasswd` (bcrypt)."""
    _private_file(htpasswd)
    _refuse_damaged(htpasswd)
    auth = {
        "type": "htpasswd",
        "htpasswd_filename": str(htpasswd),
        "htpasswd_encryption": "bcrypt",
        "cache_logins": "True",
    }
    return _radicale(folder, auth)


def inner_app(folder: Path) -> "WSGIApplication":
    """The same server without passwords: whoever calls it names the user in `REMOTE_USER`. Never mount this one."""
    return _radicale(folder, {"type": "remote_user"})


def _radicale(folder: Path, auth: dict[str, str]) -> "WSGIApplication":
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    for name in ("radicale", ""):
        logging.getLogger(name).addFilter(_DISCREET)  # once: the same object is never added twice
    logging.getLogger("radicale").setLevel(logging.ERROR)
    settings = radicale_config.load()
    changes = {
        "auth": {**auth, "delay": "0", "realm": "Calendar"},  # a delay would sleep in one of the few web threads
        "rights": {"type": "owner_only"},
        "storage": {"filesystem_folder": str(folder)},
        "web": {"type": "none"},
        "logging": {"level": "error", "mask_passwords": "True", "bad_put_request_content": "False"},
        "server": {"delay_on_error": "0", "max_content_length": "7000000", "max_resource_size": str(MAX_BODY)},
    }
    settings.update(changes, "embedded", privileged=True)
    app: WSGIApplication = Application(settings)
    return app


class Embedded:
    """The mount: trusted headers taken off, bodies bounded, and `on_change` told which collection was changed.

    `on_change` gets a path such as `/coach/open/`, after the change is on disk; it must be quick and must not raise.
    It hears of outside writes only: the site knows its own.
    """

    def __init__(
        self,
        app: "WSGIApplication",
        on_change: Callable[[str], None],
        inner: "WSGIApplication | None" = None,
        files: Files | None = None,
    ) -> None:
        self._app, self._on_change, self._inner, self.files = app, on_change, inner, files
        self._logins = Logins()

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one outside request (WSGI), mounted anywhere."""
        for name in _NOT_FROM_OUTSIDE:
            environ.pop(name, None)
        # PEP 3333 hands the path over as latin-1; Radicale wants the text itself.
        environ["PATH_INFO"] = environ.get("PATH_INFO", "").encode("latin-1").decode("utf-8", "replace")
        start_response = _with_headers(start_response)
        header = environ.get("HTTP_AUTHORIZATION", "")
        refusal = _name_destination_by_path(environ) or _bound_body(environ)
        entry: Entry = "refused" if refusal else self._logins.enter(header)
        if entry == "refused":
            headers = [("Content-Type", "text/plain"), ("Content-Length", "0"), ("Retry-After", "1")]
            start_response(refusal or "429 Too Many Requests", headers)
            return []
        status: list[str] = []

        def listen(line: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
            status.append(line)
            return start_response(line, headers, *rest)

        try:
            answer = self._app(environ, listen)
        finally:
            self._logins.leave(header, entry, int(status[-1][:3]) if status else 0)
        if environ.get("REQUEST_METHOD", "").upper() in CHANGES and status and status[-1].startswith("2"):
            for collection in _touched(environ):
                self._on_change(collection)
        return answer

    def inside(self, username: str) -> "WSGIApplication":
        """The server as the site's own calls of this user meet it; without a name, the user is the path's owner."""

        def app(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
            path = environ.get("PATH_INFO", "").removeprefix(MOUNT) or "/"
            environ["SCRIPT_NAME"], environ["PATH_INFO"] = MOUNT, path
            if self._inner is None:
                return self._app(environ, start_response)
            environ.pop("HTTP_AUTHORIZATION", None)
            environ["REMOTE_USER"] = username or path.split("/")[1]
            return self._inner(environ, start_response)

        return app


def open_embedded(folder: Path, htpasswd: Path, on_change: Callable[[str], None]) -> Embedded:
    """The embedded server over `folder`, ready to be mounted at /dav and to be reached in-process."""
    return Embedded(dav_app(folder, htpasswd), on_change, inner_app(folder), Files(folder / "collection-root", MOUNT))


def add_user(htpasswd: Path, user: str, password: str) -> None:
    """Give `user` this password (a new one replaces the old). The file is written whole, mode 0600."""
    if not user or set(user) & set(":/\n\r"):
        raise ValueError("a calendar user's name holds no colon, slash or line end")
    digest = bcrypt.hashpw(password.encode()[:72], bcrypt.gensalt(BCRYPT_ROUNDS)).decode()
    _write_users(htpasswd, [*_others(htpasswd, user), f"{user}:{digest}"])


def remove_user(embedded: Embedded, htpasswd: Path, user: str) -> None:
    """Let `user` in no more, then delete every calendar of hers; no error where there is nothing of her."""
    from microsite.calendars.client import Client
    from microsite.calendars.wire import Wire
    from microsite.core.mirror import Account

    _write_users(htpasswd, _others(htpasswd, user))
    url = f"http://{EMBEDDED_HOST}{MOUNT}/{user}/"
    with Client(Wire(Account(calendar=user, url=url, username=user), embedded=embedded)) as client:
        client.remove_collection()


def _others(htpasswd: Path, user: str) -> list[str]:
    """The lines of everybody else."""
    _private_file(htpasswd)
    return [line for line in htpasswd.read_text("utf-8").splitlines() if line and line.split(":")[0] != user]


def _write_users(htpasswd: Path, lines: list[str]) -> None:
    descriptor, name = tempfile.mkstemp(dir=htpasswd.parent, prefix=".htpasswd-")  # made with mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write("".join(f"{line}\n" for line in lines))
        out.flush()
        os.fsync(out.fileno())
    Path(name).replace(htpasswd)


def make_calendar(embedded: Embedded, user: str, name: str, title: str) -> str:
    """Make the calendar `name` of `user` (MKCALENDAR, VEVENT only; no error if it is there); its in-process address."""
    from microsite.calendars.client import Client
    from microsite.calendars.wire import Wire
    from microsite.core.mirror import Account

    url = f"http://{EMBEDDED_HOST}{MOUNT}/{user}/{name}/"
    with Client(Wire(Account(calendar=name, url=url, username=user), embedded=embedded)) as client:
        client.make_calendar(title)
    return url


@contextmanager
def held_still(folder: Path) -> Iterator[None]:
    """While this lasts nobody writes to a calendar of the embedded server; everybody may read. Any process may hold it.

    The lock is Radicale's own (its storage takes the same one, alone, for every change).
    """
    if not folder.is_dir():
        yield
        return
    with (folder / ".Radicale.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_SH)
        yield


def _private_file(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    path.touch(mode=0o600)


def _refuse_damaged(htpasswd: Path) -> None:
    """Raises StartRefused where a line is not a user and a bcrypt hash: Radicale would end with a trace."""
    lines = htpasswd.read_bytes().splitlines()
    if not all(re.fullmatch(rb"[^:]+:\$2[aby]\$[\x21-\x7e]{56}", line) for line in lines if line):
        raise StartRefused(
            f"{htpasswd} is damaged; move it away (mv), start again, and give each coach a new calendar password:"
            " microsite calendar app-password"
        )


def _bound_body(environ: "WSGIEnvironment") -> str:
    """Refuse a body over the limit; give Radicale, which reads no chunks, a body of known length."""
    length = environ.get("CONTENT_LENGTH") or ""
    if length and not (length.isascii() and length.isdigit()):
        return "400 Bad Request"
    if length:
        return "413 Content Too Large" if int(length) > MAX_BODY else ""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        body = environ["wsgi.input"].read(MAX_BODY + 1)
        if len(body) > MAX_BODY:
            return "413 Content Too Large"
        environ["wsgi.input"], environ["CONTENT_LENGTH"] = BytesIO(body), str(len(body))
    return ""


def _name_destination_by_path(environ: "WSGIEnvironment") -> str:
    """Behind a TLS proxy Radicale takes the site's own https address for another server's and refuses every MOVE.

    Answers a refusal where an address cannot be read.
    """
    try:
        target = urlsplit(environ.get("HTTP_DESTINATION", ""))
        host = urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname
    except ValueError:
        return "400 Bad Request"
    if target.netloc and target.hostname == host:
        environ["HTTP_DESTINATION"] = target.path
    return ""


def _with_headers(start_response: "StartResponse") -> "StartResponse":
    """What a calendar app stores comes back as data only: never stored by a cache, never run or framed by a browser."""

    def start(line: str, headers: list[tuple[str, str]], *rest: Any) -> Callable[[bytes], object]:
        return start_response(line, [*headers, *HEADERS], *rest)

    return start


def _touched(environ: "WSGIEnvironment") -> set[str]:
    """The collections a change concerned. Under `owner_only` every calendar is two deep: /user/calendar/."""
    paths = [environ.get("PATH_INFO", "")]
    if environ.get("HTTP_DESTINATION"):
        target = unquote(urlsplit(environ["HTTP_DESTINATION"]).path)
        paths.append(target.removeprefix(environ.get("SCRIPT_NAME", "")))
    parts = [[part for part in path.split("/") if part][:2] for path in paths]
    return {f"/{'/'.join(part)}/" for part in parts if part}
