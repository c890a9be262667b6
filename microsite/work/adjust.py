"""A coach's settings change, at the desk or by file: checked, stored, and calendars read anew where need be.

Reading and checking the document is `core.settings`; which field of which page it came from is the desk's.
"""

from collections.abc import Mapping
from typing import Any

import msgspec

from microsite.core.happenings import SETTINGS_CHANGED
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.core.settings import read_settings
from microsite.errors import SettingsError
from microsite.services import Services

from . import terms
from .look import Coach

WHERE = "desk"


def document(settings: CoachSettings) -> dict[str, Any]:
    """The settings as plain values, those left out included, for a form to show and change."""
    found: dict[str, Any] = _whole(settings)
    return found


def blank_offer() -> dict[str, Any]:
    """A new offer before anything was typed; only its title and slug must still be given."""
    found: dict[str, Any] = _whole(Offer(slug="", title=Words(), minutes=60))
    return found


def checked(services: Services, coach: Coach, changed: Mapping[str, Any], where: str = WHERE) -> CoachSettings:
    """The settings of a changed document; raises SettingsError naming the field, and `where` it stands."""
    settings = read_settings(changed, where)
    if not services.config.file.mail.host and not coach.demo:
        for index, offer in enumerate(settings.offers):
            old = coach.settings.offer(offer.slug)
            if offer.email == "required" and (old is None or old.email != "required"):
                # The site would not start again with this.
                field = f"offers[{index}].email"
                raise SettingsError(where, field, "required", "optional, as long as this site has no mail relay")
    return settings


def save(services: Services, coach: Coach, changed: Mapping[str, Any], where: str = WHERE) -> CoachSettings:
    """Check and store a changed document; raises SettingsError."""
    settings = checked(services, coach, changed, where)
    with services.store.change(coach.slug) as tx:
        tx.coaches.save_settings(coach.slug, settings)
        tx.happenings.note(coach.slug, "", services.clock(), SETTINGS_CHANGED)
        if _reads(settings) != _reads(coach.settings):
            for row in tx.mirror.calendars(coach.slug):
                tx.mirror.touch(row.id, window_end=0)
                services.jobs.enqueue(tx, "sync", row.id)
    terms.record(services, coach.slug)
    return settings


def _reads(settings: CoachSettings) -> tuple[Any, ...]:
    """What decides how events are read."""
    titles = [(offer.slug, offer.title.id, offer.title.en) for offer in settings.offers]
    return settings.zone, settings.tentative_blocks, titles


def _whole(value: Any) -> Any:
    # msgspec leaves out what has its default; a form shows everything.
    if isinstance(value, msgspec.Struct):
        return {name: _whole(getattr(value, name)) for name in value.__struct_fields__}
    if isinstance(value, list):
        return [_whole(each) for each in value]
    if isinstance(value, dict):
        return {name: _whole(each) for name, each in value.items()}
    return value
