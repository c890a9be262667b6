"""The door of the desk: the one-time link, the passkey, the coach's own key, and the way out. See `work.signin`."""

from base64 import b64encode

from flask import Response
from flask import jsonify
from flask import render_template
from flask import request
from flask.typing import ResponseReturnValue

from microsite.core.people import Secret
from microsite.errors import NotFound
from microsite.services import get_services
from microsite.work import desk as work
from microsite.work import look
from microsite.work import signin

from .. import cookies
from .. import tokens
from ..i18n import route
from . import seat
from .seat import bp

DOOR = "door"
CLEAR = '"cache", "storage"'
ARMOR = 64


@route(bp, "/desk/<token>")
def knock(token: str) -> str:
    """A page with one button: programs that open every link in a mail must not use the link up."""
    return render_template("desk/enter.html", form_token=tokens.issue(seat.bound(token)))


@route(bp, "/desk/<token>", ("POST",))
def enter(token: str) -> ResponseReturnValue:
    """Use the one-time link and open the desk."""
    if not tokens.same(seat.bound(token), request.form.get("form_token", "")):
        raise NotFound("not our form")
    return _let_in(work.consume_link(get_services(), token))


def closed() -> str:
    """The page before the door: what to sign in with."""
    return render_template("desk/closed.html", form_token=tokens.issue(seat.bound(DOOR)), several=_several())


@route(bp, "/desk/passkey/question", ("POST",))
def ask_passkey() -> Response:
    """A question for a passkey."""
    _from_door()
    return jsonify(signin.passkey_options(get_services()))


@route(bp, "/desk/passkey", ("POST",))
def with_passkey() -> ResponseReturnValue:
    """Sign in with a passkey."""
    _from_door()
    return _let_in(signin.with_passkey(get_services(), request.form.get("answer", "")))


@route(bp, "/desk/key", ("POST",))
def ask_key() -> str:
    """A challenge sealed to the coach's key, for a browser or for the `age` tool."""
    _from_door()
    sealed = signin.key_challenge(get_services(), request.form.get("coach", "").strip().lower())
    text = b64encode(sealed).decode()
    lines = [text[at : at + ARMOR] for at in range(0, len(text), ARMOR)]
    return render_template(
        "desk/key.html", form_token=tokens.issue(seat.bound(DOOR)), lines=lines, origin=get_services().config.address
    )


@route(bp, "/desk/key/answer", ("POST",))
def with_key() -> ResponseReturnValue:
    """Sign in with what the sealed challenge said."""
    _from_door()
    return _let_in(signin.with_key(get_services(), request.form.get("answer", "")))


@route(bp, "/desk/out", ("POST",))
def leave() -> ResponseReturnValue:
    """Sign out, here or everywhere; the browser is asked to forget what it kept."""
    session = seat.posted()
    if request.form.get("everywhere"):
        signin.sign_out_everywhere(get_services(), session.coach.slug)
    signin.sign_out(get_services(), cookies.read("desk"))
    response = seat.to("desk.show")
    response.delete_cookie(
        cookies.name_of("desk"), secure=get_services().config.https, httponly=True, samesite=cookies.SAME_SITE["desk"]
    )
    response.headers["Clear-Site-Data"] = CLEAR
    return response


def _from_door() -> None:
    if not tokens.same(seat.bound(DOOR), request.form.get("form_token", "")):
        raise seat.Empty("not the form of the door")


def _let_in(session: Secret) -> Response:
    return cookies.give(seat.to("desk.show"), "desk", session)


def _several() -> bool:
    return look.several(get_services())
