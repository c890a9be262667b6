"""Why a time is free or not, rule by rule, naming calendars and references but never a title."""

from typing import NamedTuple

from microsite.core.availability import Reason
from microsite.core.availability import explain
from microsite.core.settings import CoachSettings
from microsite.errors import NotFound
from microsite.services import Services

from . import look


class Explained(NamedTuple):
    """The answer: the rules that speak against a start (none: it is offered), and what is odd about the calendars."""

    settings: CoachSettings
    reasons: list[Reason]
    warnings: list[tuple[str, str]]


def explain_start(services: Services, slug: str, offer_slug: str, start: int) -> Explained:
    """Judge one start (UTC seconds) of an offer. Raises NotFound, or TimesUnknown where the calendars are too old."""
    with services.store.read() as tx:
        row = tx.coaches.get(slug)
        offer = row.settings.offer(offer_slug) if row else None
        if row is None or offer is None:
            raise NotFound("no such coach or offer")
        sight = look.sight(tx, slug, row.settings, offer, services.clock())
        warnings = [(name, warning) for name, _, warning in tx.mirror.warnings(slug)]
    return Explained(row.settings, explain(sight.times, start, sight.busy_by_name, sight.refs), warnings)
