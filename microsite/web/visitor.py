"""The visitor's way: coaches, offers, times, and the form. Sets no cookie; after the POST `manage` takes over."""

from collections.abc import Sequence
from datetime import date
from typing import Any

from flask import Blueprint
from flask import Response
from flask import current_app
from flask import make_response
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import ImmutableMultiDict
from werkzeug.datastructures import MultiDict

from microsite.core import availability
from microsite.core.hours import local_day
from microsite.core.people import Secret
from microsite.errors import NotFound
from microsite.errors import NotInvited
from microsite.errors import SlotTaken
from microsite.errors import StoreUnreadable
from microsite.errors import TimesUnknown
from microsite.services import get_services
from microsite.work import book as booking
from microsite.work import look
from microsite.work import once
from microsite.work.invite import invited
from microsite.work.look import Coach
from microsite.work.polls import refresh

from . import cookies
from . import fragments
from . import picker
from . import ready
from . import refusals
from . import tokens
from . import written
from . import zones
from .asked import Asked
from .dates import slot_text
from .forms import DetailsForm
from .i18n import language
from .i18n import route
from .part import Part
from .picker import read_slot
from .refusals import pause_text

bp = Blueprint("visitor", __name__)
EMPTY: ImmutableMultiDict[str, str] = ImmutableMultiDict()


@route(bp, "/")
def front() -> ResponseReturnValue:
    """The only coach's page, or a list of all."""
    coaches = look.coaches(get_services())
    if len(coaches) == 1:
        return _offers_page(coaches[0])
    return render_template("visitor/coaches.html", coaches=coaches)


@route(bp, "/<slug:coach>/")
def offers(coach: str) -> ResponseReturnValue:
    """What a coach offers."""
    return _offers_page(look.coach(get_services(), coach))


@route(bp, "/<slug:coach>/<slug:offer>/")
def times(coach: str, offer: str) -> ResponseReturnValue:
    """The picker: a page, or its fragment for htmx. Once it is sent, calendars that are old are asked again."""
    asked, services = _asked(coach, offer), get_services()
    now = services.clock()
    try:
        starts = look.starts(services, asked.coach, asked.offer)
    except TimesUnknown:
        page = _picker_page(asked, None, 503)
    else:
        page = _picker_page(asked, starts)
        part = _part(asked, picker.read_day(request.args.get("day")))
        ready.lend(page, part, starts, now)
    if asked.coach.old:
        page.call_on_close(lambda: refresh(services, asked.coach.slug))
    return page


@route(bp, "/<slug:coach>/<slug:offer>/book")
def form(coach: str, offer: str) -> ResponseReturnValue:
    """The form for one start; 409 with fresh times when that start is not offered.

    Whoever goes back to it after booking is led to her booking, and not told that the time is gone.
    """
    start = read_slot(request.args.get("slot"))
    if once.own(get_services(), coach, offer, start, cookies.read("manage")):
        return _see_other(url_for("manage.show", **_zone(request.args.get("tz"))))
    asked = _asked(coach, offer)
    found = look.times(get_services(), asked.coach, asked.offer)
    if not availability.offered(found, start):
        return _picker_page(asked, availability.offer(found), 409, taken=start)
    return _form_page(asked, start, _form(asked, start))


@route(bp, "/<slug:coach>/<slug:offer>/book", ("POST",))
def book(coach: str, offer: str) -> ResponseReturnValue:
    """Book, or show the form again with all that was typed. A form that arrives twice leads to the booking it made."""
    start = _posted_slot()
    if "invite" in request.form and (again := _booked_before(coach, offer, start)):
        return again  # an invitation for one booking is spent by now
    asked = _asked(coach, offer)
    details = _form(asked, start)
    try:
        if not availability.offered(look.times(get_services(), asked.coach, asked.offer), start):
            raise SlotTaken("not offered")
        if not details.validate() or details.trapped or not _chosen() or not written.acceptable(coach, details):
            return _form_page(asked, start, details, 422)
        token = _hold(asked, start, details)
    except SlotTaken:
        return _booked_before(coach, offer, start) or _taken_page(asked, start, details)
    except TimesUnknown:
        return _form_page(asked, start, details, 503)
    except StoreUnreadable as error:
        refusals.tell_operator(error)
        return _form_page(asked, start, details, 503, unwell=True)
    return _to_booking(token, "" if asked.zone.key == asked.coach.settings.zone else asked.zone.key)


def too_many(seconds: int) -> Response:
    """The form again with all that was typed, for somebody whose network has booked too much for now."""
    given = request.view_args or {}
    asked, start = _asked(given["coach"], given["offer"]), _posted_slot()
    details = _form(asked, start)
    details.validate()
    return _form_page(asked, start, details, 429, pause=pause_text(seconds))


def _asked(coach_slug: str, offer_slug: str) -> Asked:
    coach = look.coach(get_services(), coach_slug)
    offer = coach.settings.offer(offer_slug)
    if offer is None:
        raise NotFound("no such offer")
    # A GET has no form; not even asking for it saves reading one.
    typed = request.form if request.method == "POST" else EMPTY
    invite = (typed.get("invite") or request.args.get("invite", "")) if offer.invited else ""
    if offer.invited and not invited(get_services(), coach.slug, offer.slug, invite):
        raise NotInvited("no invitation, or one that is spent or over")
    chosen = zones.choose(typed.get("tz") or request.args.get("tz"), coach.settings.zoneinfo)
    return Asked(coach, offer, chosen.zone, chosen.unknown, invite)


def _hold(asked: Asked, start: int, details: DetailsForm) -> Secret:
    """Hold the start; answers the first token of the booking. Raises what `work.book.book` raises."""
    return booking.book(
        get_services(),
        asked.coach.slug,
        asked.offer.slug,
        start,
        details.details(),
        language(),
        asked.zone.key,
        asked.invite,
        details.sealed_record(),
        details.terms.data or "",
        details.once.data or "",
    ).token


def _booked_before(coach: str, offer: str, start: int) -> Response | None:
    """Where a form that arrives twice leads: to the booking that it made the first time."""
    token = once.booked_before(get_services(), coach, offer, start, request.form.get("once", ""))
    return _to_booking(token, request.form.get("tz")) if token else None


def _to_booking(token: Secret, zone: str | None) -> Response:
    return _see_other(url_for("manage.enter", token=token.reveal(), **_zone(zone)))


def _see_other(location: str) -> Response:
    """A 303 without the usual body, which would repeat the address and the token in it."""
    return Response(status=303, headers={"Location": location})


def _zone(zone: str | None) -> dict[str, Any]:
    return {"tz": zone} if zone else {}


def _posted_slot() -> int:
    """The start of a form: another one chosen after a refusal, else its own."""
    choice, _, _ = request.form.get("choice", "").partition("~")
    return read_slot(choice or request.form.get("slot") or request.args.get("slot"))


def _chosen() -> bool:
    """A form that offered other times must come back with one of them."""
    return "choose" not in request.form or bool(request.form.get("choice"))


def _bound(asked: Asked, start: int) -> tokens.Bound:
    purpose = f"book {asked.coach.slug} {asked.offer.slug} {slot_text(start)}"
    return tokens.bound(purpose)


def _form(asked: Asked, start: int) -> DetailsForm:
    _, _, token = request.form.get("choice", "").partition("~")
    box = asked.coach.settings.note_consent == "box"
    if token:  # another time was chosen after a refusal; its token came with the choice
        typed = MultiDict(request.form)
        typed["form_token"] = token
        return DetailsForm(asked.offer, _bound(asked, start), box, formdata=typed)
    return DetailsForm(asked.offer, _bound(asked, start), box)


def _offers_page(coach: Coach) -> str:
    return render_template("visitor/offers.html", coach=coach, offers=look.offers(coach))


def _picker_page(asked: Asked, starts: Sequence[int] | None, status: int = 200, taken: int | None = None) -> Response:
    """The picker with these starts, None where they are not known.

    With `taken`, on the day of the start that could not be had.
    """
    now = get_services().clock()
    wanted = picker.read_day(request.args.get("day"))
    if taken is not None:
        wanted = wanted or local_day(taken, asked.zone)
    part = _part(asked, wanted)
    if fragments.wanted():
        return make_response(part.drawn(starts, now, taken), status)
    shown = picker.pick(starts, asked.zone, wanted) if starts else None
    page = render_template(
        "visitor/times.html", picker=shown, unknown=starts is None, taken=taken, now=now, **part.values
    )
    return make_response(page, status)


def _part(asked: Asked, wanted: date | None) -> Part:
    values = {"led": fragments.led(asked), "asked": asked, "coach": asked.coach, "offer": asked.offer, "moving": False}
    return Part.of(current_app.jinja_env, language(), wanted, values)


def _form_page(
    asked: Asked, start: int, form: DetailsForm, status: int = 200, pause: str = "", unwell: bool = False
) -> Response:
    values = {"asked": asked, "start": start, "form": form, "others": None, "status": status, "pause": pause}
    values["unwell"] = unwell
    page = render_template("visitor/book.html", **values)
    return make_response(page, status)


def _taken_page(asked: Asked, start: int, form: DetailsForm) -> Response:
    """409: the form with all that was typed, and the nearest free times as choices inside it."""
    found = look.times(get_services(), asked.coach, asked.offer)
    issued = tokens.issued_at(_bound(asked, start), form.form_token.data or "")
    others = [(at, tokens.issue(_bound(asked, at), issued)) for at in availability.nearest(found, start)]
    form.validate()
    page = render_template("visitor/book.html", asked=asked, start=start, form=form, others=others, status=409)
    return make_response(page, 409)
