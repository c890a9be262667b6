"""A coach's own colour: the site's stylesheet with her shades at its end, as one file. No inline style, nobody's name.

Which colours can be read is `core.colour`; another one has no stylesheet.
"""

from functools import lru_cache

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import abort
from flask import url_for

from microsite.core import colour
from microsite.core.colour import Shades

from . import statics
from .statics import FOREVER
from .statics import File

bp = Blueprint("accent", __name__)
EDITION = 2
"""Raise it when the shades are made otherwise: browsers keep the old ones for a year."""
KEPT = 64


def init_app(app: Flask) -> None:
    """Let templates name the stylesheet of a coach."""
    app.register_blueprint(bp)
    app.context_processor(lambda: {"sheet_url": sheet_url})


def sheet_url(accent: str) -> str:
    """The address of the whole stylesheet, in this colour where there is one."""
    if not accent:
        return statics.static_url("site.css")
    return url_for("accent.stylesheet", digest=statics.digest(), accent=accent[1:])


@bp.get(f"/static/<string(length={statics.HASH_LENGTH}):digest>/site-{EDITION}-<string(length=6):accent>.css")
def stylesheet(digest: str, accent: str) -> Response:
    """The stylesheet in shades of one colour, given as six small hexadecimal digits."""
    chosen = f"#{accent}"
    if not colour.HEX.fullmatch(chosen) or not colour.readable(chosen):
        abort(404)
    caching = FOREVER if digest == statics.digest() else "no-cache"
    return statics.send(_made(statics.read("site.css"), chosen), caching)


@lru_cache(KEPT)
def _made(sheet: bytes, chosen: str) -> File:
    light, dark = _tokens(colour.light(chosen)), _tokens(colour.dark(chosen))
    own = f"\n:root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    return File(".css", sheet + own.encode())


def _tokens(shades: Shades) -> str:
    return (
        f"--nila: {shades.action}; --di-nila: {shades.on_action};"
        f" --nila-tua: {shades.hover}; --nila-muda: {shades.tint};"
    )
