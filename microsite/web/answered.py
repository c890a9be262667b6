"""What was answered: which view, by which method, with which status, how fast. For the log and the metrics, both off.

Wrapped around the whole application, calendar server included, and only where one of the two is on. Neither an address
nor a path is looked at: a route is the name of its view.
"""

import logging
import time
from collections.abc import Callable
from collections.abc import Iterable
from typing import TYPE_CHECKING
from typing import Any
from typing import NamedTuple

from flask import Flask
from flask import request

from microsite.services import Services

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

ROUTE = "microsite.route"
READY = "microsite.ready"
"""Notes in a request's environ: the view it met, and whether the answer had been made before (for somebody else)."""
NONE = "none"
METHODS = frozenset(
    "GET HEAD POST PUT DELETE OPTIONS PROPFIND PROPPATCH REPORT MKCOL MKCALENDAR MOVE COPY PATCH".split()
)
log = logging.getLogger("microsite.requests")


class Answered(NamedTuple):
    """One request and its answer; `seconds` until the answer could be sent; `ready`: it had been made before."""

    route: str
    method: str
    status: int
    seconds: float
    ready: bool = False


Listener = Callable[[Answered], None]


def init_app(app: Flask) -> None:
    """Let every request say which view it met; first of all hooks, so that also those that are refused do."""
    app.before_request(_note_route)


def wrap(app: Flask) -> None:
    """Measure around everything, for whoever wants to know."""
    services: Services = app.extensions["microsite"]
    listeners: list[Listener] = list(app.extensions.get("microsite-listeners", ()))
    if services.config.file.logs.requests:
        listeners.append(_log)
    if listeners:
        app.wsgi_app = _measured(app.wsgi_app, listeners)  # type: ignore[assignment,method-assign]


def _measured(inner: "WSGIApplication", listeners: list[Listener]) -> "WSGIApplication":
    def answer(environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        began, status = time.perf_counter(), 500

        def start(line: str, headers: Any, exc_info: Any = None) -> Any:
            nonlocal status
            status = int(line[:3])
            return start_response(line, headers, exc_info)

        try:
            return inner(environ, start)
        finally:
            answered = _read(environ, status, time.perf_counter() - began)
            for listener in listeners:
                listener(answered)

    return answer


def _read(environ: "WSGIEnvironment", status: int, seconds: float) -> Answered:
    # A method is text from outside: what is none of the known ones is not repeated.
    method = environ["REQUEST_METHOD"]
    calendar = environ.get("SCRIPT_NAME", "").startswith("/dav")
    route = "dav" if calendar else environ.get(ROUTE, NONE)
    ready = bool(environ.get(READY))
    return Answered(route, method if method in METHODS else "OTHER", status, seconds, ready)


def _note_route() -> None:
    request.environ[ROUTE] = request.endpoint or NONE


def _log(answered: Answered) -> None:
    log.info(
        "answered",
        extra={
            "method": answered.method,
            "route": answered.route,
            "status": answered.status,
            "ms": round(answered.seconds * 1000, 1),
        },
    )
