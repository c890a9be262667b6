"""The coach's portrait on the settings page: chosen, sent, taken away. What becomes of the file is `pictures`."""

from contextlib import closing
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from flask_babel import gettext

from microsite.core.portraits import LEAST_SIDE
from microsite.core.portraits import MOST_BYTES
from microsite.errors import PictureRefused
from microsite.services import get_services
from microsite.work import portrait as work

from ..i18n import route
from . import seat
from . import settings
from .seat import bp

BODY_MAX = 3 * MOST_BYTES
"""A larger file is still read to its end, so that the browser shows the answer and not a broken connection."""
PARSER_MAX = 256 * 1024
"""What is held in memory while the form is read; the file itself goes to a temporary one without a name."""
FILE = "portrait"
MEGABYTE = 1024 * 1024


@route(bp, "/desk/portrait", ("POST",))
def save_portrait() -> ResponseReturnValue:
    """Put the chosen picture in place, or take the present one away."""
    seat.seated()
    request.max_content_length = BODY_MAX
    request.max_form_memory_size = PARSER_MAX
    session = seat.posted()
    if request.form.get("remove"):
        work.take_away(get_services(), session.coach.slug)
        return seat.to("desk.settings", saved=1)
    chosen = request.files.get(FILE)
    if chosen is None or not chosen.filename:
        return _again(session, gettext("Choose a picture first."))
    with closing(chosen):
        upload = chosen.read(MOST_BYTES + 1)
    try:
        work.keep(get_services(), session.coach.slug, upload)
    except PictureRefused as error:
        return _again(session, explain(error))
    return seat.to("desk.settings", saved=1)


def explain(error: PictureRefused) -> str:
    """Why a picture was not kept, for the coach."""
    if error.reason == "large":
        text = gettext(
            "This picture is too large: at most %(most)s MB and 50 million pixels. Make it smaller and try again.",
            most=MOST_BYTES // MEGABYTE,
        )
    elif error.reason == "small":
        text = gettext("This picture is too small: at least %(least)s pixels along each edge.", least=LEAST_SIDE)
    else:
        text = gettext("This file cannot be read as a picture. JPEG, PNG and WebP work.")
    return str(text)


def _again(session: Any, error: str) -> ResponseReturnValue:
    return settings.page(session, portrait_error=error), 422
