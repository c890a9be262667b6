"""Domain errors and HTTP errors as kind pages, each in the visitor's language and with its own status.

A page never says what was wrong with a link: unknown, expired and erased look the same, to the byte.
"""

import logging
import math
from http import HTTPStatus
from typing import Any
from typing import NamedTuple

from flask import Flask
from flask import Response
from flask import make_response
from flask import render_template
from flask import request
from flask_babel import gettext
from flask_babel import ngettext
from jinja2_fragments.flask import render_block
from werkzeug.exceptions import HTTPException
from werkzeug.exceptions import SecurityError

from microsite.errors import MicrositeError
from microsite.errors import NotFound
from microsite.errors import NotInvited
from microsite.errors import NotPossibleNow
from microsite.errors import SlotTaken
from microsite.errors import StoreUnreadable
from microsite.errors import TimesUnknown
from microsite.errors import TooLate
from microsite.errors import TooOften
from microsite.errors import WrongBooking

from . import fragments

STATUS: dict[type[MicrositeError], int] = {
    NotFound: 404,
    SlotTaken: 409,
    WrongBooking: 409,
    TooLate: 409,
    NotPossibleNow: 409,
    TimesUnknown: 503,
    StoreUnreadable: 503,
    TooOften: 429,
}
PERSONAL_ENDPOINTS = ("manage.", "written.", "desk.")
PAUSE = 120
log = logging.getLogger("microsite.web")


class Words(NamedTuple):
    """What a refusal page says: its state (for `data-state`), a heading, and one or two sentences."""

    state: str
    heading: str
    text: str
    home: bool = True


def init_app(app: Flask) -> None:
    """Register the handlers, and what an error writes to the log."""
    app.log_exception = log_error  # type: ignore[method-assign]
    app.register_error_handler(MicrositeError, refuse)
    app.register_error_handler(HTTPException, refuse_http)


def log_error(exc_info: Any) -> None:
    """In place of Flask's own line, which holds the path and with it a token: the view and the method only."""
    log.error(
        "a page could not be made", exc_info=exc_info, extra={"route": request.endpoint, "method": request.method}
    )


def refuse(error: MicrositeError) -> Response:
    """A domain error as a page; one that has no page of its own is the site's fault."""
    status = next((code for kind, code in STATUS.items() if isinstance(error, kind)), None)
    if status is None:
        raise error
    if isinstance(error, StoreUnreadable):
        tell_operator(error)
    return page(status, _words_for(error))


def tell_operator(error: StoreUnreadable) -> None:
    """What she must mend: which file, and what is wrong with it."""
    log.error(
        "a page waits for the database or the disk; microsite doctor says what to do",
        extra={"route": request.endpoint, "file": error.file, "reason": error.word},
    )


def refuse_http(error: HTTPException) -> Response:
    """An HTTP error as a page."""
    if isinstance(error, SecurityError):  # a foreign Host header: no address could be built for a page
        return Response("Unknown host.\n", 400, content_type="text/plain; charset=utf-8")
    if error.code is None or error.code < 400:
        return make_response(error.get_response())
    response = page(error.code, _words_http(error.code))
    for name, value in error.get_headers():
        if name in {"Allow", "Retry-After"}:
            response.headers[name] = value
    return response


def page(status: int, words: Words) -> Response:
    """A refusal page."""
    values = {"words": words, "status": status, "typed": _typed() if words.state == "unavailable" else None}
    if fragments.wanted():  # whatever part was asked for, a refusal takes the place of the whole content
        response = make_response(render_block("refusal.html", "page", **values), status)
        response.headers.update({"HX-Retarget": "#main", "HX-Reswap": "outerHTML", "HX-Push-Url": "false"})
    else:
        response = make_response(render_template("refusal.html", **values), status)
    return response


def _typed() -> list[tuple[str, str]] | None:
    """What was sent, to be sent once more with one press: nobody types a thing twice because our disk is full."""
    if request.method != "POST":
        return None
    return [(name, text) for name, text in request.form.items(multi=True)]


def too_many(seconds: int) -> Words:
    """What somebody reads who meets a limit: when to come back."""
    return Words("too-many", gettext("A little pause, please"), pause_text(seconds))


def pause_text(seconds: int) -> str:
    """How long the pause is, in whole minutes."""
    minutes = max(1, math.ceil(seconds / 60))
    text: str = ngettext(
        "Much came from your network in a short time, perhaps not from you. Please come back in %(num)s minute.",
        "Much came from your network in a short time, perhaps not from you. Please come back in %(num)s minutes.",
        minutes,
    )
    return text


def _words_for(error: MicrositeError) -> Words:
    if isinstance(error, NotInvited):
        return Words(
            "not-invited",
            gettext("This invitation opens nothing (any more)"),
            gettext(
                "This session is by invitation. The link may be mistyped, its days may be over, or it has been used. "
                "Ask me for a new one; you are welcome."
            ),
        )
    if isinstance(error, TooOften):
        return Words(
            "too-often",
            gettext("Enough for now"),
            gettext(
                "That was asked for a few times already, and nothing more was sent. Look in your spam folder; "
                "if nothing is there either, write to me directly."
            ),
            home=False,
        )
    if isinstance(error, NotFound):
        return _link_dead() if (request.endpoint or "").startswith(PERSONAL_ENDPOINTS) else _not_found()
    if isinstance(error, TooLate):
        return Words(
            "too-late",
            gettext("It is too close to the session now"),
            gettext("Nothing was changed. Write to your coach directly; she can still change the session."),
            home=False,
        )
    if isinstance(error, WrongBooking):
        return Words(
            "wrong-booking",
            gettext("Another booking is open in this browser"),
            gettext("Nothing was changed. Open the link in the e-mail about the booking you mean, then try again."),
            home=False,
        )
    if isinstance(error, NotPossibleNow):
        return Words(
            "not-possible",
            gettext("That cannot be done just now"),
            gettext("Nothing was changed. Look at the booking once more: it may have changed a moment ago."),
            home=False,
        )
    if isinstance(error, TimesUnknown):
        return _times_unknown()
    if isinstance(error, StoreUnreadable):
        return _unavailable()
    return _taken()


def _link_dead() -> Words:
    return Words(
        "gone",
        gettext("This link opens nothing (any more)"),
        gettext(
            "It may be mistyped or expired, or what it opened has been erased. If the page simply stood open for a "
            "while, it closed itself for your privacy: open it again from the link in your e-mail."
        ),
    )


def _not_found() -> Words:
    return Words(
        "not-found",
        gettext("There is nothing here"),
        gettext("The address may be mistyped, or the page has moved. The sessions are still where they were."),
    )


def _times_unknown() -> Words:
    return Words(
        "times-unknown",
        gettext("Times can't be shown now"),
        gettext(
            "The calendar does not answer at the moment, and a time that may not be free is not shown. "
            "Please try again in a few minutes; nothing is lost."
        ),
    )


def _unavailable() -> Words:
    return Words(
        "unavailable",
        gettext("This site has to catch its breath"),
        gettext("Something on our machine is not well, and nothing was changed. Please try again in a few minutes."),
    )


def _taken() -> Words:
    return Words("taken", gettext("That time is no longer free"), gettext("Nothing was booked. Please choose another."))


def _words_http(code: int) -> Words:
    if code == HTTPStatus.NOT_FOUND:
        return _not_found()
    if code == HTTPStatus.METHOD_NOT_ALLOWED:
        return Words("not-allowed", gettext("That does not work here"), gettext("Nothing was changed."))
    if code == HTTPStatus.FORBIDDEN:
        return Words(
            "foreign",
            gettext("This came from another site"),
            gettext("For your safety nothing was done. Open the booking page itself and try again."),
        )
    if code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return Words(
            "too-large",
            gettext("That was too much text"),
            gettext(
                "Nothing was sent on and nothing was kept. Go back and shorten it; a note may have 500 characters."
            ),
        )
    if code == HTTPStatus.TOO_MANY_REQUESTS:
        return too_many(PAUSE)
    if code < HTTPStatus.INTERNAL_SERVER_ERROR:
        return Words("unreadable", gettext("That could not be read"), gettext("Nothing was changed. Please try again."))
    return Words(
        "failed-here",
        gettext("Something went wrong on our side"),
        gettext("Nothing you wrote was put into a log. Please try again in a moment."),
    )
