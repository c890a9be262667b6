"""Whose booking this browser has open: the blueprint, the cookie, the token of every form, and what a page shows."""

from functools import cached_property
from typing import Any
from typing import NamedTuple
from zoneinfo import ZoneInfo

from flask import Blueprint
from flask import Response
from flask import make_response
from flask import render_template
from flask import request
from flask import url_for

from microsite.core.bookings import FAILED
from microsite.core.bookings import Booking
from microsite.core.people import Secret
from microsite.core.reminders import CHOICES
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.core.spans import HOUR
from microsite.core.spans import MINUTE
from microsite.errors import WrongBooking
from microsite.services import get_services
from microsite.work import look
from microsite.work import manage as work
from microsite.work import wishes
from microsite.work.look import Coach
from microsite.work.status import status_url

from .. import cookies
from .. import tokens
from .. import zones
from ..i18n import language

bp = Blueprint("manage", __name__)
PURPOSE = "manage "


class Held(NamedTuple):
    """What the cookie opens: the token in it, and its booking."""

    token: str
    booking: Booking


class Shown:
    """A booking with what its page needs to say; what only some states need is looked up when they ask."""

    def __init__(self, held: Held) -> None:
        services = get_services()
        self.booking, self._token = held.booking, held.token
        self.coach: Coach = look.house(services, self.booking.coach)
        settings = self.coach.settings
        self.offer: Offer = settings.offer(self.booking.offer) or _gone(self.booking, settings.session_title)
        self.zone: ZoneInfo = zones.choose(request.args.get("tz"), settings.zoneinfo).zone
        self.tz: dict[str, Any] = {} if self.zone.key == settings.zone else {"tz": self.zone.key}
        self.cancel_until = work.may_cancel_until(services, self.booking)
        self.now = services.clock()

    @property
    def state(self) -> str:
        """The state as the page says it: a booking whose new time is being written is on its way, too."""
        return "confirming" if work.on_its_way(self.booking) else self.booking.state

    @property
    def moving(self) -> bool:
        """Whether a new time is being written."""
        return self.booking.live and self.booking.pending_start is not None

    @property
    def over(self) -> bool:
        """Whether the session has been."""
        return self.booking.live and self.booking.end <= self.now

    @property
    def slow(self) -> bool:
        """Whether the calendar has kept us waiting for so long that asking every second helps nobody."""
        return self.booking.hold_until is None or self.now >= self.booking.hold_until

    @property
    def may_cancel(self) -> bool:
        """Whether the client may still cancel or move by herself."""
        return self.booking.live and self.now < self.cancel_until

    @property
    def may_move(self) -> bool:
        """Whether another time can be chosen now."""
        settled = self.booking.state in {"confirmed", "awaiting-coach"} and not self.moving
        return settled and self.may_cancel and self.coach.settings.offer(self.booking.offer) is not None

    @cached_property
    def by_mail(self) -> bool:
        """Whether letters reach the client."""
        return work.reached_by_mail(get_services(), self.booking)

    @cached_property
    def letters_go(self) -> bool:
        """Whether there is an address to send another letter to."""
        return self.reminders is not None

    @cached_property
    def moved(self) -> bool:
        """Whether it has another time than it was booked for."""
        return work.has_moved(get_services(), self.booking)

    @property
    def cancelled_by_coach(self) -> bool:
        """Whether it was the coach who cancelled."""
        return work.cancelled_by_coach(get_services(), self.booking)

    @cached_property
    def proves(self) -> bool:
        """Whether this page was opened from the letter that asks for the button."""
        return work.proves_address(get_services(), self._token)

    @cached_property
    def reminders(self) -> tuple[int, ...] | None:
        """How many minutes ahead reminders come; None where there is no address."""
        return wishes.chosen_reminders(get_services(), self.booking)

    @property
    def coming_reminders(self) -> int:
        """How many of them are still to come."""
        return sum(self.booking.start - minutes * MINUTE > self.now for minutes in self.reminders or ())

    @property
    def reminder_choices(self) -> list[tuple[int, bool]]:
        """(hours ahead, chosen) of every reminder that is not past already."""
        chosen = {minutes // 60 for minutes in self.reminders or ()}
        return [(each, each in chosen) for each in CHOICES if self.booking.start - each * HOUR > self.now]

    @cached_property
    def others(self) -> tuple[int, ...]:
        """Other free times, where this one came to nothing."""
        return look.alternatives(get_services(), self.booking) if self.booking.state == FAILED else ()

    @property
    def again_url(self) -> str:
        """Where a new time can be chosen."""
        offer, slug = self.coach.settings.offer(self.booking.offer), self.booking.coach
        if offer is None or offer.invited:
            return url_for("visitor.offers", coach=slug)
        return url_for("visitor.times", coach=slug, offer=offer.slug, **self.tz)

    @property
    def status_url(self) -> str:
        """The page that anybody may see."""
        return status_url(get_services(), self.booking, language())

    @property
    def link(self) -> str:
        """This page's own link, for somebody who has no letter with it."""
        return url_for("manage.enter", token=self._token, _external=True)


def held() -> Held:
    """The booking of this browser's cookie; raises NotFound."""
    token = cookies.read("manage")
    return Held(token, work.by_token(get_services(), token))


def posted() -> Held:
    """The same for a form, which must be this cookie's own; raises NotFound, WrongBooking."""
    found = held()
    ours = tokens.same(_bound(found.token), request.form.get("form_token", ""))
    if not ours or request.form.get("ref", "") != found.booking.ref:
        raise WrongBooking("the form belongs to another cookie")
    return found


def page(template: str, found: Held, status: int = 200, **values: Any) -> Response:
    """A page of the client's, whose cookie lives on for another while."""
    given = {"shown": Shown(found), "form_token": form_token(found.token), **values}
    return cookies.give(make_response(render_template(template, **given), status), "manage", Secret(found.token))


def form_token(cookie: str) -> str:
    """The token of this page's forms."""
    return tokens.issue(_bound(cookie))


def home() -> Response:
    """Back to the booking."""
    return to(url_for("manage.show", **zone()))


def to(location: str) -> Response:
    """A 303 without the usual body, which would repeat the address."""
    return Response(status=303, headers={"Location": location})


def zone() -> dict[str, Any]:
    """The zone of this address, to be kept in the next."""
    return {"tz": request.args["tz"]} if "tz" in request.args else {}


def _bound(cookie: str) -> tokens.Bound:
    return tokens.bound(PURPOSE + cookie)


def _gone(booking: Booking, title: Words) -> Offer:
    """An offer that is no longer in the settings, as far as its booking remembers it."""
    return Offer(slug="session", title=title, minutes=max(5, (booking.end - booking.start) // 60))
