"""A coach's portrait under a name made of its content: `/static/portraits/<name>-<size>.webp`, kept for a year."""

from typing import get_args

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import url_for

from microsite.core.portraits import SIDES
from microsite.core.portraits import Size
from microsite.services import get_services
from microsite.work import portrait

from .statics import FOREVER

bp = Blueprint("portraits", __name__)
SIZES = ",".join(get_args(Size))


def init_app(app: Flask) -> None:
    """Let templates name a portrait's address and its width."""
    app.register_blueprint(bp)
    app.context_processor(lambda: {"portrait_url": portrait_url, "portrait_sides": SIDES})


def portrait_url(digest: str, size: Size) -> str:
    """The address of a portrait."""
    return url_for("portraits.show", digest=digest, size=size)


@bp.get(f"/static/portraits/<digest>-<any({SIZES}):size>.webp")
def show(digest: str, size: Size) -> Response:
    """One size of a portrait."""
    response = Response(portrait.picture(get_services(), digest, size), content_type="image/webp")
    response.headers["Cache-Control"] = FOREVER
    return response
