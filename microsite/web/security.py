"""What every answer carries and what every question must pass: headers, fetch metadata, size limits.

The calendar server at /dav is mounted outside Flask and is touched by none of this.
"""

from collections.abc import Iterable
from http import HTTPStatus
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from flask import Flask
from flask import Response
from flask import request
from werkzeug.exceptions import Forbidden

from microsite.services import get_services

from . import embed

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
    "connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
DESK_POLICY = f"{POLICY}; worker-src 'self'; require-trusted-types-for 'script'; trusted-types vault"
"""At the desk names and notes are opened: no text becomes a script, and one Worker at one address may run."""
DENIED = (
    "accelerometer autoplay browsing-topics camera display-capture encrypted-media fullscreen geolocation gyroscope"
    " magnetometer microphone midi payment picture-in-picture screen-wake-lock usb xr-spatial-tracking"
).split()
ALWAYS = {
    "Content-Security-Policy": POLICY,
    "Permissions-Policy": ", ".join(f"{name}=()" for name in DENIED),
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Embedder-Policy": "require-corp",
}
DOCUMENTS = frozenset({"Permissions-Policy", "Cross-Origin-Opener-Policy"})
"""What browsers heed on documents only: 370 bytes less for each style, script, font and picture."""
OF_FILES = {name: value for name, value in ALWAYS.items() if name not in DOCUMENTS}
TRANSPORT = "max-age=63072000; includeSubDomains"
"""Two years; sent over https only."""
VARY = ("HX-Request", "HX-History-Restore-Request")
"""One URL answers a page or a fragment. The language is in the path, so Accept-Language is not looked at."""
PERSONAL = frozenset({"manage", "written", "desk", "status"})
"""Blueprints whose pages belong to one person."""
SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
BODY_MAX = 16 * 1024
PAUSE = 120
"""Seconds after which it is worth asking again when times cannot be shown."""


def init_app(app: Flask) -> None:
    """Register the limits, the check before unsafe methods, and the headers."""
    app.config.update(MAX_CONTENT_LENGTH=BODY_MAX, MAX_FORM_MEMORY_SIZE=BODY_MAX, MAX_FORM_PARTS=32)
    app.config["TRUSTED_HOSTS"] = app.extensions["microsite"].config.trusted_hosts
    if app.extensions["microsite"].config.https:
        app.wsgi_app = _reached_by_https(app.wsgi_app)  # type: ignore[assignment, method-assign]
    app.before_request(refuse_foreign)
    app.after_request(add_headers)


def refuse_foreign() -> None:
    """Refuse an unsafe request that another site started (Sec-Fetch-Site, else Origin); nothing is read before."""
    if request.method in SAFE:
        return
    site = request.headers.get("Sec-Fetch-Site")
    if site is not None:
        if site != "same-origin":
            raise Forbidden
        return
    origin = request.headers.get("Origin")
    if origin is not None and not _ours(origin):
        raise Forbidden


def add_headers(response: Response) -> Response:
    """Put the headers of this site on an answer; caching is decided here unless the view did."""
    headers, room = response.headers, request.blueprint
    file = request.path.startswith("/static/") and response.mimetype != "text/html"
    headers.extend(OF_FILES if file else ALWAYS)  # nobody else says any of these
    if request.path.removeprefix("/en").startswith("/desk"):  # also where no view answers: a wrong method
        headers["Content-Security-Policy"] = DESK_POLICY
    if get_services().config.https:
        headers["Strict-Transport-Security"] = TRANSPORT
    if response.mimetype == "text/html":
        if "Vary" in headers:
            response.vary.update(VARY)
        else:
            headers["Vary"] = ", ".join(VARY)
    if response.status_code == HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = str(PAUSE)
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "private, no-store"
    if room == "embed" and request.method in {"GET", "HEAD"} and response.status_code == HTTPStatus.OK:
        embed.let_in(response)
    if room in PERSONAL or "Set-Cookie" in headers:
        headers["Cache-Control"] = "private, no-store"
        headers["X-Robots-Tag"] = "noindex, nofollow, noarchive"
    return response


def _reached_by_https(inner: "WSGIApplication") -> "WSGIApplication":
    """The proxy in front speaks http with us: whole addresses (redirects, a client's link) say https all the same."""

    def outer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        environ["wsgi.url_scheme"] = "https"
        return inner(environ, start_response)

    return outer


def _ours(origin: str) -> bool:
    try:
        theirs = urlsplit(origin)
    except ValueError:
        return False
    if (theirs.scheme, theirs.netloc) == (request.scheme, request.host):
        return True
    return origin == get_services().config.address
