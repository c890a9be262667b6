"""The settings pages: one for the coach, one for each offer. A refused value is shown again, with the reason."""

import re
import unicodedata
from copy import deepcopy
from typing import Any

from flask import request
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import NotFound as NoPage

from microsite.core.settings import SLUG_MAX
from microsite.errors import SettingsError
from microsite.services import get_services
from microsite.work import adjust
from microsite.work.look import Coach

from ..i18n import route
from . import fields
from . import seat
from .fields import Field
from .fields import Group
from .questions import GENERAL
from .questions import OFFER
from .seat import bp

BODY_MAX = 64 * 1024
NEW = "new"
SLUG = "slug"
Errors = dict[str, str]


@route(bp, "/desk/settings")
def settings() -> ResponseReturnValue:
    """The coach's own settings, and her offers."""
    return page(seat.seated())


def page(session: Any, **values: Any) -> str:
    """The settings as they are kept."""
    shown = _shown(GENERAL, adjust.document(session.coach.settings))
    return seat.page("desk/settings.html", session, groups=GENERAL, values=shown, errors={}, **values)


@route(bp, "/desk/settings", ("POST",))
def save_settings() -> ResponseReturnValue:
    """Save the coach's own settings."""
    request.max_content_length = request.max_form_memory_size = BODY_MAX
    session, own = seat.written_to()
    document = adjust.document(session.coach.settings)
    errors = _apply(session.coach, document, document, GENERAL, "")
    if errors or not own:
        shown: dict[str, Any] = {"values": _typed(GENERAL), "errors": errors, "late": not own}
        return seat.page("desk/settings.html", session, groups=GENERAL, **shown), 422
    adjust.save(get_services(), session.coach, document)
    return seat.to("desk.settings", saved=1)


@route(bp, "/desk/offers/<slug>")
def offer(slug: str) -> ResponseReturnValue:
    """One offer, or the form for a new one."""
    session = seat.seated()
    document = adjust.document(session.coach.settings)
    shown = _blank() if slug == NEW else document["offers"][_index(document, slug)]
    return _offer_page(session, slug, _shown(OFFER, shown), {})


@route(bp, "/desk/offers/<slug>", ("POST",))
def save_offer(slug: str) -> ResponseReturnValue:
    """Save an offer, or take it away. Bookings of it stay as they are."""
    request.max_content_length = request.max_form_memory_size = BODY_MAX
    session, own = seat.written_to()
    document = adjust.document(session.coach.settings)
    index = len(document["offers"]) if slug == NEW else _index(document, slug)
    if request.form.get("remove") and slug != NEW and own:
        del document["offers"][index]
        adjust.save(get_services(), session.coach, document)
        return seat.to("desk.settings", saved=1)
    if slug == NEW:
        document["offers"].append({**_blank(), SLUG: _slug()})
    errors = _apply(session.coach, document, document["offers"][index], OFFER, f"offers[{index}].")
    if errors or not own:
        typed = {**_typed(OFFER), SLUG: request.form.get(SLUG, "")}
        return _offer_page(session, slug, typed, errors, late=not own), 422
    adjust.save(get_services(), session.coach, document)
    return seat.to("desk.settings", saved=1)


def _apply(coach: Coach, document: dict[str, Any], part: dict[str, Any], groups: tuple[Group, ...], at: str) -> Errors:
    """Put what was typed into a part of the document; answers what is wrong with it, field by field.

    The check names one field at a time: that field gets its old value back, and the rest is looked at again.
    """
    known, old = _fields(groups), deepcopy(part)
    if part.get("hours") is None:
        part["hours"] = {}
    for each in known:
        fields.put(part, each.path, fields.read(each, request.form.get(each.path)))
    if at and not part.get("hours"):
        part["hours"] = None
    errors: Errors = {}
    asked = [*known, Field(SLUG, "")]
    while True:
        try:
            adjust.checked(get_services(), coach, document)
        except SettingsError as error:
            path = error.field.removeprefix(at)
            field = fields.find(asked, path)
            if field is None or field.path in errors or field.path == SLUG:
                errors[field.path if field else SLUG] = fields.explain(field or known[0], error.allowed)
                return errors
            errors[field.path] = fields.explain(field, error.allowed)
            _put_back(part, old, field)
        else:
            return errors


def _slug() -> str:
    """A new offer's part of the address: what was typed, else its title, in the signs that an address may have."""
    typed = next(filter(str.strip, (request.form.get(name, "") for name in (SLUG, "title.id", "title.en"))), "")
    plain = unicodedata.normalize("NFKD", typed).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "-", plain.lower())[:SLUG_MAX].strip("-")


def _put_back(part: dict[str, Any], old: dict[str, Any], field: Field) -> None:
    top = field.path.split(".")[0]
    if top == "hours":
        day = field.path.split(".")[1]
        fields.put(part, field.path, (old.get("hours") or {}).get(day, []))
    else:
        part[top] = old[top]


def _fields(groups: tuple[Group, ...]) -> list[Field]:
    return [field for group in groups for field in group.fields]


def _shown(groups: tuple[Group, ...], document: dict[str, Any]) -> dict[str, Any]:
    return {field.path: fields.shown(field, document) for field in _fields(groups)}


def _typed(groups: tuple[Group, ...]) -> dict[str, Any]:
    return {
        field.path: (field.path in request.form) if field.kind == fields.TICK else request.form.get(field.path, "")
        for field in _fields(groups)
    }


def _blank() -> dict[str, Any]:
    return adjust.blank_offer()


def _index(document: dict[str, Any], slug: str) -> int:
    slugs = [each[SLUG] for each in document["offers"]]
    if slug not in slugs:
        raise NoPage
    return slugs.index(slug)


def _offer_page(session: Any, slug: str, values: dict[str, Any], errors: Errors, late: bool = False) -> str:
    shown: dict[str, Any] = {"values": values, "errors": errors, "late": late}
    return seat.page("desk/offer.html", session, groups=OFFER, slug=slug, new=slug == NEW, **shown)
