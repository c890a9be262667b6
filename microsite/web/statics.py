"""Static files under one hash of them all: `/static/<hash>/site.css`, kept by browsers for a year.

One hash for the whole folder, so a relative address inside the stylesheet (the font) needs no rewriting. Compression
is not done here.
"""

import hashlib
from pathlib import Path

from flask import Flask
from flask import Response
from flask import current_app
from flask import send_from_directory
from flask import url_for

FOREVER = "public, max-age=31536000, immutable"
HASH_LENGTH = 12
TYPES = {".woff2": "font/woff2", ".svg": "image/svg+xml", ".js": "text/javascript", ".css": "text/css"}


def init_app(app: Flask) -> None:
    """Serve the static folder, hashed; robots.txt is at the root."""
    folder = Path(app.static_folder or Path(app.root_path).parent / "static")
    app.extensions["microsite-static"] = (folder, digest_of(folder))
    app.add_url_rule("/static/<string(length=12):digest>/<path:name>", "hashed", _hashed)
    app.add_url_rule("/robots.txt", "robots", _robots)
    app.context_processor(lambda: {"static_url": static_url})


def static_url(name: str) -> str:
    """The address of a static file."""
    _, digest = current_app.extensions["microsite-static"]
    return url_for("hashed", digest=digest, name=name)


def digest_of(folder: Path) -> str:
    """One hash over the names and contents of a folder."""
    whole = hashlib.sha256()
    for path in sorted(path for path in folder.rglob("*") if path.is_file()):
        whole.update(path.relative_to(folder).as_posix().encode() + b"\0" + path.read_bytes())
    return whole.hexdigest()[:HASH_LENGTH]


def _hashed(digest: str, name: str) -> Response:
    """A static file; an old hash gets the present file, uncached, so an open page keeps its looks."""
    folder, current = current_app.extensions["microsite-static"]
    response = send_from_directory(folder, name, mimetype=TYPES.get(Path(name).suffix))
    response.headers["Cache-Control"] = FOREVER if digest == current else "no-cache"
    return response


def _robots() -> Response:
    folder, _ = current_app.extensions["microsite-static"]
    response = send_from_directory(folder, "robots.txt", mimetype="text/plain")
    response.headers["Cache-Control"] = "public, max-age=86400"
    return response
