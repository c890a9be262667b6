"""A picker with free times, put together from pieces that are drawn once: a macro's answer is remembered by what it was
given.

When an event or a booking changes one day, the other days, the zones and the headings need not be drawn again, nor the
other times of that day. The macros are those of `visitor/_drawn.html`, whose answers depend on nothing but their
arguments, the language being the first. Links that hold a secret are never remembered: `anew` draws those.
"""

from collections.abc import Callable
from collections.abc import Iterable
from functools import cached_property
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask
from jinja2 import Environment
from markupsafe import Markup
from markupsafe import escape

from microsite.core.settings import Language

from . import zones
from .fragments import Led
from .picker import Picker

PIECES = 4096
"""Half a kilobyte in the mean, 2.1 MB as measured. Counted and not weighed: a picker is put together from thirty, its
times and the days of its month among them from a hundred."""
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

    def anew(self, macro: str, lang: str, *given: object) -> Markup:
        """What the macro draws from these (hashable) things, without remembering it."""
        drawn: Markup = getattr(self._macros, macro)(lang, *given)
        return drawn

    @cached_property
    def _macros(self) -> Any:
        return self._env.get_template(MACROS).module

    @staticmethod
    def each(draw: Callable[..., Markup], macro: str, lang: str, things: Iterable[object], *given: object) -> Markup:
        """The macro for each of these things, one after the other; `draw` remembers it or does not."""
        return NOTHING.join([draw(macro, lang, thing, *given) for thing in things])

    def picker(self, *shown: Any) -> Markup:
        """The picker for a template; see `pieces`."""
        return NOTHING.join(self.pieces(*shown))

    def pieces(
        self, lang: Language, picker: Picker, led: Led, home: ZoneInfo, taken: int | None, moving: bool, fragment: bool
    ) -> list[Markup]:
        """The picker with these times, from its opening to what is said of it where it is a `fragment` only.

        `home` is the coach's zone, `taken` a start (UTC seconds) that could not be had; `moving`: of a client who wants
        another time. In Python and not in a template: it is done anew after each change of a calendar, and a template
        takes six times as long to put thirty pieces together.
        """
        draw, zone, there = self._draw(led), led.asked.zone, led.there
        name = zones.label(zone, picker.bands[0].starts[0], lang)
        day, moved = picker.day, picker.moved and not taken
        notices = self.notices(lang, led, taken, picker, moving)
        days = (day, picker.previous_day, picker.next_day, picker.week[0].day, picker.previous_week, picker.next_week)
        found = [draw("above", lang, notices, zone, home, led.here, there, led.asked.hidden, *days)]
        found += [draw("week_day", lang, cell, there, draw) for cell in picker.week]
        focus = led.linked and not led.leafing
        found.append(draw("day_head", lang, day, focus, picker.free, name, picker.earliest, there, moved))
        found += [draw("band", lang, band, day, zone, led.form, draw) for band in picker.bands]
        found.append(draw("month_opening", lang, picker.first, led.leafing))
        found += [draw("month_row", lang, cells, there, draw) for cells in picker.month]
        found.append(draw("month_end", lang, picker.previous_month, picker.next_month, there))
        if fragment:
            found.append(draw("live", lang, "" if led.linked else name))
        return found

    def notices(self, lang: Language, led: Led, taken: int | None, picker: Picker | None, moving: bool) -> Markup:
        """What is to be said above the picker."""
        zone, unknown = led.asked.zone, led.asked.zone_unknown
        if not taken and not unknown:
            return NOTHING
        return self._draw(led)("notices", lang, taken, zone, picker is not None, unknown, moving)

    def live(self, lang: Language, led: Led, at: int) -> Markup:
        """What a screen reader is told of a picker without times at this moment."""
        return self._draw(led)("live", lang, "" if led.linked else zones.label(led.asked.zone, at, lang))

    def _draw(self, led: Led) -> Callable[..., Markup]:
        return self.anew if led.asked.hidden else self._once


def init_app(app: Flask) -> None:
    """Make the memory of this process, and let templates use it."""
    app.extensions["microsite-drawn"] = app.jinja_env.globals["drawn"] = Drawn(app.jinja_env)
