"""Small wishes: the mail again, a neutral title or not, reminders or none, an address for the client's calendar app."""

from flask import request
from flask.typing import ResponseReturnValue

from microsite.core.reminders import CHOICES
from microsite.services import get_services
from microsite.work import wishes

from ..i18n import route
from . import seat
from .seat import bp


@route(bp, "/manage/again", ("POST",))
def again() -> ResponseReturnValue:
    """Send the mail once more, with a fresh link."""
    found = seat.posted()
    wishes.send_again(get_services(), found.booking.id, found.booking.ref)
    return seat.page("manage/sent.html", found)


@route(bp, "/manage/title", ("POST",))
def title() -> ResponseReturnValue:
    """A neutral title in the client's calendar, or the session's own."""
    found = seat.posted()
    wishes.set_discreet(get_services(), found.booking.id, found.booking.ref, request.form.get("neutral") == "1")
    return seat.home()


@route(bp, "/manage/reminders", ("POST",))
def reminders() -> ResponseReturnValue:
    """Reminders before the session at the times that were ticked; none at all where none was."""
    found = seat.posted()
    hours = {hours for hours in CHOICES if str(hours) in request.form.getlist("hours[]")}
    wishes.set_reminders(get_services(), found.booking.id, found.booking.ref, hours)
    return seat.home()


@route(bp, "/manage/feed", ("POST",))
def calendar_address() -> ResponseReturnValue:
    """A new address for a calendar app; it is shown once, for only its fingerprint is kept."""
    found = seat.posted()
    address = wishes.feed_address(get_services(), found.booking.id, found.booking.ref)
    return seat.page("manage/feed.html", found, address=address)
