"""Keys and passkeys: the first visit, a change of keys, who can sign in. Browsers make them; see `work.keys`."""

from base64 import b64decode
from base64 import b64encode

from flask import Response
from flask import jsonify
from flask import request
from flask.typing import ResponseReturnValue

from microsite.errors import SignInRefused
from microsite.errors import WrongKey
from microsite.services import get_services
from microsite.work import keys
from microsite.work import passkeys
from microsite.work import signin

from ..i18n import route
from . import seat
from .seat import bp


@route(bp, "/desk/keys")
def key_ring() -> ResponseReturnValue:
    """The passkeys and the keys there are."""
    session = seat.seated()
    return seat.page("desk/keys.html", session, passkeys=signin.passkeys_of(get_services(), session.coach.slug))


@route(bp, "/desk/keys/new")
def set_up() -> ResponseReturnValue:
    """The first visit, or a change of keys: everything happens in this page's browser."""
    session = seat.seated()
    if not session.fresh:
        raise SignInRefused("making keys wants a fresh sign-in")
    return _set_up_page(session, "")


@route(bp, "/desk/keys", ("POST",))
def add_keys() -> ResponseReturnValue:
    """Seal to these keys from now on."""
    session = seat.posted()
    given = request.form
    try:
        new = keys.NewKeys(
            given.get("everyday", ""), given.get("recovery", ""), given.get("successor", ""), _raw(given.get("wrapped"))
        )
        keys.add_keys(get_services(), session, new)
    except WrongKey:
        return _set_up_page(session, "key"), 422
    return seat.to("desk.key_ring")


@route(bp, "/desk/keys/retire", ("POST",))
def retire() -> ResponseReturnValue:
    """Seal nothing more to earlier keys."""
    session = seat.posted()
    keys.retire_earlier(get_services(), session)
    return seat.to("desk.key_ring")


@route(bp, "/desk/records")
def records() -> Response:
    """Every sealed record, for the browser that seals them anew."""
    session = seat.seated()
    found = keys.records(get_services(), session.coach.slug)
    return jsonify([{"ref": booking.ref, "sealed": b64encode(sealed).decode()} for booking, sealed in found])


@route(bp, "/desk/records", ("POST",))
def reseal() -> ResponseReturnValue:
    """One record, sealed anew."""
    session, given = seat.posted(), request.form
    keys.reseal(get_services(), session, given.get("ref", ""), given.get("digest", ""), _raw(given.get("sealed")))
    return Response(status=204)


@route(bp, "/desk/passkeys/question", ("POST",))
def ask_new_passkey() -> Response:
    """A question for a new passkey."""
    return jsonify(signin.new_passkey_options(get_services(), seat.posted()))


@route(bp, "/desk/passkeys", ("POST",))
def add_passkey() -> ResponseReturnValue:
    """Keep a new passkey."""
    signin.enrol(get_services(), seat.posted(), request.form.get("answer", ""))
    return seat.to("desk.key_ring")


@route(bp, "/desk/passkeys/wrap", ("POST",))
def wrap() -> ResponseReturnValue:
    """Keep the everyday identity wrapped to a passkey."""
    session = seat.posted()
    try:
        keys.wrap_for_passkey(get_services(), session, _id(), _raw(request.form.get("wrapped")))
    except WrongKey:
        raise SignInRefused("this passkey wraps nothing") from None
    return seat.to("desk.key_ring")


@route(bp, "/desk/passkeys/remove", ("POST",))
def remove_passkey() -> ResponseReturnValue:
    """Let a passkey open nothing any more."""
    signin.remove_passkey(get_services(), seat.posted(), _id())
    return seat.to("desk.key_ring")


def _set_up_page(session: signin.Session, wrong: str) -> str:
    services, slug = get_services(), session.coach.slug
    return seat.page(
        "desk/set-up.html",
        session,
        wrong=wrong,
        passkeys=signin.passkeys_of(services, slug),
        records=len(keys.records(services, slug)),
        wrapped=" ".join(b64encode(each).decode() for each in keys.wraps(services, slug).by_passphrase),
    )


def _id() -> bytes:
    try:
        return passkeys.unb64(request.form.get("id", ""))
    except ValueError:
        raise SignInRefused("not a passkey's id") from None


def _raw(text: str | None) -> bytes:
    try:
        return b64decode(text or "", validate=True)
    except ValueError:
        return b"?"
