"""`/.well-known/`: where the embedded calendar server is (RFC 6764), and whom to tell of a weakness (RFC 9116)."""

from datetime import UTC
from datetime import datetime
from datetime import timedelta

from flask import Blueprint
from flask import Response
from flask import abort
from flask import redirect

from microsite.services import get_services

bp = Blueprint("wellknown", __name__)
GOOD_FOR = timedelta(days=180)
"""RFC 9116, 2.5.5: less than a year is recommended; the date moves on by itself while the site runs."""


@bp.route("/.well-known/caldav", methods=["GET", "PROPFIND", "OPTIONS"], provide_automatic_options=False)
def caldav() -> Response:
    """Send a calendar app on to the embedded server."""
    answer: Response = redirect("/dav/", 301)  # type: ignore[assignment]
    return answer


@bp.get("/.well-known/security.txt")
def security_txt() -> Response:
    """Where to write about a weakness; nothing where the operator named nobody."""
    services = get_services()
    contact = services.config.file.site.security_contact
    if not contact:
        abort(404)
    today = datetime.fromtimestamp(services.clock(), UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    lines = (
        f"Contact: {contact}",
        f"Expires: {today + GOOD_FOR:%Y-%m-%dT%H:%M:%SZ}",
        "Preferred-Languages: id, en",
        f"Canonical: {services.config.address}/.well-known/security.txt",
    )
    return Response("".join(f"{line}\n" for line in lines), content_type="text/plain; charset=utf-8")
