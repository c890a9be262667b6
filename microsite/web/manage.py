"""The client's page: opened by the link in the mail, kept by a short cookie. GET changes nothing, ever."""

from typing import Any
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from jinja2_fragments.flask import render_block

from microsite.core.bookings import CONFIRMING
from microsite.core.bookings import Booking
from microsite.core.people import Secret
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.errors import WrongBooking
from microsite.services import get_services
from microsite.work import look
from microsite.work import manage as desk_of_client
from microsite.work.look import Coach

from . import cookies
from . import fragments
from . import tokens
from . import zones
from .i18n import PREFIXES
from .i18n import language
from .i18n import route

bp = Blueprint("manage", __name__)
REFRESH = 5
"""Seconds after which a browser without JavaScript asks again while a booking is being confirmed."""
PURPOSE = "manage "


class Shown(NamedTuple):
    """A booking with what its page needs to say."""

    booking: Booking
    coach: Coach
    offer: Offer
    zone: ZoneInfo
    cancel_until: int
    now: int

    @property
    def may_cancel(self) -> bool:
        """Whether the client may still cancel."""
        return self.booking.live and self.now < self.cancel_until


@route(bp, "/m/<token>")
def enter(token: str) -> ResponseReturnValue:
    """From the link in the mail to the page: the token leaves the address bar at once."""
    booking = desk_of_client.by_token(get_services(), token)
    lang = booking.language if booking.language in PREFIXES and language() == "id" else language()
    return cookies.give(_to(url_for("manage.show", lang=lang, **_zone())), "manage", Secret(token))


@route(bp, "/manage")
def show() -> ResponseReturnValue:
    """The booking: what it is, what happens next, what can be done."""
    token = cookies.read("manage")
    booking = desk_of_client.by_token(get_services(), token)
    if booking.state == CONFIRMING:
        booking = desk_of_client.wait_for_outcome(get_services(), booking.id)
    shown = _shown(booking)
    if fragments.wanted():
        body = render_block("manage/show.html", "page", shown=shown, form_token=_form_token(token), fragment=True)
        return make_response(body)
    response = make_response(render_template("manage/show.html", shown=shown, form_token=_form_token(token)))
    if booking.state == CONFIRMING:
        response.headers["Refresh"] = str(REFRESH)
    return cookies.give(response, "manage", Secret(token))


@route(bp, "/manage/cancel")
def ask_cancel() -> ResponseReturnValue:
    """The question before a cancellation."""
    token = cookies.read("manage")
    shown = _shown(desk_of_client.by_token(get_services(), token))
    if not shown.may_cancel:
        return redirect(url_for("manage.show", **_zone()), 303)
    return render_template("manage/cancel.html", shown=shown, form_token=_form_token(token))


@route(bp, "/manage/cancel", ("POST",))
def cancel() -> ResponseReturnValue:
    """Cancel the booking whose form this is; with another booking's cookie nothing happens."""
    token = cookies.read("manage")
    booking = desk_of_client.by_token(get_services(), token)
    if not tokens.same(_bound(token), request.form.get("form_token", "")):
        raise WrongBooking("the form belongs to another cookie")
    desk_of_client.cancel(get_services(), booking.id, request.form.get("ref", ""))
    return _to(url_for("manage.show", **_zone()))


@route(bp, "/manage/session.ics")
def calendar_file() -> ResponseReturnValue:
    """The session as a file for the client's own calendar; its name says nothing."""
    booking = desk_of_client.by_token(get_services(), cookies.read("manage"))
    response = Response(desk_of_client.client_ics(get_services(), booking), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="session.ics"'
    return response


def _to(location: str) -> Response:
    """A 303 without the usual body, which would repeat the address."""
    return Response(status=303, headers={"Location": location})


def _zone() -> dict[str, Any]:
    return {"tz": request.args["tz"]} if "tz" in request.args else {}


def _bound(cookie: str) -> tokens.Bound:
    return tokens.bound(PURPOSE + cookie)


def _form_token(cookie: str) -> str:
    return tokens.issue(_bound(cookie))


def _shown(booking: Booking) -> Shown:
    services = get_services()
    coach = look.coach(services, booking.coach)
    settings = coach.settings
    offer = settings.offer(booking.offer) or _gone(booking, settings.session_title)
    zone = zones.choose(request.args.get("tz"), settings.zoneinfo).zone
    until = desk_of_client.may_cancel_until(services, booking)
    return Shown(booking, coach, offer, zone, until, services.clock())


def _gone(booking: Booking, title: Words) -> Offer:
    """An offer that is no longer in the settings, as far as its booking remembers it."""
    return Offer(slug="session", title=title, minutes=max(5, (booking.end - booking.start) // 60))
