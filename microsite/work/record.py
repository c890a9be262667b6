"""The record of processing activities of a coach: a text made from her live settings, counts and happenings."""

from collections import Counter

from microsite import reports
from microsite.services import Services

from . import look
from .overview import happened_words
from .overview import held
from .retime import date_of
from .terms import page


def record(services: Services, slug: str, language: str = "") -> str:
    """The text in a language (empty: the coach's); it names no client. Raises NotFound."""
    coach = look.house(services, slug)
    now = page(services, slug)
    facts = {
        "today": date_of(services.clock()),
        "version": now.version.version,
        "since": now.version.since,
        "terms": now.terms,
        "held": held(services, coach),
        "happened": sorted(Counter(happened_words(services, coach)).items()),
    }
    return reports.write("record", language or coach.settings.language, facts)
