"""Who sits at the desk: blueprint, the session behind the cookie, and the token of every form. Signing in is `door`."""

from typing import Any

from flask import Blueprint
from flask import Response
from flask import redirect
from flask import render_template
from flask import request
from flask import url_for
from flask.typing import ResponseReturnValue

from microsite.errors import MicrositeError
from microsite.errors import NotFound
from microsite.errors import SignInRefused
from microsite.errors import TooOften
from microsite.services import get_services
from microsite.work import keys
from microsite.work import signin
from microsite.work.signin import Session

from .. import cookies
from .. import tokens

bp = Blueprint("desk", __name__)
PURPOSE = "desk "


class Empty(MicrositeError):
    """Nobody sits at the desk."""


class WrittenTo(Empty):
    """The same, for a form in which somebody wrote at length."""


def seated() -> Session:
    """The session of this browser; raises Empty, which leads to the door."""
    try:
        return signin.session(get_services(), cookies.read("desk"))
    except NotFound:
        raise Empty("nobody has signed in") from None


def posted() -> Session:
    """The same for a form, which must be this session's own; raises Empty."""
    session = seated()
    if not tokens.same(bound(), request.form.get("form_token", "")):
        raise Empty("the form is another session's")
    return session


def written_to() -> tuple[Session, bool]:
    """The session of a form in which somebody wrote at length, and whether the form is this session's own.

    One of an earlier session changes nothing, and its words are to be shown again. Raises WrittenTo without a session.
    """
    try:
        session = seated()
    except Empty:
        raise WrittenTo("the session ended while somebody was writing") from None
    return session, tokens.same(bound(), request.form.get("form_token", ""))


def bound(purpose: str = "") -> tokens.Bound:
    """What forms are tied to: the session's cookie, or at the door a purpose."""
    return tokens.bound(PURPOSE + (purpose or cookies.read("desk")))


def page(template: str, session: Session, **values: Any) -> str:
    """A page of the desk."""
    known = keys.key_set(get_services(), session.coach.slug)
    return render_template(
        template,
        session=session,
        coach=session.coach,
        zone=session.coach.settings.zoneinfo,
        now=session.now,
        key_set=known,
        form_token=tokens.issue(bound()),
        **values,
    )


def to(endpoint: str, **values: Any) -> Response:
    """A 303 to a page of the desk, without a body."""
    return Response(status=303, headers={"Location": url_for(endpoint, **values)})


@bp.errorhandler(Empty)
def lead_to_door(error: Empty) -> ResponseReturnValue:
    """Whoever is not signed in is led to the door; nothing was done."""
    return redirect(url_for("desk.show"), 303)


@bp.errorhandler(WrittenTo)
def hold_on_to(error: WrittenTo) -> ResponseReturnValue:
    """The words stay on a page, to be sent again once she has signed in beside it; nothing was done."""
    typed = [(name, value) for name, value in request.form.items(multi=True) if name != "form_token"]
    return render_template("desk/again.html", typed=typed, action=request.path), 403


@bp.errorhandler(SignInRefused)
def say_refused(error: SignInRefused) -> ResponseReturnValue:
    """The one answer to every failed sign-in, and to a change that wants a fresh one; it never says why."""
    return render_template("desk/refused.html"), 403


@bp.errorhandler(TooOften)
def say_too_often(error: TooOften) -> ResponseReturnValue:
    """Asked for once too often; nothing was done."""
    return render_template("desk/too-often.html"), 409
