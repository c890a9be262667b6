"""Times as a person reads them in a letter: weekday, date, clock and the name of the zone. Pages format their own."""

from datetime import UTC
from datetime import date
from datetime import datetime
from zoneinfo import ZoneInfo

from babel.dates import format_date
from babel.dates import get_timezone_location

LOCALES = {"id": "id", "en": "en_GB"}
DAYS = {"id": "EEEE, d MMMM y", "en": "EEEE, d MMMM y"}
CLOCKS = {"id": "%H.%M", "en": "%H:%M"}
INDONESIAN = {
    "Asia/Jakarta": "WIB",
    "Asia/Pontianak": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Ujung_Pandang": "WITA",
    "Asia/Jayapura": "WIT",
}
"""CLDR has these names in Indonesian only; English readers in Indonesia use them too."""


def span(start: int, end: int, zone: str, language: str) -> str:
    """From `start` to `end` (UTC seconds) as read in `zone`; the second date only if it is another day."""
    first, last = _local(start, zone), _local(end, zone)
    day = f"{_day(last, language)}, " if first.date() != last.date() else ""
    if first.utcoffset() != last.utcoffset():
        return f"{instant(start, zone, language)} – {instant(end, zone, language)}"
    dash = " – " if day else "–"
    opening = f"{_day(first, language)}, {_clock(first, language)}"
    return f"{opening}{dash}{day}{_clock(last, language)} {_zone_name(last, zone, language)}"


def instant(at: int, zone: str, language: str) -> str:
    """One moment (UTC seconds) with its date and zone."""
    local = _local(at, zone)
    return f"{_day(local, language)}, {_clock(local, language)} {_zone_name(local, zone, language)}"


def same_clock(start: int, end: int, zone: str, other: str) -> bool:
    """Whether both zones show the same wall clock during the session."""
    return all(_local(at, zone).utcoffset() == _local(at, other).utcoffset() for at in (start, end))


def long_day(iso_day: str, language: str) -> str:
    """A date such as 31 December 2026."""
    return str(format_date(date.fromisoformat(iso_day), "d MMMM y", locale=LOCALES[language]))


def _local(at: int, zone: str) -> datetime:
    return datetime.fromtimestamp(at, UTC).astimezone(ZoneInfo(zone))


def _day(local: datetime, language: str) -> str:
    return str(format_date(local.date(), DAYS[language], locale=LOCALES[language]))


def _clock(local: datetime, language: str) -> str:
    return local.strftime(CLOCKS[language])


def _zone_name(local: datetime, zone: str, language: str) -> str:
    if zone in INDONESIAN:
        return INDONESIAN[zone]
    offset = local.strftime("%z")
    utc = "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"
    if "/" not in zone or zone.startswith("Etc/"):
        return utc
    city = get_timezone_location(ZoneInfo(zone), locale=LOCALES[language], return_city=True)
    return f"({city.rpartition('/')[2]}, {utc})"
