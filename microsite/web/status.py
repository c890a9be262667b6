"""The low-power page of a booking: its time and state, nothing that could be changed, nobody's name.

Its address stands in calendar files, which people share; what can change a booking is `manage`.
"""

from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import render_template
from flask import request

from microsite.services import get_services
from microsite.work import look
from microsite.work.status import by_status_token

from . import zones
from .i18n import route

bp = Blueprint("status", __name__)


@route(bp, "/status/<token>")
def show(token: str) -> str:
    """When, and whether it holds."""
    booking = by_status_token(get_services(), token)
    home: ZoneInfo = look.house(get_services(), booking.coach).settings.zoneinfo
    zone = zones.choose(request.args.get("tz"), home).zone
    return render_template("status.html", booking=booking, zone=zone, home=home)
