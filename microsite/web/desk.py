"""The coach's desk, first version: a one-time link, and a plain list of coming bookings without client details."""

from datetime import date
from datetime import timedelta
from itertools import groupby
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import Response
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from microsite.core.bookings import Booking
from microsite.core.hours import local_day
from microsite.errors import NotFound
from microsite.services import get_services
from microsite.work import desk as work
from microsite.work import signin

from . import cookies
from . import tokens
from .i18n import route

bp = Blueprint("desk", __name__)
PURPOSE = "desk "


class Day(NamedTuple):
    """The coming bookings of one of the coach's days."""

    day: date
    bookings: list[Booking]


@route(bp, "/desk/<token>")
def knock(token: str) -> str:
    """A page with one button: programs that open every link in a mail must not use the link up."""
    return render_template("desk/enter.html", form_token=tokens.issue(_bound(token)))


@route(bp, "/desk/<token>", ("POST",))
def enter(token: str) -> ResponseReturnValue:
    """Use the one-time link and open the desk."""
    if not tokens.same(_bound(token), request.form.get("form_token", "")):
        raise NotFound("not our form")
    session = work.consume_link(get_services(), token)
    return cookies.give(Response(status=303, headers={"Location": url_for("desk.show")}), "desk", session)


@route(bp, "/desk")
def show() -> ResponseReturnValue:
    """Today, the coming days, and what comes later."""
    services = get_services()
    try:
        coach = signin.session(services, cookies.read("desk")).coach
    except NotFound:
        return render_template("desk/closed.html"), 404
    zone = coach.settings.zoneinfo
    today = local_day(services.clock(), zone)
    days = by_day(work.coming(services, coach), zone)
    soon = [day for day in days if day.day < today + timedelta(days=7)]
    later = [day for day in days if day.day >= today + timedelta(days=7)]
    return render_template(
        "desk/show.html", coach=coach, zone=zone, today=today, soon=soon, later=later, shown_at=services.clock()
    )


def by_day(bookings: list[Booking], zone: ZoneInfo) -> list[Day]:
    """Bookings in order of time, grouped by local day."""
    ordered = sorted(bookings, key=lambda each: each.start)
    return [Day(day, list(group)) for day, group in groupby(ordered, key=lambda each: local_day(each.start, zone))]


def _bound(token: str) -> tokens.Bound:
    return tokens.bound(PURPOSE + token)
