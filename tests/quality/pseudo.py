"""A language that nobody speaks: each text stands in brackets and is longer. What stands outside was never translated.

The long words are there for the narrow screen: German and Dutch are like that, and translators will come.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from gettext import NullTranslations

from flask import Flask
from flask_babel import Domain
from playwright.sync_api import Page

from microsite.web import words

OPEN, CLOSE = "⟦", "⟧"
WORD = re.compile(r"%\(\w+\)s|[A-Za-z]{6,}")
DATA = re.compile(
    r"Satu jam untuk satu hal"
    r"|Sari|Rara|Kathmandu|Jakarta|Medan|Bandung|Makassar|Denpasar|WIB|WITA|WIT|UTC|IDR|Rp|ID|EN|NOTE|[A-Z2-9]{4}\b"
    r"|\w+day|Mon|Tue|Wed|Thu|Fri|Sat|Sun|January|November|December|Nov|Dec|Jan"
    r"|Coaching session|First conversation|Quietly|One hour for one thing|A room to talk without hurry|Session"
    r"|buletin November|Pekerjaan|Jam buka|Sesi\b"
    r"|Incomprehensibilitiesandmore|Kesinambungan|Mempertanggungjawabkannya"
    r"|(?:https?|webcal)://\S+|Website|\S+@\S+|age1\w*|age-keygen|AGE-SECRET-KEY\S*|Budi|Ani"
)
"""What is never translated: a coach's own words, what a visitor typed, names, dates and references."""
TEXTS = """() => {
  const nobodys = 'option, noscript, script, style, textarea, [lang]:not(html), .code, [translate=no], #website';
  const skip = one => one.closest(nobodys);
  const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT), found = [document.title];
  while (walk.nextNode()) if (!skip(walk.currentNode.parentElement)) found.push(walk.currentNode.data);
  for (const one of document.querySelectorAll('[aria-label], [title], [alt], [placeholder], [data-offline]'))
    if (!skip(one)) for (const name of ['aria-label', 'title', 'alt', 'placeholder', 'data-offline'])
      if (one.hasAttribute(name)) found.push(one.getAttribute(name));
  return found;
}"""


class Pseudo(NullTranslations):
    """Every text, longer and in brackets."""

    def gettext(self, message: str) -> str:
        """One text."""
        return OPEN + WORD.sub(lambda found: _longer(found[0]), message) + CLOSE

    def ngettext(self, msgid1: str, msgid2: str, n: int) -> str:
        """One of two forms."""
        return self.gettext(msgid1 if n == 1 else msgid2)

    ugettext = gettext
    ungettext = ngettext


class PseudoDomain(Domain):  # type: ignore[misc]
    """Where Flask-Babel finds it."""

    def get_translations(self) -> Pseudo:
        """The language, whatever was asked for."""
        return Pseudo()


@contextmanager
def spoken(app: Flask) -> Iterator[None]:
    """Let an application speak it, as long as this lasts: in forms, where Flask-Babel speaks, and everywhere else."""
    app.before_request(lambda: PseudoDomain().as_default())
    catalog, words._catalog = words._catalog, lambda _lang: Pseudo()  # type: ignore[assignment]
    _forget()
    try:
        yield
    finally:
        words._catalog = catalog
        _forget()


def _forget() -> None:
    words.said_in.cache_clear()
    words.counted_in.cache_clear()


def untranslated(page: Page) -> list[str]:
    """Words on the page that stand outside the brackets and are nobody's own."""
    texts: list[str] = page.evaluate(TEXTS)
    return sorted(
        {f"untranslated: {text.strip()[:60]}" for text in texts if re.search(r"[A-Za-z]{2,}", _outside(text))}
    )


def _outside(text: str) -> str:
    inner = re.compile(rf"{OPEN}[^{OPEN}{CLOSE}]*{CLOSE}")
    while inner.search(text):
        text = inner.sub("", text)
    return DATA.sub("", text)


def _longer(word: str) -> str:
    return word if word.startswith("%") else word + word[-1] * (len(word) // 3)
