"""Who asks from this very machine, for pages that are for its operator only."""

from ipaddress import ip_address
from typing import TYPE_CHECKING
from typing import Any
from urllib.parse import urlsplit

from flask import Flask

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

PAGES = frozenset({"/healthz", "/metrics"})
FORWARDED = ("HTTP_X_FORWARDED_FOR", "HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_VIA", "HTTP_X_FORWARDED_HOST")
LOCAL_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def wrap(app: Flask) -> None:
    """Let a monitor on this machine ask for `PAGES` by a loopback name: to it the site has no other host name."""
    inner: WSGIApplication = app.wsgi_app
    known = urlsplit(app.extensions["microsite"].config.address).netloc

    def answer(environ: "WSGIEnvironment", start_response: Any) -> Any:
        if environ.get("PATH_INFO") in PAGES and from_here(environ) and _local_name(environ):
            environ["HTTP_HOST"] = known
        return inner(environ, start_response)

    app.wsgi_app = answer  # type: ignore[method-assign]


def from_here(environ: "WSGIEnvironment") -> bool:
    """Whether a program on this machine asks for itself, not for somebody else as a proxy does."""
    if any(name in environ for name in FORWARDED):
        return False
    original = environ.get("werkzeug.proxy_fix.orig", environ)
    return _loopback(original.get("REMOTE_ADDR", ""))


def _local_name(environ: "WSGIEnvironment") -> bool:
    return urlsplit(f"//{environ.get('HTTP_HOST', '')}").hostname in LOCAL_NAMES


def _loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False
