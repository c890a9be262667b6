"""The booking itself: the way in by its link, what it is and what happens next, and the button that ends it."""

from flask import Response
from flask import make_response
from flask import url_for
from flask.typing import ResponseReturnValue
from jinja2_fragments.flask import render_block

from microsite.core.people import Secret
from microsite.services import get_services
from microsite.work import answer
from microsite.work import manage as work

from .. import cookies
from .. import fragments
from ..i18n import PREFIXES
from ..i18n import language
from ..i18n import route
from . import seat
from .seat import Held
from .seat import bp

REFRESH, SLOW_REFRESH = 5, 60
"""Seconds after which a browser without JavaScript asks again while the calendar is being asked."""


@route(bp, "/m/<token>")
def enter(token: str) -> ResponseReturnValue:
    """From the link in the mail to the page: the token leaves the address bar at once."""
    booking = work.by_token(get_services(), token)
    lang = booking.language if booking.language in PREFIXES and language() == "id" else language()
    return cookies.give(seat.to(url_for("manage.show", lang=lang, **seat.zone())), "manage", Secret(token))


@route(bp, "/manage")
def show() -> ResponseReturnValue:
    """The booking: what it is, what happens next, what can be done."""
    found = seat.held()
    if work.on_its_way(found.booking):
        found = Held(found.token, work.wait_for_outcome(get_services(), found.booking.id))
    if fragments.wanted():
        shown, form_token = seat.Shown(found), seat.form_token(found.token)
        return make_response(
            render_block("manage/show.html", "page", shown=shown, form_token=form_token, fragment=True)
        )
    response = seat.page("manage/show.html", found)
    if work.on_its_way(found.booking):
        response.headers["Refresh"] = str(SLOW_REFRESH if seat.Shown(found).slow else REFRESH)
    return response


@route(bp, "/manage/confirm", ("POST",))
def confirm() -> ResponseReturnValue:
    """The button behind the link in the mail: the address is right, the time is wanted."""
    found = seat.posted()
    if work.proves_address(get_services(), found.token):
        answer.confirm_address(get_services(), found.booking.id, found.booking.ref)
    return seat.home()


@route(bp, "/manage/cancel")
def ask_cancel() -> ResponseReturnValue:
    """The question before a cancellation."""
    found = seat.held()
    if not seat.Shown(found).may_cancel:
        return seat.home()
    return seat.page("manage/cancel.html", found)


@route(bp, "/manage/cancel", ("POST",))
def cancel() -> ResponseReturnValue:
    """Cancel the booking whose form this is; with another booking's cookie nothing happens."""
    found = seat.posted()
    work.cancel(get_services(), found.booking.id, found.booking.ref)
    return seat.home()


@route(bp, "/manage/session.ics")
def calendar_file() -> ResponseReturnValue:
    """The session as a file for the client's own calendar; its name says nothing."""
    response = Response(
        work.client_ics(get_services(), seat.held().booking), content_type="text/calendar; charset=utf-8"
    )
    response.headers["Content-Disposition"] = 'attachment; filename="session.ics"'
    return response
