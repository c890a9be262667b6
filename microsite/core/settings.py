"""A coach's settings: what she offers, when, with which words, and how long anything is kept.

They live in the database as one document, are changed at the desk, and travel as TOML. Lengths of time are minutes
unless the name says days or hours.
"""

import re
from collections.abc import Mapping
from datetime import date
from typing import Annotated
from typing import Any
from typing import Literal
from zoneinfo import ZoneInfo
from zoneinfo import available_timezones

import msgspec

from microsite.errors import SettingsError

from . import colour
from . import signs

SLUG_MAX = 40
Slug = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$", min_length=1, max_length=SLUG_MAX)]
Minutes = Annotated[int, msgspec.Meta(ge=0, le=60 * 24 * 366)]
Clock = Annotated[str, msgspec.Meta(pattern=r"^([01][0-9]|2[0-3]):[0-5][0-9]-(([01][0-9]|2[0-3]):[0-5][0-9]|24:00)$")]
Line = Annotated[str, msgspec.Meta(max_length=120)]
Text = Annotated[str, msgspec.Meta(max_length=2000)]
Language = Literal["id", "en"]

RESERVED_SLUGS = frozenset(
    "en m manage desk dav static status healthz metrics embed privacy book feed robots favicon well-known".split()
)
PARAGRAPHS = re.compile(r"(^|\.)(sentence|description|place\.text)\.(id|en)$")
"""The texts that may have line breaks."""
INDONESIAN_ZONES = {"WIB": "Asia/Jakarta", "WITA": "Asia/Makassar", "WIT": "Asia/Jayapura"}
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")


class Words(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """One text in both languages; where one is missing the other stands in."""

    id: Text = ""
    en: Text = ""

    def __getitem__(self, language: str) -> str:
        return (self.en or self.id) if language == "en" else (self.id or self.en)

    def __bool__(self) -> bool:
        return bool(self.id or self.en)


class Place(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Where a session happens. `text` is the link, number, address or own words."""

    kind: Literal["video", "phone", "address", "text"] = "text"
    text: Words = Words()


class Offer(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """A session type that can be booked.

    `listed` shows it on the coach's page; `invited` asks for an invitation. `hold` is how long an unconfirmed address
    keeps a time, `request` how long the coach may think; `reminder` 0 sends none; `hours` replaces the coach's own.
    """

    slug: Slug
    title: Words
    minutes: Annotated[int, msgspec.Meta(ge=5, le=720)]
    description: Words = Words()
    price: Words = Words()
    place: Place = Place()
    listed: bool = True
    invited: bool = False
    step: Annotated[int, msgspec.Meta(ge=5, le=720)] = 30
    before: Annotated[int, msgspec.Meta(ge=0, le=720)] = 0
    after: Annotated[int, msgspec.Meta(ge=0, le=720)] = 0
    notice: Minutes = 12 * 60
    horizon_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = 60
    per_day: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    per_week: Annotated[int, msgspec.Meta(ge=0, le=500)] = 0
    cancel_notice: Minutes = 24 * 60
    mode: Literal["instant", "email", "coach"] = "instant"
    hold: Annotated[int, msgspec.Meta(ge=5, le=60 * 24)] = 30
    request: Annotated[int, msgspec.Meta(ge=30, le=60 * 24 * 30)] = 72 * 60
    email: Literal["required", "optional"] = "required"
    reminder: Minutes = 24 * 60
    hours: dict[str, list[Clock]] | None = None


RETENTION = 30
"""Days."""


class _Kept(msgspec.Struct):
    retention_days: int = RETENTION


class CoachSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True, omit_defaults=True):
    """Everything a coach decides. `email` is where notices to her go; `contact` is what a client is shown.

    `accent` is her own colour as `#rrggbb`, or nothing; `portrait_text` says what her portrait shows, for those who do
    not see it (the picture itself lies beside the settings, in the store). `confidentiality` says where confidentiality
    ends, in her own words; `note_consent` whether writing a note is consent enough to keep it, or a box must be ticked.
    """

    name: Line
    zone: str = "Asia/Jakarta"
    language: Language = "id"
    sentence: Words = Words()
    portrait_text: Words = Words()
    accent: Line = ""
    contact: Line = ""
    email: Line = ""
    session_title: Words = Words(id="Sesi", en="Session")
    event_class: Literal["CONFIDENTIAL", "PRIVATE", "none"] = "CONFIDENTIAL"
    offers: list[Offer] = []
    hours: dict[str, list[Clock]] = {}
    exceptions: dict[str, list[Clock]] = {}
    tentative_blocks: bool = True
    per_day: Annotated[int, msgspec.Meta(ge=0, le=100)] = 0
    per_week: Annotated[int, msgspec.Meta(ge=0, le=500)] = 0
    confidentiality: Words = Words()
    note_consent: Literal["writing", "box"] = "writing"
    retention_days: Annotated[int, msgspec.Meta(ge=1, le=365)] = RETENTION
    stale_minutes: Annotated[int, msgspec.Meta(ge=5, le=1440)] = 60

    def offer(self, slug: str) -> Offer | None:
        """The offer of that slug, listed or not."""
        return next((offer for offer in self.offers if offer.slug == slug), None)

    @property
    def zoneinfo(self) -> ZoneInfo:
        """The coach's zone."""
        return ZoneInfo(self.zone)


def read_settings(document: Mapping[str, Any], where: str) -> CoachSettings:
    """Settings from a decoded document; raises SettingsError naming the field."""
    try:
        settings = msgspec.convert(document, CoachSettings)
    except msgspec.ValidationError as error:
        raise _explained(document, error, where) from error
    _check(settings, where)
    return settings


def encode_settings(settings: CoachSettings) -> str:
    """The stored form (JSON)."""
    return msgspec.json.encode(settings).decode()


def decode_settings(text: str) -> CoachSettings:
    """Settings as the store keeps them; they were checked when they were written."""
    return msgspec.json.decode(text, type=CoachSettings)


def decode_retention(text: str) -> int:
    """Of stored settings only for how many days records are kept: an eighth of the work."""
    return msgspec.json.decode(text, type=_Kept).retention_days


def windows(clocks: list[str]) -> list[tuple[int, int]]:
    """`["09:00-12:00"]` as minutes after midnight."""
    pairs = (clock.split("-") for clock in clocks)
    return [(_minutes(start), _minutes(end)) for start, end in pairs]


def weekly_windows(hours: Mapping[str, list[str]]) -> dict[int, list[tuple[int, int]]]:
    """Weekly hours by weekday number, Monday first."""
    return {WEEKDAYS.index(day): windows(clocks) for day, clocks in hours.items()}


def dated_windows(exceptions: Mapping[str, list[str]]) -> dict[date, list[tuple[int, int]]]:
    """Date exceptions by date; an empty list closes the day."""
    return {date.fromisoformat(day): windows(clocks) for day, clocks in exceptions.items()}


def zone_of(text: str) -> str:
    """A zone as the settings have it, where somebody wrote what the clock of her part of Indonesia is called."""
    return INDONESIAN_ZONES.get(text.strip().upper(), text)


def check_slug(slug: str, where: str, field: str) -> None:
    """Raise SettingsError for a slug that is malformed or belongs to the site."""
    if slug in RESERVED_SLUGS:
        raise SettingsError(where, field, repr(slug), "a name the site does not use itself: " + _listed(RESERVED_SLUGS))
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", slug) or len(slug) > SLUG_MAX:
        raise SettingsError(where, field, repr(slug), "small letters, digits and single hyphens, at most 40")


def _check_signs(value: Any, where: str, field: str) -> None:
    """No invisible characters in any text: they would break letters and calendar files, or hide what a text says."""
    if isinstance(value, msgspec.Struct):
        for name in value.__struct_fields__:
            _check_signs(getattr(value, name), where, f"{field}.{name}".lstrip("."))
    elif isinstance(value, list):
        for index, each in enumerate(value):
            _check_signs(each, where, f"{field}[{index}]")
    elif isinstance(value, str) and signs.unsafe(value, lines=PARAGRAPHS.search(field) is not None):
        raise SettingsError(where, field, "invisible characters", "text without control characters and direction marks")


def _check(settings: CoachSettings, where: str) -> None:
    _check_signs(settings, where, "")
    if not settings.name.strip():
        raise SettingsError(where, "name", repr(settings.name), "the coach's name as visitors see it")
    if settings.zone not in available_timezones():
        raise SettingsError(where, "zone", repr(settings.zone), "an IANA time zone such as Asia/Jakarta")
    if settings.email and not signs.like_an_address(settings.email):
        raise SettingsError(where, "email", repr(settings.email), "one plain mail address, such as sari@example.org")
    if settings.accent:
        _check_accent(settings.accent, where)
    seen: set[str] = set()
    for index, offer in enumerate(settings.offers):
        field = f"offers[{index}]"
        check_slug(offer.slug, where, f"{field}.slug")
        if offer.slug in seen:
            raise SettingsError(where, f"{field}.slug", repr(offer.slug), "a slug no other offer has")
        seen.add(offer.slug)
        if not offer.title:
            raise SettingsError(where, f"{field}.title", "nothing", "a title in at least one language")
        _check_hours(offer.hours or {}, where, f"{field}.hours")
    _check_hours(settings.hours, where, "hours")
    for day, clocks in settings.exceptions.items():
        try:
            date.fromisoformat(day)
        except ValueError as error:
            raise SettingsError(where, "exceptions", repr(day), "dates such as 2026-12-25") from error
        _check_windows(clocks, where, f"exceptions.{day}")


def _check_accent(accent: str, where: str) -> None:
    if not colour.HEX.fullmatch(accent):
        raise SettingsError(where, "accent", repr(accent), "a colour such as #1d6b4a, in small letters")
    if not colour.readable(accent):
        allowed = f"a darker colour: its contrast is {colour.weakest(accent):.1f}, and reading needs {colour.LEAST}"
        raise SettingsError(where, "accent", repr(accent), allowed)


def _check_hours(hours: Mapping[str, list[str]], where: str, field: str) -> None:
    for day, clocks in hours.items():
        if day not in WEEKDAYS:
            raise SettingsError(where, field, repr(day), ", ".join(WEEKDAYS))
        _check_windows(clocks, where, f"{field}.{day}")


def _check_windows(clocks: list[str], where: str, field: str) -> None:
    for clock, (start, end) in zip(clocks, windows(clocks), strict=True):
        if start >= end:
            raise SettingsError(where, field, repr(clock), "a start before its end, such as 09:00-12:00")


def _minutes(clock: str) -> int:
    hours, minutes = clock.split(":")
    return int(hours) * 60 + int(minutes)


def _listed(names: frozenset[str]) -> str:
    return ", ".join(sorted(names))


def _explained(document: Mapping[str, Any], error: msgspec.ValidationError, where: str) -> SettingsError:
    """msgspec says «message - at `$.offers[0].minutes`»: take the path out and look the found value up."""
    message, _, path = str(error).partition(" - at `")
    field = path.rstrip("`").removeprefix("$").removeprefix(".") or "the whole document"
    if "[...]" in field:
        field = _named(document, field)
    found = _at(document, field)
    shown = repr(found) if isinstance(found, str | int | float | bool) else type(found).__name__
    return SettingsError(where, field, shown, message)


def _named(document: Mapping[str, Any], field: str) -> str:
    """msgspec leaves out which day it was (`hours[...][0]`): the first one whose times are not of that form."""
    place, _, rest = field.partition("[...]")
    for day, clocks in _at(document, place).items():
        try:
            msgspec.convert(clocks, list[Clock])
        except msgspec.ValidationError:
            return f"{place}.{day}{rest}"
    return place


def _at(document: Mapping[str, Any], field: str) -> Any:
    found: Any = document
    for step in re.findall(r"[\w-]+", field):
        if isinstance(found, Mapping):
            found = found.get(step, "nothing")
        elif isinstance(found, list) and step.isdigit() and int(step) < len(found):
            found = found[int(step)]
    return found
