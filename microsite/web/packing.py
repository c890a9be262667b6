"""Compressing pages, where that tells nobody anything.

A compressed answer's length says something about what is in it (BREACH): where a secret stands beside text that a
stranger can choose, guessing gets easy. So only pages that are the same for everybody are compressed, and never for
somebody who carries a cookie. Static files are compressed by `statics`, once.
"""

import gzip

from flask import Flask
from flask import Response
from flask import request

from .security import Finished

PUBLIC = frozenset({"visitor.front", "visitor.offers", "visitor.times", "privacy.show"})
"""Pages without a form token or anything of a client; with an invitation in its address, not even these."""
SMALL = 600
"""Bytes. Below this a packet is not filled either way."""
LEVEL = 6


def init_app(app: Flask) -> None:
    """Compress what may be compressed, after everything else was said about an answer."""
    app.after_request(pack)


def pack(response: Response) -> Response:
    """The answer, compressed where it is public and the browser understands it."""
    if isinstance(response, Finished):
        return response
    if request.endpoint not in PUBLIC or response.mimetype != "text/html" or "Content-Encoding" in response.headers:
        return response
    response.vary.add("Accept-Encoding")
    secret = request.cookies or "Set-Cookie" in response.headers or "invite" in request.args
    if secret or not request.accept_encodings["gzip"]:
        return response
    body = response.get_data()
    if len(body) > SMALL:
        response.set_data(gzip.compress(body, LEVEL, mtime=0))
        response.headers["Content-Encoding"] = "gzip"
    return response
