"""The fields of the settings pages: how each is shown, read, and what is said when its value is refused.

A field's name in the form is its path in the settings document, so an error of `core.settings` finds its field.
"""

import re
from collections.abc import Mapping
from typing import Any
from typing import NamedTuple

from flask_babel import gettext
from flask_babel import lazy_gettext

from microsite.core.settings import WEEKDAYS
from microsite.core.settings import zone_of
from microsite.core.signs import cleaned

HOUR = 60
TEXT, LONG, NUMBER, HOURS, CHOICE, TICK, CLOCKS, DATES = "text long number hours choice tick clocks dates".split()
SPLIT = re.compile(r"[,;\s]+")
DASHES = str.maketrans({"–": "-", "—": "-", ".": ":"})


class Field(NamedTuple):
    """One field: its path below the page's own, what it is called, how it is read, a hint, and what can be chosen."""

    path: str
    label: Any
    kind: str = TEXT
    hint: Any = ""
    choices: tuple[tuple[str, Any], ...] = ()


class Group(NamedTuple):
    """Fields that belong together, under a heading."""

    title: Any
    fields: tuple[Field, ...]


def both(path: str, label: Any, kind: str = TEXT, hint: Any = "") -> tuple[Field, Field]:
    """The same text in both languages."""
    return Field(f"{path}.id", label, kind, hint), Field(f"{path}.en", label, kind)


def shown(field: Field, document: Mapping[str, Any]) -> Any:
    """A field's value as the form shows it."""
    value = _at(document, field.path)
    if field.kind == HOURS:
        return f"{value / HOUR:g}"
    if field.kind == CLOCKS:
        return ", ".join(value or [])
    if field.kind == DATES:
        return "\n".join(" ".join([day, *clocks]) for day, clocks in sorted(value.items()))
    return "" if value is None else value


def read(field: Field, typed: str | None) -> Any:
    """What was typed as the settings have it, without invisible characters; anything odd goes on to be refused."""
    text = cleaned((typed or "").replace("\r\n", "\n"), lines=field.kind in {LONG, DATES}).strip()
    match field.kind:
        case "tick":
            return typed is not None
        case "number":
            return int(text) if re.fullmatch(r"[0-9]{1,6}", text) else text
        case "hours":
            number = text.replace(",", ".")
            return round(float(number) * HOUR) if re.fullmatch(r"[0-9]{1,5}(\.[0-9]{1,3})?", number) else text
        case "clocks":
            return _clocks(text)
        case "dates":
            lines = (line.split(None, 1) for line in text.splitlines() if line.strip())
            return {parts[0]: _clocks(parts[1]) if len(parts) > 1 else [] for parts in lines}
    return zone_of(text) if field.path == "zone" else text


def put(document: dict[str, Any], path: str, value: Any) -> None:
    """Set what lies at a path such as `place.text.id`; an emptied day or the like is left out."""
    *way, last = path.split(".")
    for step in way:
        document = document.setdefault(step, {})
    if value == [] and last in WEEKDAYS:
        document.pop(last, None)
    else:
        document[last] = value


def find(fields: list[Field], path: str) -> Field | None:
    """The field that an error's path is about: itself, or the one it lies in (`hours.monday[0]`)."""
    plain = re.sub(r"\[[0-9.]*\]$", "", path)
    exact = [field for field in fields if field.path == plain]
    around = [field for field in fields if plain.startswith(f"{field.path}.") or field.path.startswith(f"{plain}.")]
    return next(iter(exact or around), None)


def explain(field: Field, allowed: str) -> str:
    """Why a value was refused, in the coach's language and without our own words for things."""
    limits = dict(re.findall(r"(<=|>=) ([0-9]+)", allowed))
    if field.kind in {CLOCKS, DATES}:
        why = gettext("Write times such as 09:00-12:00, the start before the end, and dates such as 2026-12-25.")
    elif field.kind in {NUMBER, HOURS}:
        why = _explain_number(field, limits)
    elif "length" in allowed and "<=" in limits:
        why = gettext("At most %(most)s characters fit here.", most=limits["<="])
    elif field.path == "accent":
        why = _explain_colour(allowed)
    elif field.path.endswith("zone"):
        why = gettext("There is no time zone of that name. It looks like Asia/Jakarta.")
    elif field.path.endswith("slug"):
        why = gettext("Small letters, digits and single hyphens, at most 40, and not taken by another offer.")
    elif field.kind == CHOICE and field.path == "email":
        why = gettext("This site sends no mail yet, so only «not needed» works here.")
    elif field.path == "email":
        why = gettext("This e-mail address cannot be right. It looks like name@example.com.")
    elif "title" in field.path or "name" in field.path:
        why = gettext("This cannot be empty.")
    else:
        why = gettext("This cannot be used here.")
    return str(why)


def _explain_colour(allowed: str) -> Any:
    found = re.search("contrast is ([0-9.]+), and reading needs ([0-9.]+)", allowed)
    if found is None:
        return gettext("Write a colour such as #1d6b4a, in small letters.")
    return gettext(
        "This colour is too light to read: its contrast is %(found)s and %(least)s is needed. Take a darker one.",
        found=found[1],
        least=found[2],
    )


def _explain_number(field: Field, limits: dict[str, str]) -> Any:
    def unit(number: str) -> str:
        return f"{int(number) / HOUR:g}" if field.kind == HOURS else number

    if "<=" in limits:
        return gettext("At most %(most)s.", most=unit(limits["<="]))
    if ">=" in limits:
        return gettext("At least %(least)s.", least=unit(limits[">="]))
    return gettext("Write a number here.")


def _clocks(text: str) -> list[str]:
    spaced = re.sub(r"\s*-\s*", "-", text.translate(DASHES))
    return [_padded(each) for each in SPLIT.split(spaced) if each]


def _padded(clock: str) -> str:
    """`9:00-12:00` and `9-12` mean 09:00-12:00."""
    return "-".join(
        f"{part:0>2}:00" if part.isdigit() and len(part) < 3 else part.zfill(5) for part in clock.split("-")
    )


def _at(document: Mapping[str, Any], path: str) -> Any:
    found: Any = document
    for step in path.split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    return found


WEEK = (
    (WEEKDAYS[0], lazy_gettext("Monday")),
    (WEEKDAYS[1], lazy_gettext("Tuesday")),
    (WEEKDAYS[2], lazy_gettext("Wednesday")),
    (WEEKDAYS[3], lazy_gettext("Thursday")),
    (WEEKDAYS[4], lazy_gettext("Friday")),
    (WEEKDAYS[5], lazy_gettext("Saturday")),
    (WEEKDAYS[6], lazy_gettext("Sunday")),
)
WEEKLY = tuple(Field(f"hours.{day}", name, CLOCKS) for day, name in WEEK)
