"""The sessions: what is coming, what is still kept of what was, and what the coach may do with each.

Records go to the page as they are sealed; only her browser opens them.
"""

from base64 import b64encode
from collections.abc import Callable
from datetime import date
from datetime import timedelta
from itertools import groupby
from typing import Any
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Response
from flask import request
from flask.typing import ResponseReturnValue

from microsite.core.bookings import Booking
from microsite.core.hours import local_day
from microsite.errors import NotFound
from microsite.services import Services
from microsite.services import get_services
from microsite.work import answer
from microsite.work import desk as work
from microsite.work import judge
from microsite.work import keys
from microsite.work import restored
from microsite.work.erase import erase
from microsite.work.look import Coach
from microsite.work.passkeys import b64

from ..i18n import route
from . import door
from . import seat
from .seat import bp

SOON = timedelta(days=7)


class Day(NamedTuple):
    """The bookings of one of the coach's days."""

    day: date
    bookings: list[Booking]


@route(bp, "/desk")
def show() -> ResponseReturnValue:
    """Today, the coming days, what comes later, and what was; or the door."""
    try:
        session = seat.seated()
    except seat.Empty:
        return door.closed()
    services, coach = get_services(), session.coach
    if not coach.demo and not keys.key_set(services, coach.slug).complete and not coach.open:
        return seat.to("desk.set_up")
    zone = coach.settings.zoneinfo
    today = local_day(session.now, zone)
    coming = work.coming(services, coach)
    kept = keys.records(services, coach.slug)
    past = [booking for booking, _ in kept if booking.id not in {each.id for each in coming}]
    days = by_day(coming, zone)
    return seat.page(
        "desk/show.html",
        session,
        today=today,
        week=week(days, today),
        soon=[each for each in days if each.day < today + SOON],
        later=[each for each in days if each.day >= today + SOON],
        past=by_day(past, zone)[::-1],
        records={booking.id: b64encode(sealed).decode() for booking, sealed in kept},
        writable=work.writable(services, coming),
        braked=work.braked(services, coach),
        restored=restored.notice(services, coach.slug),
        wraps=_wraps(services, coach),
    )


@route(bp, "/desk/records/<ref>.age")
def record(ref: str) -> ResponseReturnValue:
    """One sealed record, for the `age` tool: `age -d -i coach.txt K7QD.age`."""
    session = seat.seated()
    for booking, sealed in keys.records(get_services(), session.coach.slug):
        if booking.ref == ref:
            response = Response(sealed, content_type="application/octet-stream")
            response.headers["Content-Disposition"] = f'attachment; filename="{booking.ref}.age"'
            return response
    raise NotFound("no such record")


@route(bp, "/desk/cancel", ("POST",))
def cancel() -> ResponseReturnValue:
    """Cancel a session; the client is told."""
    return _do(lambda services, coach, booking: work.cancel_at_desk(services, coach, booking.id), "cancelled")


@route(bp, "/desk/ask-to-move", ("POST",))
def ask_to_move() -> ResponseReturnValue:
    """Ask the client for another time."""
    return _do(lambda services, coach, booking: work.ask_to_move(services, coach, booking.id), "asked")


@route(bp, "/desk/approve", ("POST",))
def approve() -> ResponseReturnValue:
    """Say yes to a request."""
    return _do(lambda services, coach, booking: answer.approve(services, coach.slug, booking.id), "approved")


@route(bp, "/desk/decline", ("POST",))
def decline() -> ResponseReturnValue:
    """Say no to a request."""
    return _do(lambda services, coach, booking: answer.decline(services, coach.slug, booking.id), "declined")


@route(bp, "/desk/erase", ("POST",))
def erase_all() -> ResponseReturnValue:
    """Erase everything about a booking at once."""
    return _do(lambda services, coach, booking: erase(services, booking.id, booking.ref), "erased")


@route(bp, "/desk/release", ("POST",))
def release() -> ResponseReturnValue:
    """Say that the many deletions in the calendar were meant."""
    session = seat.posted()
    judge.release_brake(get_services(), session.coach.slug)
    return seat.to("desk.show")


def week(days: list[Day], today: date) -> list[Day]:
    """Today and the six days after it, those without a booking too."""
    known = {each.day: each for each in days}
    coming = (today + timedelta(days=number) for number in range(SOON.days))
    return [known.get(day, Day(day, [])) for day in coming]


def by_day(bookings: list[Booking], zone: ZoneInfo) -> list[Day]:
    """Bookings in order of time, grouped by local day."""
    ordered = sorted(bookings, key=lambda each: each.start)
    return [Day(day, list(group)) for day, group in groupby(ordered, key=lambda each: local_day(each.start, zone))]


def _do(act: Callable[[Services, Coach, Booking], Any], done: str) -> Response:
    """Do something about the booking of a form, and back to the sessions, which say what was `done`."""
    session = seat.posted()
    booking = work.by_ref(get_services(), session.coach, request.form.get("ref", ""))
    act(get_services(), session.coach, booking)
    return seat.to("desk.show", done=done)


def _wraps(services: Services, coach: Coach) -> dict[str, str]:
    """The wrapped identities as the page carries them: `base64 base64`, and `id:base64 id:base64`."""
    found = keys.wraps(services, coach.slug)
    return {
        "passphrase": " ".join(b64encode(each).decode() for each in found.by_passphrase),
        "passkeys": " ".join(f"{b64(each)}:{b64encode(wrap).decode()}" for each, wrap in found.by_passkey.items()),
    }
