"""The personal calendar address that an app follows by itself: no cookie, no page, the file as it is now."""

from flask import Response

from microsite.services import get_services
from microsite.work.feed import feed

from .seat import bp


@bp.get("/m/<token>/feed.ics")
def follow(token: str) -> Response:
    """The session as a file; 404 for an address that opens nothing (any more)."""
    return Response(feed(get_services(), token), content_type="text/calendar; charset=utf-8")
