"""Static files under one hash of them all: `/static/<hash>/site.css`, kept by browsers for a year.

One hash for the whole folder, so a relative address inside the stylesheet (the font) needs no rewriting. The files are
few and small: they are read once, at start, and each is compressed once, as hard as can be, when it is first asked for.
"""

import hashlib
import re
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from flask import Flask
from flask import Response
from flask import abort
from flask import current_app
from flask import request
from flask import url_for

from .packing import FILE_EFFORT
from .packing import packed
from .packing import understood

FOREVER = "public, max-age=31536000, immutable"
HASH_LENGTH = 12
TYPES = {
    ".woff2": "font/woff2",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".txt": "text/plain; charset=utf-8",
}
"""What is served, by ending; other files of the folder (licences, notes) are not."""
OURS = frozenset({".css", ".js"})
VENDOR = "vendor/"
REMARK = re.compile(rb"^[ \t]*/\*.*?\*/[ \t]*\n", re.MULTILINE | re.DOTALL)
INDENT = re.compile(rb"\n\s+")
PACKED = frozenset({".woff2", ".png"})


class File:
    """A file as it is sent: its type, a name for its bytes, and those compressed where that is worth it."""

    def __init__(self, suffix: str, plain: bytes) -> None:
        self.content_type, self.packable = TYPES[suffix], suffix not in PACKED
        self.etag = hashlib.blake2b(plain, digest_size=12).hexdigest()
        self._bodies = {"": plain}

    def body(self, coding: str) -> bytes:
        """The bytes in a coding; none is the empty one."""
        if coding not in self._bodies:
            self._bodies[coding] = packed(self._bodies[""], coding, FILE_EFFORT[coding])
        return self._bodies[coding]


class Shelf(NamedTuple):
    """All static files by name, and their common hash."""

    files: dict[str, File]
    digest: str


def init_app(app: Flask) -> None:
    """Read the static folder and serve it, hashed; robots.txt is at the root."""
    app.extensions["microsite-static"] = read_folder(Path(app.root_path).parent / "static")
    app.add_url_rule(f"/static/<string(length={HASH_LENGTH}):digest>/<path:name>", "hashed", _hashed)
    app.add_url_rule("/robots.txt", "robots", _robots)
    app.context_processor(lambda: {"static_url": static_url, "card_url": card_url, "icon_url": icon_url})


def static_url(name: str) -> str:
    """The address of a static file."""
    return url_for("hashed", digest=_shelf().digest, name=name)


def icon_url() -> str:
    """The site's small picture as an address that holds it: one request less for every page."""
    return "data:image/svg+xml," + quote(read("favicon.svg").decode().strip(), safe="=:/")


def read(name: str) -> bytes:
    """A static file's content."""
    return _shelf().files[name].body("")


def digest() -> str:
    """The common hash of all static files."""
    return _shelf().digest


def card_url() -> str:
    """The whole address of the picture that is shown where a page is shared."""
    return str(current_app.extensions["microsite"].config.address) + static_url("card.png")


def read_folder(folder: Path) -> Shelf:
    """The files of a folder, and one hash over their names and contents."""
    files: dict[str, File] = {}
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.suffix in TYPES):
        name = path.relative_to(folder).as_posix()
        plain = path.read_bytes() if name.startswith(VENDOR) or path.suffix not in OURS else slim(path.read_bytes())
        whole.update(name.encode() + b"\0" + plain)
        files[name] = File(path.suffix, plain)
    return Shelf(files, whole.hexdigest()[:HASH_LENGTH])


def slim(written: bytes) -> bytes:
    """Our own style or script without the remarks that stand on lines of their own, and without indentation."""
    return INDENT.sub(b"\n", REMARK.sub(b"", written))


def _hashed(digest: str, name: str) -> Response:
    """A static file; an old hash gets the present file, uncached, so an open page keeps its looks."""
    return _send(name, FOREVER if digest == _shelf().digest else "no-cache")


def _robots() -> Response:
    return _send("robots.txt", "public, max-age=86400")


def _send(name: str, caching: str) -> Response:
    return send(_shelf().files.get(name) or abort(404), caching)


def send(file: File, caching: str) -> Response:
    """A file, compressed as the browser takes it best."""
    coding = understood(request.headers.get("Accept-Encoding", "")) if file.packable else ""
    response = Response(file.body(coding), content_type=file.content_type)
    response.headers["Cache-Control"] = caching
    if file.packable:
        response.vary.add("Accept-Encoding")
    if coding:
        response.headers["Content-Encoding"] = coding
    response.set_etag(f"{file.etag}-{coding}" if coding else file.etag)
    response.make_conditional(request)
    return response


def _shelf() -> Shelf:
    shelf: Shelf = current_app.extensions["microsite-static"]
    return shelf
