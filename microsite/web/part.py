"""The picker as htmx asks for it: a part of a page, drawn from starts with no request around it.

A view draws it once; where it may be kept, `ready` has it drawn again after each change of the coach's calendar. Both
go through `Part.drawn`, so there is one way to draw it.
"""

from collections.abc import Mapping
from collections.abc import Sequence
from datetime import date
from typing import Any
from typing import NamedTuple

from jinja2 import Environment
from jinja2 import Template

from microsite.core.settings import Language
from microsite.core.settings import Offer
from microsite.services import Services
from microsite.work import look
from microsite.work.look import Coach

from . import picker
from .drawn import Drawn
from .words import speaking

TEMPLATE = "visitor/_picker.html"


class Part(NamedTuple):
    """All that it is drawn from, but for starts and time.

    `values` are the template's that hold for any of them.
    """

    known: Drawn
    template: Template
    lang: Language
    coach: Coach
    offer: Offer
    wanted: date | None
    values: Mapping[str, Any]

    @classmethod
    def of(cls, env: Environment, lang: Language, wanted: date | None, values: Mapping[str, Any]) -> "Part":
        """The picker of the coach and the offer among the values, on the wanted day."""
        known: Any = env.globals["drawn"]
        return cls(known, env.get_template(TEMPLATE), lang, values["coach"], values["offer"], wanted, values)

    def drawn(self, starts: Sequence[int] | None, now: int, taken: int | None = None) -> bytes:
        """The HTML in UTF-8. `starts` is None where they are not known, `taken` the start that could not be had."""
        shown = picker.pick(starts, self.values["led"].asked.zone, self.wanted) if starts else None
        with speaking(self.lang):
            if shown is None:
                given = {"unknown": starts is None, "taken": taken, "now": now, "fragment": True}
                return self.template.render(**self.values, **given, picker=None, lang=self.lang).encode()
            home, moving = self.coach.settings.zoneinfo, self.values["moving"]
            pieces = self.known.pieces(self.lang, shown, self.values["led"], home, taken, moving, fragment=True)
            # Piece by piece: one dash among the zones would make all of the text slow to put together and to encode.
            return b"".join(map(str.encode, pieces))

    def again(self, services: Services, glance: Any, now: int) -> tuple[bytes, Coach, Sequence[int]] | None:
        """The same as things are now, by a glance just taken, with what it shows; None where a view is needed for it.

        Raises NotFound, TimesUnknown and StoreUnreadable.
        """
        found = look.starts_again(services, self.coach, self.offer, glance)
        if found is None or not found[1]:
            return None
        coach, starts = found
        return self.drawn(starts, now), coach, starts
