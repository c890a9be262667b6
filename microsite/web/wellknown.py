"""`/.well-known/`: where calendar apps find the embedded server (RFC 6764)."""

from flask import Blueprint
from flask import Response
from flask import redirect

bp = Blueprint("wellknown", __name__)


@bp.route("/.well-known/caldav", methods=["GET", "PROPFIND", "OPTIONS"], provide_automatic_options=False)
def caldav() -> Response:
    """Send a calendar app on to the embedded server."""
    answer: Response = redirect("/dav/", 301)  # type: ignore[assignment]
    return answer
