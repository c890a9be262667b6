"""Calls an application in this process, as a server would, and says what it answered."""

import gzip
import re
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from io import BytesIO
from typing import Any
from typing import NamedTuple
from urllib.parse import urlsplit

Application = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]
SLOT = re.compile(rb'data-slot="(\d{8}T\d{6}Z)"')


class Answer(NamedTuple):
    """Status, headers in lower case, and the body as it was sent."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def text(self) -> bytes:
        """The body as it is read."""
        return gzip.decompress(self.body) if self.headers.get("content-encoding") == "gzip" else self.body

    @property
    def slots(self) -> list[str]:
        """The starts that may be chosen on a page."""
        return [found.decode() for found in SLOT.findall(self.text)]


def environ(target: str, headers: Mapping[str, str], host: str = "localhost") -> dict[str, Any]:
    """What a server would say of a GET."""
    parts = urlsplit(target)
    sent = {f"HTTP_{name.upper().replace('-', '_')}": value for name, value in headers.items()}
    return {
        "REQUEST_METHOD": "GET",
        "SCRIPT_NAME": "",
        "PATH_INFO": parts.path,
        "QUERY_STRING": parts.query,
        "SERVER_NAME": host,
        "SERVER_PORT": "8000",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "HTTP_HOST": f"{host}:8000",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
        **sent,
    }


def call(application: Application, asked: dict[str, Any]) -> Answer:
    """One request from beginning to end, what is done after the answer included."""
    said: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], _error: object = None) -> None:
        said[:] = (status, headers)

    parts = application(dict(asked), start_response)
    body = b"".join(parts)
    if hasattr(parts, "close"):
        parts.close()
    return Answer(int(said[0][:3]), {name.lower(): value for name, value in said[1]}, body)
