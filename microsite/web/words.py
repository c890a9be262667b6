"""The language that is spoken, and the sentences of this site in it.

A request speaks the language of its path. What is drawn without a request (`ready`) says which one it speaks. The
translation of a sentence is looked up once for each language, not once for each time it is printed.
"""

from contextvars import ContextVar
from functools import lru_cache
from pathlib import Path

from babel.support import NullTranslations
from babel.support import Translations
from flask import request

from microsite.core.settings import Language

CATALOGS = Path(__file__).parent.parent / "translations"
_spoken: ContextVar[Language | None] = ContextVar("spoken", default=None)


def language() -> Language:
    """The language of the page asked for, also of one that does not exist."""
    spoken = _spoken.get()
    if spoken is not None:
        return spoken
    return "en" if request.path == "/en" or request.path.startswith("/en/") else "id"


class speaking:
    """Let everything said inside be in this language, whether there is a request or not."""

    def __init__(self, lang: Language) -> None:
        self._lang = lang

    def __enter__(self) -> None:
        self._token = _spoken.set(self._lang)

    def __exit__(self, *_: object) -> None:
        _spoken.reset(self._token)


def gettext(text: str, **given: object) -> str:
    """A sentence in the language spoken, with `%(name)s` filled in."""
    said = said_in(language(), text)
    return said % given if given else said


@lru_cache(maxsize=2048)
def said_in(lang: Language, text: str) -> str:
    """A sentence in a language, nothing filled in."""
    return str(_catalog(lang).ugettext(text))


@lru_cache(maxsize=2048)
def counted_in(lang: Language, one: str, many: str, count: int) -> str:
    """The same for one or for many."""
    return str(_catalog(lang).ungettext(one, many, count))


@lru_cache
def _catalog(lang: Language) -> NullTranslations:
    return Translations.load(CATALOGS, [lang])
