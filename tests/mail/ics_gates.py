"""Three independent judges of one calendar file: libical, ics.py, and a lint of its bytes."""

import re

import ics as second_reader
import libical

from microsite.core.events import CALENDAR_PROPERTIES
from microsite.core.events import CLIENT_PROPERTIES
from microsite.core.events import COACH_PROPERTIES

TIMES = {"DTSTAMP", "CREATED", "LAST-MODIFIED", "DTSTART", "DTEND"}
NEEDED = {"UID", "DTSTAMP", "DTSTART", "DTEND", "SUMMARY", "SEQUENCE", "STATUS"}
STATUSES = {"CONFIRMED", "TENTATIVE", "CANCELLED"}


def judge(ics: bytes, allowed: frozenset[str] = CLIENT_PROPERTIES) -> list[str]:
    """Everything the three say against it; an empty list is a good file."""
    return lint(ics, allowed) + second(ics) + libical.complaints(ics)


def second(ics: bytes) -> list[str]:
    """What ics.py says."""
    try:
        second_reader.Calendar(ics.decode())
    except Exception as error:  # noqa: BLE001 (whatever the reader raises is its verdict)
        return [f"ics.py: {type(error).__name__}"]
    return []


def lint(ics: bytes, allowed: frozenset[str] = CLIENT_PROPERTIES) -> list[str]:
    """What the bytes say: line ends, folds, order, allow-list and values."""
    return _bytes(ics) + _structure(ics) + _values(fields(ics), allowed)


def fields(ics: bytes) -> list[tuple[str, str, str]]:
    """(name, parameters, value) of every unfolded line, BEGIN and END included."""
    lines = ics.decode("utf-8", "replace").replace("\r\n ", "").replace("\n ", "").splitlines()
    parts = (re.match(r"([A-Za-z0-9-]+)((?:;[^=]+=(?:\"[^\"]*\"|[^:;\"]*))*):(.*)", line) for line in lines)
    return [(part[1].upper(), part[2], part[3]) for part in parts if part]


def property_names(ics: bytes) -> set[str]:
    """Every property of the file, without BEGIN and END."""
    return {name for name, _, _ in fields(ics)} - {"BEGIN", "END"}


def value(ics: bytes, name: str) -> str:
    """The raw value of the first property of that name, or nothing."""
    return next((text for found, _, text in fields(ics) if found == name), "")


def _bytes(ics: bytes) -> list[str]:
    found = []
    if ics.replace(b"\r\n", b"").count(b"\n") or ics.replace(b"\r\n", b"").count(b"\r"):
        found.append("lint: a line ends in something else than CRLF")
    if not ics.endswith(b"END:VCALENDAR\r\n"):
        found.append("lint: does not end right after END:VCALENDAR")
    lines = ics.removesuffix(b"\r\n").split(b"\r\n")
    for number, line in enumerate(lines):
        if not line:
            found.append("lint: blank line")
        if len(line) > 75:
            found.append("lint: more than 75 octets in a line")
        if re.fullmatch(rb"[ \t](BEGIN|END):.*", line) or (line[:1] == b" " and number == 0):
            found.append("lint: a space before a component")
        try:
            line.decode()
        except UnicodeDecodeError:
            found.append("lint: a fold inside a character")
        if re.search(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]", line):
            found.append("lint: control character")
    return found


def _structure(ics: bytes) -> list[str]:
    rows = [(name, text) for name, _, text in fields(ics)]
    frame = [(name, text) for name, text in rows if name in {"BEGIN", "END"}]
    found = []
    if [f"{name}:{text}" for name, text in frame] != "BEGIN:VCALENDAR BEGIN:VEVENT END:VEVENT END:VCALENDAR".split():
        found.append("lint: not one VEVENT in one VCALENDAR")
        return found
    head = {name for name, _ in rows[1 : rows.index(("BEGIN", "VEVENT"))]}
    body = rows[rows.index(("BEGIN", "VEVENT")) : rows.index(("END", "VEVENT"))]
    if any(name == "METHOD" for name, _ in body) or "METHOD" in {name for name, _ in rows} - head:
        found.append("lint: METHOD after the first component")
    names = [name for name, _ in rows if name not in {"BEGIN", "END"}]
    if len(names) != len(set(names)):
        found.append("lint: a property twice")
    return found


def _values(rows: list[tuple[str, str, str]], allowed: frozenset[str]) -> list[str]:
    have = {name: (parameters, text) for name, parameters, text in rows}
    found = [
        f"lint: {name} is not on the allow-list"
        for name in have
        if name not in allowed | CALENDAR_PROPERTIES | {"BEGIN", "END"}
    ]
    found += [f"lint: {name} is missing" for name in sorted(NEEDED - set(have))]
    found += [f"lint: {name} is not UTC" for name in TIMES & set(have) if not _utc(*have[name])]
    text = {name: pair[1] for name, pair in have.items()}
    if text.get("DTEND", "") <= text.get("DTSTART", ""):
        found.append("lint: ends before it starts")
    if not re.fullmatch(r"\d{1,10}", text.get("SEQUENCE", "0")) or int(text.get("SEQUENCE", "0")) >= 2**31:
        found.append("lint: SEQUENCE out of range")
    if text.get("STATUS") not in STATUSES:
        found.append("lint: unknown STATUS")
    return found + _itip(text)


def _itip(text: dict[str, str]) -> list[str]:
    found = []
    method = text.get("METHOD")
    if method not in {None, "PUBLISH", "CANCEL"}:
        found.append("lint: unknown METHOD")
    if (method is None) != ("ORGANIZER" not in text):
        found.append("lint: ORGANIZER goes with METHOD and with nothing else")
    if not re.fullmatch(r"mailto:[^\s<>:,@]+@[^\s<>:,@]+", text.get("ORGANIZER", "mailto:a@b")):
        found.append("lint: ORGANIZER is not one bare address")
    if (method == "CANCEL") != (text.get("STATUS") == "CANCELLED") and method is not None:
        found.append("lint: CANCEL and CANCELLED go together")
    return found


def _utc(parameters: str, text: str) -> bool:
    return not parameters and bool(re.fullmatch(r"\d{8}T([01]\d|2[0-3])[0-5]\d[0-5]\dZ", text))


__all__ = ["CLIENT_PROPERTIES", "COACH_PROPERTIES", "fields", "judge", "lint", "property_names", "second", "value"]
