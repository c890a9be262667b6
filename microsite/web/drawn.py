"""Parts of the picker that are drawn once: a macro's answer is remembered by what it was given.

When an event or a booking changes one day, the other days, the zones and the headings need not be drawn again. The
macros are those of `visitor/_drawn.html`, whose answers depend on nothing but their arguments, the language being the
first. Links that hold a secret are never remembered: `anew` draws those.
"""

from collections.abc import Callable
from collections.abc import Iterable
from functools import lru_cache

from flask import Flask
from jinja2 import Environment
from markupsafe import Markup
from markupsafe import escape

PIECES = 2048
"""Of half a kilobyte to four, so three megabytes or so. Counted and not weighed: a picker asks for thirty of them."""
MACROS = "visitor/_drawn.html"
NOTHING = escape("")


class Drawn:
    """What the macros have drawn in this process."""

    def __init__(self, env: Environment, pieces: int = PIECES) -> None:
        self._env = env
        self._once = lru_cache(maxsize=pieces)(self.anew)

    def __len__(self) -> int:
        """How many pieces are remembered."""
        return self._once.cache_info().currsize

    @property
    def once(self) -> Callable[..., Markup]:
        """What the macro draws from these (hashable) things, drawn once for as long as it is remembered."""
        return self._once

    def anew(self, macro: str, lang: str, *given: object) -> Markup:
        """The same, without remembering."""
        drawn: Markup = getattr(self._env.get_template(MACROS).module, macro)(lang, *given)
        return drawn

    @staticmethod
    def each(draw: Callable[..., Markup], macro: str, lang: str, things: Iterable[object], *given: object) -> Markup:
        """The macro for each of these things, one after the other; `draw` is one of the two above."""
        return NOTHING.join([draw(macro, lang, thing, *given) for thing in things])


def init_app(app: Flask) -> None:
    """Make the memory of this process, and let templates use it."""
    app.extensions["microsite-drawn"] = app.jinja_env.globals["drawn"] = Drawn(app.jinja_env)
