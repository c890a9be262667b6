"""What a picker or a form is about, and where its links lead."""

from functools import lru_cache
from typing import Any
from typing import NamedTuple
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from flask import request
from flask import url_for

from microsite.core.settings import Offer
from microsite.work.look import Coach

from .dates import slot_text
from .i18n import language


class Asked(NamedTuple):
    """The coach, the offer, the zone and the invitation a request is about, and where the picker's links lead."""

    coach: Coach
    offer: Offer
    zone: ZoneInfo
    zone_unknown: bool
    invite: str = ""

    @property
    def here(self) -> dict[str, Any]:
        """The URL parts of this offer."""
        return {"coach": self.coach.slug, "offer": self.offer.slug, **dict(self.hidden)}

    @property
    def hidden(self) -> tuple[tuple[str, str], ...]:
        """What a form that asks for other times must send along."""
        return (("invite", self.invite),) if self.invite else ()

    @property
    def times_url(self) -> str:
        """The picker itself."""
        return _path("visitor.times", language(), request.script_root, self.coach.slug, self.offer.slug)

    def day_url(self, day: object) -> str:
        """The picker on another day."""
        return f"{self.times_url}?{self._query(day=day)}"

    def slot_url(self, start: int) -> str:
        """The form for one start."""
        form = _path("visitor.form", language(), request.script_root, self.coach.slug, self.offer.slug)
        return f"{form}?{self._query(slot=slot_text(start))}"

    def _query(self, **first: object) -> str:
        return urlencode({**first, "tz": self.zone.key, **dict(self.hidden)}, safe="/")


@lru_cache(maxsize=4096)
def _path(endpoint: str, lang: str, _root: str, coach: str, offer: str) -> str:
    """Where an offer's page is; a picker prints it a hundred times and the answer never changes."""
    return url_for(endpoint, lang=lang, coach=coach, offer=offer)
