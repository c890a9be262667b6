"""Changes our few properties in the document that stands in the coach's calendar, and not one byte of the rest.

Her app may have added alarms, colours, notes and X- properties; a rebuilt event would lose them. Text in, text out:
what the document means is `expand`'s business.
"""

import re
from datetime import UTC
from datetime import datetime

from microsite.core.events import EventChanges
from microsite.errors import CalendarChanged

_LOGICAL = re.compile(rb"[^\r\n]*(?:\r?\n[ \t][^\r\n]*)*(?:\r?\n|\Z)")
_FOLD_AT = 73
"""Octets of a line before it is folded, the fold's own blank included (RFC 5545 3.1 allows 75)."""


def patch(ics: bytes, changes: EventChanges) -> bytes:
    """The document with these properties of its (master) event changed. CalendarChanged: there is no event in it."""
    lines = [line for line in _LOGICAL.findall(ics) if line]
    first, last = _event(lines)
    end_of_line = b"\r\n" if b"\r\n" in ics else b"\n"
    wanted = _wanted(changes)
    drop = {b"DURATION"} if b"DTEND" in wanted else set()  # an event has one or the other (RFC 5545 3.6.1)
    patched: list[bytes] = []
    depth = 0
    for line in lines[first + 1 : last]:
        name = _name(line)
        depth += name == b"BEGIN"
        if depth == 0 and name in wanted:
            line = _folded(name, wanted.pop(name), end_of_line)
        elif depth == 0 and name in drop:
            line = b""
        depth -= name == b"END"
        patched.append(line)
    added = [_folded(name, value, end_of_line) for name, value in wanted.items()]
    return b"".join([*lines[: first + 1], *patched, *added, *lines[last:]])


def _wanted(changes: EventChanges) -> dict[bytes, bytes]:
    values = {
        b"DTSTART": _utc(changes.start) if changes.start is not None else None,
        b"DTEND": _utc(changes.end) if changes.end is not None else None,
        b"SUMMARY": _text(changes.summary) if changes.summary is not None else None,
        b"STATUS": changes.status,
        b"SEQUENCE": str(changes.sequence),
        b"DTSTAMP": _utc(changes.stamp),
        b"LAST-MODIFIED": _utc(changes.stamp),
    }
    return {name: value.encode() for name, value in values.items() if value is not None}


def _event(lines: list[bytes]) -> tuple[int, int]:
    """Where the master event begins and ends: the first VEVENT that is no exception of another."""
    start = None
    for index, line in enumerate(lines):
        said = line.strip().upper()
        if said == b"BEGIN:VEVENT":
            start = index
        elif said == b"END:VEVENT" and start is not None:
            if not any(_name(inner) == b"RECURRENCE-ID" for inner in lines[start:index]):
                return start, index
            start = None
    raise CalendarChanged("there is no event in this document any more")


def _name(line: bytes) -> bytes:
    return re.split(rb"[;:]", re.sub(rb"\r?\n[ \t]", b"", line), maxsplit=1)[0].strip().upper()


def _utc(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y%m%dT%H%M%SZ")


def _text(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,")
    return " ".join(escaped.split())


def _folded(name: bytes, value: bytes, end_of_line: bytes) -> bytes:
    """One content line, folded between characters."""
    parts, current = [], b""
    for character in (name + b":" + value).decode():
        piece = character.encode()
        if len(current) + len(piece) > _FOLD_AT:
            parts.append(current)
            current = b""
        current += piece
    return (end_of_line + b" ").join([*parts, current]) + end_of_line
