"""A coach's own colour as a stylesheet of its own: `/static/accent/<colour>.css`. No inline style, and no coach in it.

Which colours can be read is `core.colour`; another one has no stylesheet.
"""

from flask import Blueprint
from flask import Response
from flask import abort

from microsite.core import colour
from microsite.core.colour import Shades

from .statics import FOREVER

bp = Blueprint("accent", __name__)
EDITION = 1
"""Raise it when the shades are made otherwise: browsers keep the old ones for a year."""


@bp.get(f"/static/accent-{EDITION}/<accent>.css")
def stylesheet(accent: str) -> Response:
    """The tokens of both themes in shades of one colour, given as six small hexadecimal digits."""
    chosen = f"#{accent}"
    if not colour.HEX.fullmatch(chosen) or not colour.readable(chosen):
        abort(404)
    light, dark = _tokens(colour.light(chosen)), _tokens(colour.dark(chosen))
    text = f":root {{ {light} }}\n@media (prefers-color-scheme: dark) {{ :root {{ {dark} }} }}\n"
    response = Response(text, content_type="text/css; charset=utf-8")
    response.headers["Cache-Control"] = FOREVER
    return response


def _tokens(shades: Shades) -> str:
    return (
        f"--nila: {shades.action}; --di-nila: {shades.on_action};"
        f" --nila-tua: {shades.hover}; --nila-muda: {shades.tint};"
    )
