"""Compressing answers: what a browser understands, and which pages may be compressed at all.

A compressed answer's length says something about what is in it (BREACH): where a secret stands beside text that a
stranger can choose, guessing gets easy. So only pages that are the same for everybody are compressed, and never for
somebody who carries a cookie. Static files are compressed by `statics`, once.
"""

import gzip
from functools import lru_cache
from typing import TYPE_CHECKING

import brotli
from flask import Flask
from flask import Response
from flask import request
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

PUBLIC = frozenset({"visitor.front", "visitor.offers", "visitor.times", "privacy.show"})
"""Pages without a form token or anything of a client; with an invitation in its address, not even these."""
CODINGS = ("br", "gzip")
"""What this site speaks, the best first."""
SMALL = 600
"""Bytes. Below this a packet is not filled either way."""
LONGEST = 200
"""Characters of an Accept-Encoding that is looked at; browsers send about twenty."""
PAGE_BROTLI, PAGE_GZIP = 5, 2
FILE_EFFORT = {"br": 11, "gzip": 9}
"""A page is compressed while somebody waits, a file once for all."""
GZIP_HEAD = 31
"""The `wbits` that ask for gzip's head and tail around the stream, with no time of day in them."""


def init_app(app: Flask) -> None:
    """Compress what may be compressed, after everything else was said about an answer."""
    app.after_request(pack)


def pack(response: Response) -> Response:
    """The answer, compressed where it is public and the browser understands it."""
    if request.endpoint not in PUBLIC or response.mimetype != "text/html" or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    coding = coding_for(request.environ)
    if not coding or "Set-Cookie" in response.headers or "invite" in request.args:
        return response
    body, coding = packed_page(response.get_data(), coding)
    if coding:
        response.set_data(body)
        response.headers["Content-Encoding"] = coding
    return response


def packed_page(body: bytes, coding: str) -> tuple[bytes, str]:
    """A public page as it is sent to whoever understands this coding, and the coding that it is in."""
    if not coding or len(body) <= SMALL:
        return body, ""
    if coding == "br":
        return packed(body, coding, PAGE_BROTLI), coding
    # Half a megabyte that most processes never need: browsers take Brotli.
    from isal import isal_zlib

    return isal_zlib.compress(body, PAGE_GZIP, GZIP_HEAD), coding


def coding_for(environ: "WSGIEnvironment") -> str:
    """How a page may be compressed for whoever asks; empty: not at all."""
    return "" if environ.get("HTTP_COOKIE") else understood(environ.get("HTTP_ACCEPT_ENCODING", ""))


def understood(header: str) -> str:
    """The coding that an Accept-Encoding likes best (RFC 9110 12.5.3), the smaller one among equals; empty: none."""
    return _understood(header) if 0 < len(header) <= LONGEST else ""


def packed(body: bytes, coding: str, effort: int) -> bytes:
    """The same in fewer bytes, and always in the same ones."""
    if coding == "br":
        return bytes(brotli.compress(body, quality=effort))
    return gzip.compress(body, effort, mtime=0)


@lru_cache(maxsize=256)
def _understood(header: str) -> str:
    liked = parse_accept_header(header, Accept)
    best = max(CODINGS, key=lambda coding: liked[coding])  # the first of equals
    return best if liked[best] > 0 else ""
