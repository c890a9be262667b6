"""What the client wrote: to read, to correct, to take along, and to erase, each at once.

Where her browser sealed it before it left, only the coach reads it, and `web.written` is the page for it.
"""

from base64 import b64decode
from base64 import b64encode

from flask import Response
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue
from werkzeug.datastructures import MultiDict

from microsite.core.people import Record
from microsite.core.settings import Offer
from microsite.errors import NotFound
from microsite.services import get_services
from microsite.work import rights as work
from microsite.work.erase import erase
from microsite.work.written import only_coach_reads

from .. import cookies
from .. import tokens
from ..forms import DetailsForm
from ..i18n import route
from . import seat
from .seat import Shown
from .seat import bp

LAST_FILE = "last file "


class CorrectionForm(DetailsForm):
    """The same fields as when it was written. Its token is the client's page's, so there is no clock in it."""

    class Meta(DetailsForm.Meta):
        csrf = False


@route(bp, "/manage/yours")
def yours() -> ResponseReturnValue:
    """What was written, in the form that corrects it; with a later link an empty form, and why."""
    found = seat.held()
    if only_coach_reads(get_services(), found.booking.id):
        return seat.to(url_for("written.show"))
    record = work.written(get_services(), found.token)
    return seat.page("manage/yours.html", found, form=_form(Shown(found).offer, record), record=record)


@route(bp, "/manage/yours", ("POST",))
def correct() -> ResponseReturnValue:
    """Put other words in the place of what was written."""
    found = seat.posted()
    form = CorrectionForm(Shown(found).offer, tokens.bound(""))
    if not form.validate():
        record = work.written(get_services(), found.token)
        return seat.page("manage/yours.html", found, 422, form=form, record=record)
    elsewhere = work.correct(get_services(), found.token, found.booking.ref, form.details())
    return seat.page("manage/corrected.html", found, elsewhere=elsewhere)


@route(bp, "/manage/export", ("POST",))
def export() -> ResponseReturnValue:
    """Everything that is kept, as a file that other programs read."""
    found = seat.posted()
    response = Response(work.export(get_services(), found.token, found.booking.ref), content_type="application/json")
    response.headers["Content-Disposition"] = 'attachment; filename="session.json"'
    return response


@route(bp, "/manage/erase")
def ask_erase() -> ResponseReturnValue:
    """What erasing means, and one button."""
    return seat.page("manage/erase.html", seat.held())


@route(bp, "/manage/erase", ("POST",))
def erase_all() -> ResponseReturnValue:
    """Erase everything now; the last page holds the file that clears the client's own calendar, and nothing is kept."""
    found = seat.posted()
    shown, services = Shown(found), get_services()
    known = found.booking.end > shown.now and found.booking.client_uid
    file = b64encode(work.last_file(services, found.booking)).decode() if known else ""
    erase(services, found.booking.id, found.booking.ref)
    signed = tokens.issue(tokens.bound(LAST_FILE + file))
    page = render_template("manage/erased.html", coach=shown.coach, file=file, file_token=signed)
    return cookies.take(Response(page), "manage")


@route(bp, "/manage/last.ics", ("POST",))
def last_file() -> Response:
    """The cancelling file, as the last page handed it out: nothing of it is kept here, so the page brings it back."""
    text = request.form.get("file", "")
    if not text or not tokens.same(tokens.bound(LAST_FILE + text), request.form.get("file_token", "")):
        raise NotFound("not our file")
    response = Response(b64decode(text), content_type="text/calendar; charset=utf-8")
    response.headers["Content-Disposition"] = 'attachment; filename="session.ics"'
    return response


def _form(offer: Offer, record: Record | None) -> CorrectionForm:
    if record is None:
        return CorrectionForm(offer, tokens.bound(""), formdata=None)
    name, email, note = record.details.reveal()
    typed = MultiDict({"name": name, "email": email, "note": note})
    return CorrectionForm(offer, tokens.bound(""), formdata=typed)
