"""How the coach's house is: the state of each calendar, what is held about whom until when, and what happened."""

from flask.typing import ResponseReturnValue

from microsite.services import get_services
from microsite.work import overview

from ..i18n import route
from . import seat
from .seat import bp


@route(bp, "/desk/calendars")
def calendars() -> ResponseReturnValue:
    """The state of each calendar in plain words."""
    session = seat.seated()
    return seat.page("desk/calendars.html", session, calendars=overview.calendars(get_services(), session.coach))


@route(bp, "/desk/kept")
def kept() -> ResponseReturnValue:
    """What is held, how much, until when; and the list of what happened, which names nobody."""
    session = seat.seated()
    services = get_services()
    held, lines = overview.held(services, session.coach), overview.happened(services, session.coach)
    return seat.page("desk/kept.html", session, held=held, lines=lines)
