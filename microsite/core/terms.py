"""What a coach's privacy page says, as far as it depends on settings: so that a change of them is another version.

The words are the page's own (`templates/privacy.html`); `EDITION` says which words. Pure.
"""

import hashlib
from typing import Literal

import msgspec

from .settings import CoachSettings
from .settings import Words

EDITION = 1
"""Raise it whenever the words of the page change what they promise."""


class Site(msgspec.Struct, frozen=True, kw_only=True):
    """What the operator's settings add: who runs the site and where, who carries mail and keeps calendars, backups.

    `mail` says whether letters leave this machine, `calendar_here` whether calendars can be kept on it.
    """

    address: str
    operator: str = ""
    country: str = ""
    mail: bool = False
    mail_provider: str = ""
    calendar_here: bool = True
    calendar_provider: str = ""
    backup_days: int = 30


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """Everything that the page says of a coach. `email` and `reminders` tell of all her offers together."""

    edition: int
    site: Site
    coach: str
    contact: str
    retention_days: int
    email: Literal["required", "optional", "both"]
    reminders: bool
    approval: bool
    note_consent: Literal["writing", "box"]
    confidentiality: Words
    successor: bool

    @property
    def version(self) -> str:
        """Eight digits that stand for exactly this content; a sealed record names the ones it was written under."""
        return hashlib.sha256(msgspec.json.encode(self, order="deterministic")).hexdigest()[:8]


def terms(settings: CoachSettings, site: Site, successor: bool) -> Terms:
    """What the page says with these settings; `successor`: whether a third key, somebody else's, opens records too."""
    asked = {offer.email for offer in settings.offers} or {"required"}
    return Terms(
        edition=EDITION,
        site=site,
        coach=settings.name,
        contact=settings.contact,
        retention_days=settings.retention_days,
        email="both" if len(asked) > 1 else asked.pop(),
        reminders=any(offer.reminder for offer in settings.offers),
        approval=any(offer.mode == "coach" for offer in settings.offers),
        note_consent=settings.note_consent,
        confidentiality=settings.confidentiality,
        successor=successor,
    )


def encode(found: Terms) -> str:
    """The stored form (JSON)."""
    return msgspec.json.encode(found, order="deterministic").decode()


def decode(text: str) -> Terms | None:
    """A stored version; None where an older edition had other fields, so that its page cannot be drawn any more."""
    try:
        return msgspec.json.decode(text, type=Terms)
    except msgspec.ValidationError:
        return None
