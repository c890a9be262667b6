"""Which language a page speaks: the path decides (`/` Indonesian, `/en/` English), never a header or a cookie.

Owns the routes in two languages and the language switch; sentences are `words`, dates and times `dates`, zones `zones`.
"""

import re
from collections.abc import Callable
from typing import Any
from typing import Literal

from flask import Blueprint
from flask import Flask
from flask import request
from flask import url_for
from flask_babel import Babel

from microsite.core.settings import Language

from . import zones
from .words import counted_in
from .words import language as language
from .words import said_in

LANGUAGES: tuple[Language, ...] = ("id", "en")
PREFIXES: dict[Language, str] = {"id": "", "en": "/en"}
KEPT_ON_SWITCH: dict[str, Callable[[str], object]] = {
    "day": re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}").fullmatch,
    "tz": zones.known,
    "invite": re.compile(r"[A-Za-z0-9_-]{43}").fullmatch,
    "slot": re.compile(r"[0-9]{8}T[0-9]{6}Z").fullmatch,
}
"""Query fields that survive a change of language, where they are what they should be; no other text is repeated."""
Fields = dict[str, Any]
View = Callable[..., Any]
_BOTH: set[str] = set()
"""The endpoints that speak both languages; asking Werkzeug looks through every rule for each link of a page."""


def init_app(app: Flask) -> None:
    """Set up translations and let every `url_for` keep the language of the page."""
    Babel(app, default_locale="en", locale_selector=language)
    app.jinja_env.install_gettext_callables(  # type: ignore[attr-defined]
        lambda text: said_in(language(), text),
        lambda one, many, count: counted_in(language(), one, many, count),
        newstyle=True,
    )
    app.url_value_preprocessor(_drop_language)
    app.url_defaults(_keep_language)
    app.context_processor(lambda: {"lang": language(), "switch_url": switch_url})


def route(bp: Blueprint, rule: str, methods: tuple[Literal["GET", "POST"], ...] = ("GET",)) -> Callable[[View], View]:
    """Register a view once for both languages."""

    def register(view: View) -> View:
        _BOTH.add(f"{bp.name}.{view.__name__}")
        for lang in LANGUAGES:
            bp.add_url_rule(PREFIXES[lang] + rule, view_func=view, methods=methods, defaults={"lang": lang})
        return view

    return register


def switch_url(lang: Language) -> str:
    """This page in another language; the front page where this one cannot be asked for again."""
    if request.endpoint is None or request.routing_exception is not None or not _both(request.endpoint):
        return url_for("visitor.front", lang=lang)
    if "token" in (request.view_args or {}):  # a secret is never printed into a page
        return url_for("visitor.front", lang=lang)
    kept: Fields = {
        name: request.args[name] for name, good in KEPT_ON_SWITCH.items() if good(request.args.get(name, ""))
    }
    return url_for(request.endpoint, **(request.view_args or {}), **kept, lang=lang)


def _both(endpoint: str) -> bool:
    return endpoint in _BOTH


def _drop_language(endpoint: str | None, values: Fields | None) -> None:
    if values is not None:
        values.pop("lang", None)


def _keep_language(endpoint: str, values: Fields) -> None:
    if "lang" not in values and _both(endpoint):
        values["lang"] = language()
