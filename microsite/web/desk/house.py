"""How the coach's house is: the state of each calendar, what is held about whom until when, and what happened."""

from typing import Any

from flask import Response
from flask import make_response
from flask import request
from flask.typing import ResponseReturnValue

from microsite.core.people import Secret
from microsite.errors import CalendarError
from microsite.services import get_services
from microsite.work import accounts
from microsite.work import overview
from microsite.work.record import record
from microsite.work.signin import Session

from ..i18n import language
from ..i18n import route
from . import seat
from .seat import bp

PASSWORD_MAX = 200


@route(bp, "/desk/calendars")
def calendars() -> ResponseReturnValue:
    """The state of each calendar in plain words."""
    return _calendars(seat.seated())


@route(bp, "/desk/calendars/app", ("POST",))
def new_app_password() -> ResponseReturnValue:
    """A new password for the coach's calendar app on the built-in server; it is shown on this page and never again."""
    session = seat.posted()
    made = accounts.new_embedded_password(get_services(), session.coach.slug)
    return _calendars(session, made=made.reveal())


@route(bp, "/desk/calendars/password", ("POST",))
def new_calendar_password() -> ResponseReturnValue:
    """A new password for a calendar elsewhere, tried before the old one goes; 422 where the server refuses it."""
    session, given = seat.posted(), request.form
    try:
        typed = Secret(given.get("password", "").strip()[:PASSWORD_MAX])
        accounts.new_password(get_services(), session.coach.slug, given.get("calendar", ""), typed)
    except CalendarError as error:
        return make_response(_calendars(session, refused=given.get("calendar", ""), trouble=type(error).__name__), 422)
    return seat.to("desk.calendars")


def _calendars(session: Session, **values: Any) -> str:
    services, slug = get_services(), session.coach.slug
    return seat.page(
        "desk/calendars.html",
        session,
        calendars=overview.calendars(services, session.coach),
        app_address=f"{services.config.address}/dav/" if accounts.has_embedded(services, slug) else "",
        **values,
    )


@route(bp, "/desk/kept")
def kept() -> ResponseReturnValue:
    """What is held, how much, until when; and the list of what happened, which names nobody."""
    session = seat.seated()
    services = get_services()
    held, lines = overview.held(services, session.coach), overview.happened(services, session.coach)
    return seat.page("desk/kept.html", session, held=held, lines=lines)


@route(bp, "/desk/processing.txt")
def processing() -> ResponseReturnValue:
    """The record of processing activities, as a text that names no client."""
    session = seat.seated()
    answer = Response(record(get_services(), session.coach.slug, language()), mimetype="text/plain")
    answer.headers["Content-Disposition"] = "attachment; filename=processing.txt"
    return answer
