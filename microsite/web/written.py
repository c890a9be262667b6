"""What a visitor wrote, where her browser sealed it before it left: taken as it is, replaced or taken out, never shown.

What the form may hold is `forms`; whether a record fits the coach's keys is `work.written`'s to say.
"""

from typing import Any

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from microsite.core.bookings import Booking
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.errors import NotPossibleNow
from microsite.services import get_services
from microsite.work import look
from microsite.work import manage as desk_of_client
from microsite.work import terms
from microsite.work import written as work

from . import cookies
from . import tokens
from .forms import DetailsForm
from .i18n import language
from .i18n import route

bp = Blueprint("written", __name__)
PURPOSE = "written "
ADDRESS_OPTIONAL = Offer(slug="session", title=Words(en="Session"), minutes=60, email="optional")


def init_app(app: Flask) -> None:
    """Let the form's page name the keys to seal to, and the client's page say who can read what was written."""
    app.register_blueprint(bp)
    app.jinja_env.globals.update(sealing=sealing, only_coach_reads=only_coach_reads)


def sealing(coach: str) -> dict[str, Any]:
    """The coach's public keys, the sign of this set of keys, and the version of her privacy page."""
    keys = work.recipients(get_services(), coach)
    return {
        "recipients": " ".join(keys),
        "mark": work.mark(keys),
        "version": terms.current(get_services(), coach).version,
    }


def only_coach_reads(booking: Booking) -> bool:
    """Whether what was written was sealed in the visitor's browser."""
    return work.only_coach_reads(get_services(), booking.id)


def acceptable(coach: str, form: DetailsForm) -> bool:
    """Whether what the browser sealed (if it did) can be kept; if not, the form is to be shown again."""
    if not form.from_browser:
        return True
    if work.fits(get_services(), coach, form.sealed_record(), form.sealed_for.data or ""):
        return True
    form.form_token.errors = [*form.form_token.errors, tokens.LATE]
    return False


@route(bp, "/manage/written")
def show() -> ResponseReturnValue:
    """Who can read what was written, and a form to put something else in its place."""
    booking = _booking()
    return _page(booking, DetailsForm(ADDRESS_OPTIONAL, _bound()))


@route(bp, "/manage/written", ("POST",))
def replace() -> ResponseReturnValue:
    """Put something else in the place of what was written, or take it out."""
    services, booking = get_services(), _booking()
    form = DetailsForm(ADDRESS_OPTIONAL, _bound())
    ref = request.form.get("ref", "")
    if request.form.get("take-out") and tokens.same(_bound(), form.form_token.data or ""):
        work.replace(services, booking, ref, None)
    elif not form.validate() or form.trapped or not acceptable(booking.coach, form):
        return _page(booking, form), 422
    elif form.from_browser:
        work.replace(services, booking, ref, form.sealed_record())
    else:
        work.replace_open(services, booking, ref, form.details(), language())
    return Response(status=303, headers={"Location": url_for("manage.show")})


def _booking() -> Booking:
    booking = desk_of_client.by_token(get_services(), cookies.read("manage"))
    if not only_coach_reads(booking):
        raise NotPossibleNow("there is nothing that only the coach reads")
    return booking


def _page(booking: Booking, form: DetailsForm) -> str:
    coach = look.house(get_services(), booking.coach)
    return render_template("manage/written.html", booking=booking, coach=coach, form=form)


def _bound() -> tokens.Bound:
    return tokens.bound(PURPOSE + cookies.read("manage"))
