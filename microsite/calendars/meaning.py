"""What one of our own events says, read from its text: enough to tell whether a write of ours has landed."""

import re
from typing import NamedTuple

_FOLD = re.compile(rb"\r?\n[ \t]")
_LINE = re.compile(r"^(UID|DTSTART|DTEND|SUMMARY|STATUS)((?:;[^:\"]*(?:\"[^\"]*\")?)*):(.*)$", re.IGNORECASE)


class Meaning(NamedTuple):
    """The properties that matter, in plain text. Servers may rewrite all the rest."""

    uid: str = ""
    start: str = ""
    end: str = ""
    summary: str = ""
    status: str = ""


def of(ics: bytes) -> Meaning:
    """The meaning of the first VEVENT in this text (not of its alarms); empty where there is none."""
    depth, found = 0, dict[str, str]()
    for line in _FOLD.sub(b"", ics).decode("utf-8", "replace").splitlines():
        upper = line.strip().upper()
        if upper.startswith("BEGIN:") and (depth or upper == "BEGIN:VEVENT"):
            depth += 1
        elif upper.startswith("END:") and depth:
            depth -= 1
            if not depth:
                break
        elif depth == 1 and (match := _LINE.match(line)):
            found.setdefault(match[1].upper(), match[3].strip())
    return Meaning(*(found.get(name, "") for name in ("UID", "DTSTART", "DTEND", "SUMMARY", "STATUS")))


def uid(ics: bytes) -> str:
    """The UID of the first VEVENT, or nothing."""
    return of(ics).uid
