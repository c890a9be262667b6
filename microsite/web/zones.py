"""The visitor's time zone: which zones the list offers, what a zone is called, and what to do with an odd one."""

from datetime import datetime
from datetime import timedelta
from functools import cache
from typing import NamedTuple
from zoneinfo import ZoneInfo
from zoneinfo import available_timezones

from babel.dates import get_timezone_location

from .dates import LOCALES
from .words import gettext

INDONESIA = {"Asia/Jakarta": "WIB", "Asia/Makassar": "WITA", "Asia/Jayapura": "WIT", "Asia/Pontianak": "WIB"}
CITIES = {
    "Asia/Jakarta": "Jakarta, Bandung, Medan",
    "Asia/Makassar": "Makassar, Denpasar, Kupang",
    "Asia/Jayapura": "Jayapura, Ambon, Manokwari",
}
ELSEWHERE = (
    "Asia/Singapore Asia/Kuala_Lumpur Asia/Bangkok Asia/Manila Asia/Hong_Kong Asia/Taipei Asia/Tokyo Asia/Seoul"
    " Australia/Perth Australia/Sydney Pacific/Auckland Asia/Kolkata Asia/Dubai Asia/Riyadh Europe/Istanbul"
    " Africa/Nairobi Europe/Amsterdam Europe/Berlin Europe/Paris Europe/London"
    " America/Sao_Paulo America/New_York America/Chicago America/Los_Angeles"
).split()
RENAMED = {
    "Asia/Calcutta": "Asia/Kolkata",
    "Asia/Ujung_Pandang": "Asia/Makassar",
    "Asia/Katmandu": "Asia/Kathmandu",
    "Asia/Rangoon": "Asia/Yangon",
    "Asia/Saigon": "Asia/Ho_Chi_Minh",
    "Asia/Dacca": "Asia/Dhaka",
    "Asia/Thimbu": "Asia/Thimphu",
    "Europe/Kiev": "Europe/Kyiv",
    "America/Buenos_Aires": "America/Argentina/Buenos_Aires",
    "US/Eastern": "America/New_York",
    "US/Central": "America/Chicago",
    "US/Pacific": "America/Los_Angeles",
    "Etc/UTC": "UTC",
    "GMT": "UTC",
}
"""Old names that browsers still report, mapped to the one the list knows. Other aliases are taken as they are."""


class Chosen(NamedTuple):
    """The zone to show times in. `unknown` says that another was asked for and does not exist."""

    zone: ZoneInfo
    unknown: bool = False


class Choice(NamedTuple):
    """One line of the list."""

    name: str
    label: str
    indonesian: bool


def choose(asked: str | None, fallback: ZoneInfo) -> Chosen:
    """The zone asked for, else the coach's."""
    if not asked:
        return Chosen(fallback)
    name = RENAMED.get(asked, asked)
    if name not in _known():
        return Chosen(fallback, unknown=True)
    return Chosen(ZoneInfo(name))


def choices(chosen: ZoneInfo, coach: ZoneInfo, lang: str) -> list[Choice]:
    """Indonesia first, then other places by name; the visitor's and the coach's own are always among them."""
    names = [*CITIES, *(key for key in (chosen.key, coach.key) if key in INDONESIA and key not in CITIES)]
    near = [Choice(name, f"{INDONESIA[name]} – {CITIES.get(name, city(name, lang))}", True) for name in _once(names)]
    far = {name: city(name, lang) for name in (*ELSEWHERE, chosen.key, coach.key) if name not in INDONESIA}
    return near + [Choice(name, far[name], False) for name in sorted(far, key=far.__getitem__)]


def label(zone: ZoneInfo, at: int, lang: str) -> str:
    """`WITA`, or the city with its offset at that instant: `Kathmandu (UTC+05:45)`."""
    if zone.key in INDONESIA:
        return INDONESIA[zone.key]
    if zone.key == "UTC":
        return "UTC"
    return gettext("%(city)s time (%(offset)s)", city=city(zone.key, lang), offset=offset(zone, at))


def offset(zone: ZoneInfo, at: int) -> str:
    """`UTC+05:45`, with minutes always."""
    shift = datetime.fromtimestamp(at, zone).utcoffset() or timedelta()
    minutes = int(shift.total_seconds() // 60)
    hours, rest = divmod(abs(minutes), 60)
    return f"UTC{'−' if minutes < 0 else '+'}{hours:02d}:{rest:02d}"


def same_clock(one: ZoneInfo, other: ZoneInfo, at: int) -> bool:
    """Whether two zones show the same time at that instant."""
    return datetime.fromtimestamp(at, one).utcoffset() == datetime.fromtimestamp(at, other).utcoffset()


@cache
def city(name: str, lang: str) -> str:
    """The city a zone is named after, in the page's language where CLDR has it."""
    try:
        # Not by its name: for one, Babel would load all its changes into pytz, which forgets none.
        found: str = get_timezone_location(ZoneInfo(name), locale=LOCALES[lang], return_city=True)
    except LookupError:  # newer than Babel's data
        found = name
    return found.rsplit("/", 1)[-1].replace("_", " ")


def known(name: str) -> bool:
    """Whether there is a zone of that name, or was one."""
    return name in RENAMED or name in _known()


@cache
def _known() -> frozenset[str]:
    return frozenset(available_timezones() - {"localtime", "Factory", "posixrules"})


def _once(names: list[str]) -> list[str]:
    return list(dict.fromkeys(names))
