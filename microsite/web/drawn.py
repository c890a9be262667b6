"""Parts of the picker that are drawn once: a macro's answer is remembered by what it was given.

When a booking changes one day, the other days, the zones and the headings need not be drawn again. The macros are those
of `visitor/_drawn.html`, whose answers depend on nothing but their arguments, the language being the first. Links that
hold a secret are never remembered: `anew` draws those.
"""

from collections.abc import Sequence

from flask import Flask
from flask import current_app
from markupsafe import Markup

from microsite.core.bounded import Bounded

BYTES = 4 * 1024 * 1024
MACROS = "visitor/_drawn.html"


def init_app(app: Flask) -> None:
    """Make the memory of this process."""
    app.extensions["microsite-drawn"] = Bounded[object, Markup](BYTES, lambda drawn: 2 * len(drawn) + 500)


def once(macro: str, lang: str, each: Sequence[object], *given: object) -> Markup:
    """What the macro draws from each of several things, all hashable, drawn at most once while it is remembered."""
    memory: Bounded[object, Markup] = current_app.extensions["microsite-drawn"]
    found = []
    for one in each:
        key = (macro, lang, one, given)
        drawn = memory.get(key)
        if drawn is None:
            drawn = anew(macro, lang, (one,), *given)
            memory.put(key, drawn)
        found.append(drawn)
    return Markup("").join(found) if len(found) > 1 else found[0]


def anew(macro: str, lang: str, each: Sequence[object], *given: object) -> Markup:
    """The same, without remembering."""
    draw = getattr(current_app.jinja_env.get_template(MACROS).module, macro)
    return Markup("").join(draw(lang, one, *given) for one in each)
