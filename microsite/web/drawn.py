"""Parts of the picker that are drawn once: a macro's answer is remembered by what it was given.

When a booking changes one day, the other days, the zones and the headings need not be drawn again. The macros are those
of `visitor/_drawn.html`, whose answers depend on nothing but their arguments, the language being the first. Links that
hold a secret are never remembered: `anew` draws those.
"""

from flask import Flask
from flask import current_app
from markupsafe import Markup

from microsite.core.bounded import Bounded

BYTES = 4 * 1024 * 1024
MACROS = "visitor/_drawn.html"


def init_app(app: Flask) -> None:
    """Make the memory of this process."""
    app.extensions["microsite-drawn"] = Bounded[object, Markup](BYTES, lambda drawn: 2 * len(drawn) + 500)


def once(macro: str, lang: str, *given: object) -> Markup:
    """What the macro draws from these (hashable) things, drawn once for as long as it is remembered."""
    memory: Bounded[object, Markup] = current_app.extensions["microsite-drawn"]
    key = (macro, lang, given)
    drawn = memory.get(key)
    if drawn is None:
        drawn = anew(macro, lang, *given)
        memory.put(key, drawn)
    return drawn


def anew(macro: str, lang: str, *given: object) -> Markup:
    """The same, without remembering."""
    drawn: Markup = getattr(current_app.jinja_env.get_template(MACROS).module, macro)(lang, *given)
    return drawn
