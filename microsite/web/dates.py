"""Dates, times and parts of the day in words. Babel and zoneinfo only; every instant is UTC seconds.

English is en_GB: day before month, 24 hours. Weeks begin on Monday in both languages.
"""

from datetime import UTC
from datetime import date
from datetime import datetime
from datetime import timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from babel.dates import format_date

from microsite.core.hours import local_day as local_day
from microsite.core.hours import week_of

from .words import gettext

LOCALES = {"id": "id", "en": "en_GB"}
DAYS_REMEMBERED = 1024
"""Babel looks a pattern up anew for each date, which costs thirty times what it costs to remember the words."""
SLOT_FORMAT = "%Y%m%dT%H%M%SZ"
PARTS = ((4, "dini"), (10, "pagi"), (15, "siang"), (18, "sore"), (24, "malam"))
"""Until which local hour each part of the day lasts (CLDR's Indonesian day periods, with the small hours apart)."""


@lru_cache(maxsize=DAYS_REMEMBERED)
def full_day(day: date, lang: str) -> str:
    """`Senin, 23 November 2026`."""
    return format_date(day, "EEEE, d MMMM y", locale=LOCALES[lang])


@lru_cache(maxsize=DAYS_REMEMBERED)
def short_day(day: date, lang: str) -> str:
    """`Sen, 23 Nov`."""
    return format_date(day, "EEE, d MMM", locale=LOCALES[lang])


@lru_cache(maxsize=DAYS_REMEMBERED)
def weekday(day: date, lang: str) -> str:
    """`Sen`."""
    return format_date(day, "EEE", locale=LOCALES[lang])


@lru_cache(maxsize=DAYS_REMEMBERED)
def month(day: date, lang: str) -> str:
    """`November 2026`."""
    return format_date(day, "MMMM y", locale=LOCALES[lang])


def week_from(day: date) -> list[date]:
    """The seven days of a date's week."""
    monday = week_of(day)
    return [monday + timedelta(days=n) for n in range(7)]


@lru_cache(maxsize=DAYS_REMEMBERED)
def week(monday: date, lang: str) -> str:
    """`23–29 Nov`, or `30 Nov – 6 Des` across two months."""
    sunday = monday + timedelta(days=6)
    last: str = format_date(sunday, "d MMM", locale=LOCALES[lang])
    if monday.month == sunday.month:
        return f"{monday.day}–{last}"
    return f"{format_date(monday, 'd MMM', locale=LOCALES[lang])} – {last}"


def clock(at: int, zone: ZoneInfo, lang: str) -> str:
    """`14.00` in Indonesian, `14:00` in English."""
    return datetime.fromtimestamp(at, zone).strftime("%H.%M" if lang == "id" else "%H:%M")


def between(start: int, end: int, zone: ZoneInfo, lang: str) -> str:
    """`14.00–14.50`."""
    return f"{clock(start, zone, lang)}–{clock(end, zone, lang)}"


def moment_day(at: int, zone: ZoneInfo, lang: str) -> str:
    """The full local date of an instant."""
    return full_day(local_day(at, zone), lang)


def iso_day(day: str, lang: str) -> str:
    """The full date of a stored `2026-12-25`."""
    return full_day(date.fromisoformat(day), lang)


def part_of_day(at: int, zone: ZoneInfo) -> str:
    """`dini`, `pagi`, `siang`, `sore` or `malam`."""
    hour = datetime.fromtimestamp(at, zone).hour
    return next(part for until, part in PARTS if hour < until)


def part_name(part: str) -> str:
    """The word for a part of the day in the page's language."""
    names: dict[str, str] = {
        "dini": gettext("Small hours"),
        "pagi": gettext("Morning"),
        "siang": gettext("Midday"),
        "sore": gettext("Afternoon"),
        "malam": gettext("Evening"),
    }
    return names[part]


def iso(at: int) -> str:
    """An instant for machines: `2026-11-25T06:00:00Z`."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def slot_text(at: int) -> str:
    """An instant as slot links carry it: `20261125T060000Z`."""
    return datetime.fromtimestamp(at, UTC).strftime(SLOT_FORMAT)
