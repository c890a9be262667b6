"""Another time: the picker with the times this booking may move to, the question, and the button."""

from typing import Any
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Response
from flask import make_response
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from jinja2_fragments.flask import render_block

from microsite.core import availability
from microsite.core.availability import Times
from microsite.core.hours import local_day
from microsite.core.spans import MINUTE
from microsite.errors import SlotTaken
from microsite.services import get_services
from microsite.work import move as work

from .. import fragments
from .. import picker
from .. import zones
from ..dates import slot_text
from ..i18n import route
from ..picker import read_slot
from . import seat
from .seat import Held
from .seat import Shown
from .seat import bp


class Way(NamedTuple):
    """Where the picker's links lead; see `visitor.Asked`, which leads to the form."""

    zone: ZoneInfo
    zone_unknown: bool

    @property
    def times_url(self) -> str:
        """The picker itself."""
        return url_for("manage.choose")

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """What a form that asks for other times must send along."""
        return ()

    def day_url(self, day: object) -> str:
        """The picker on another day."""
        return url_for("manage.choose", day=day, tz=self.zone.key)

    def slot_url(self, start: int) -> str:
        """The question about one start."""
        return url_for("manage.choose", slot=slot_text(start), tz=self.zone.key)


@route(bp, "/manage/move")
def choose() -> ResponseReturnValue:
    """The times this booking may move to; with `slot`, the question whether it shall."""
    found = seat.held()
    times = work.times_for(get_services(), found.booking)
    if "slot" not in request.args:
        return _picker_page(found, times)
    start = read_slot(request.args.get("slot"))
    if start == found.booking.start:
        return seat.home()
    if not availability.offered(times, start):
        return _picker_page(found, times, 409, taken=start)
    end = start + times.rules.minutes * MINUTE
    return seat.page("manage/move.html", found, start=start, end=end, slot=slot_text(start))


@route(bp, "/manage/move", ("POST",))
def move() -> ResponseReturnValue:
    """Move the booking, or show fresh times where that one is no longer free."""
    found = seat.posted()
    start = read_slot(request.form.get("slot"))
    try:
        work.move(get_services(), found.booking.id, found.booking.ref, start)
    except SlotTaken:
        return _picker_page(found, work.times_for(get_services(), found.booking), 409, taken=start)
    return seat.home()


def _picker_page(found: Held, times: Times, status: int = 200, taken: int | None = None) -> Response:
    shown = Shown(found)
    chosen = zones.choose(request.args.get("tz"), shown.coach.settings.zoneinfo)
    asked = Way(chosen.zone, chosen.unknown)
    wanted = picker.read_day(request.args.get("day")) or local_day(taken or found.booking.start, asked.zone)
    starts = [start for start in availability.offer(times) if start != found.booking.start]
    values: dict[str, Any] = {
        "led": fragments.led(asked),
        "asked": asked,
        "moving": True,
        "coach": shown.coach,
        "offer": shown.offer,
        "picker": picker.pick(starts, asked.zone, wanted),
        "taken": taken,
        "now": shown.now,
    }
    if fragments.wanted():
        return make_response(render_block("manage/times.html", "picker", fragment=True, shown=shown, **values), status)
    return seat.page("manage/times.html", found, status, **values)
