"""`/embed/<coach>/<offer>`: the nearest free times inside a page of a named host. Links open the whole window.

No form, no script and no cookie can be framed. Who names no host in `site.embed_hosts` has no such page.
"""

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import render_template

from microsite.core import availability
from microsite.errors import NotFound
from microsite.errors import TimesUnknown
from microsite.services import get_services
from microsite.work import look

from . import picker
from .i18n import route

bp = Blueprint("embed", __name__)
SAME_ORIGIN_ONLY = ("X-Frame-Options", "Cross-Origin-Resource-Policy", "Cross-Origin-Opener-Policy")


@route(bp, "/embed/<slug:coach>/<slug:offer>")
def show(coach: str, offer: str) -> Response:
    """The first day with free times, in the coach's zone, and the way to all of them."""
    services = get_services()
    if not services.config.file.site.embed_hosts:
        raise NotFound("nothing is embedded here")
    found = look.coach(services, coach)
    chosen = found.settings.offer(offer)
    if chosen is None or chosen.invited:
        raise NotFound("no such offer")
    try:
        starts = availability.offer(look.times(services, found, chosen))
    except TimesUnknown:
        starts = []
    shown = picker.pick(starts, found.settings.zoneinfo, None)
    page = render_template("visitor/embed.html", coach=found, offer=chosen, picker=shown, zone=found.settings.zoneinfo)
    return make_response(page)


def let_in(response: Response) -> None:
    """Let the named hosts, and nobody else, show this answer inside their pages; called when all headers are there."""
    hosts = " ".join(f"https://{host}" for host in get_services().config.file.site.embed_hosts)
    policy = response.headers["Content-Security-Policy"].replace("form-action 'self'", "form-action 'none'")
    policy = policy.replace("script-src 'self'; ", "").replace("connect-src 'self'; ", "")
    response.headers["Content-Security-Policy"] = policy.replace("frame-ancestors 'none'", f"frame-ancestors {hosts}")
    for name in SAME_ORIGIN_ONLY:
        response.headers.pop(name, None)
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.headers["X-Robots-Tag"] = "noindex"
