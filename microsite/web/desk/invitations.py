"""Invitation links: to an offer that not everybody may book, for one or several bookings, until a date."""

from flask import request
from flask.typing import ResponseReturnValue

from microsite.core.signs import cleaned
from microsite.services import get_services
from microsite.work import overview
from microsite.work.invite import invite

from ..i18n import route
from . import seat
from .seat import bp

LABEL_MAX = 60
MOST_USES, MOST_DAYS = 100, 365


@route(bp, "/desk/invitations")
def invitations() -> ResponseReturnValue:
    """The living invitations, and a form for a new one."""
    session = seat.seated()
    return seat.page("desk/invitations.html", session, living=overview.invitations(get_services(), session.coach))


@route(bp, "/desk/invitations", ("POST",))
def new_invitation() -> ResponseReturnValue:
    """Make an invitation; its link is shown on this page and never again."""
    session, given = seat.posted(), request.form
    label = cleaned(given.get("label", "")).strip()[:LABEL_MAX]
    uses, days = _number(given.get("uses"), 1, MOST_USES), _number(given.get("days"), 30, MOST_DAYS)
    link = invite(get_services(), session.coach, given.get("offer", ""), uses, days, label)
    living = overview.invitations(get_services(), session.coach)
    return seat.page("desk/invitations.html", session, living=living, link=link)


def _number(text: str | None, otherwise: int, most: int) -> int:
    return min(max(int(text), 1), most) if text and text.isascii() and text.isdigit() and len(text) < 6 else otherwise
