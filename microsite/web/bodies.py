"""Bodies of requests: read to their end before a request is worked on, by threads of which some are always free.

The server hands a request on as soon as its head is there. A sender that then says nothing holds the thread that wants
to read the rest, for as long as it likes: as many such senders as there are threads, and nobody else would be answered.
So only some threads may wait for bodies, and only so many work at a time; whoever only looks is always served. How long
a body may take is the proxy's to say, for nothing here can end such a connection. Outermost: /dav lies behind this.
"""

import threading
from collections.abc import Iterable
from io import BytesIO
from typing import TYPE_CHECKING

from .security import ALWAYS

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse
    from _typeshed.wsgi import WSGIApplication
    from _typeshed.wsgi import WSGIEnvironment

WORKING = 4
"""Requests that are worked on at a time: more would only wait for the interpreter and for the database."""
WAITING = 12
"""Requests whose body may be waited for at a time."""
LARGEST = 5 * 1024 * 1024
"""What the embedded calendar takes. A body that says it is larger is not read here; the rooms behind refuse it."""
REFUSAL = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", "0"),
    ("Cache-Control", "private, no-store"),
    ("Retry-After", "5"),
    *ALWAYS.items(),
]


class Bodies:
    """The application behind a reader of bodies."""

    def __init__(self, app: "WSGIApplication", working: int = WORKING, waiting: int = WAITING) -> None:
        self._app = app
        self._work, self._places = threading.Semaphore(working), threading.Semaphore(waiting)

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Serve one request (WSGI)."""
        length = _length(environ)
        if length:
            if not self._places.acquire(blocking=False):
                start_response("503 Service Unavailable", REFUSAL)
                return []
            try:
                environ["wsgi.input"] = BytesIO(environ["wsgi.input"].read(length))
            finally:
                self._places.release()
        with self._work:
            return self._app(environ, start_response)


def _length(environ: "WSGIEnvironment") -> int:
    """How many bytes to read; of chunks, which do not say, one more than anybody here takes."""
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return LARGEST + 1
    text = environ.get("CONTENT_LENGTH") or ""
    length = int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
    return length if length <= LARGEST else 0
