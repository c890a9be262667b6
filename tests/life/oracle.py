"""What each client must have been told, worked out from how her booking was seen to change, and not by the site.

A booking is looked at after every job and every deed, so each change shows as two neighbouring states.
"""

from typing import NamedTuple

from .relay import File
from .relay import Letter

OPTIONAL = frozenset({"Your link", "Appointment reminder"})
"""A button that nobody needs any more, and a reminder that came too late, are rightly not sent."""
MOVED, GONE = "Appointment time changed", "Appointment cancelled"
ENDINGS = {
    "confirmed": "Appointment confirmed",
    "awaiting-coach": "Request received",
    "failed": "Appointment not booked",
    "declined": "About your request",
    "cancelled": GONE,
}


class State(NamedTuple):
    """A booking as it was seen."""

    state: str
    start: int
    end: int


def told(history: list[State]) -> list[str]:
    """The subjects that the client must have got, in order, leaving out those that may be missing.

    Where she was asked to prove her address, an end before anything else is not told.
    """
    unproven = history[0].state == "awaiting-email"
    subjects: list[str] = []
    for before, now in zip([None, *history], history, strict=False):
        said = _said(before, now, bool(subjects) or not unproven)
        if said:
            subjects.append(said)
    return subjects


def _said(before: State | None, now: State, known: bool) -> str:
    if before is None or before.state == "frozen":
        if before is not None and now.state == "confirmed" and (now.start, now.end) != (before.start, before.end):
            return MOVED
        if before is not None and now.state == "awaiting-coach" and now.start != before.start:
            return MOVED
        return ENDINGS.get(now.state, "") if before is not None and now.state in {"cancelled", "declined"} else ""
    if before.state == now.state:
        return MOVED if (before.start, before.end) != (now.start, now.end) else ""
    if now.state == "expired":
        return "About your request" if before.state == "awaiting-coach" else ""
    if now.state == "cancelled" and not known:
        return ""
    return ENDINGS.get(now.state, "")


def once(letters: list[Letter]) -> list[Letter]:
    """Each letter at its first coming: a relay that took one and said otherwise gets it twice."""
    seen: set[str] = set()
    return [letter for letter in letters if not (letter.message_id in seen or seen.add(letter.message_id))]  # type: ignore[func-returns-value]


def news(letters: list[Letter]) -> list[str]:
    """The subjects of what she really got, each letter once, leaving out those that may be missing."""
    return [letter.subject for letter in once(letters) if letter.subject not in OPTIONAL]


def check_counters(letters: list[Letter]) -> None:
    """SEQUENCE and DTSTAMP rise per UID from letter to letter; a letter that comes twice says the same."""
    last: dict[str, File] = {}
    by_id: dict[str, File | None] = {}
    for letter in letters:
        file = letter.file
        if letter.message_id in by_id:
            assert by_id[letter.message_id] == file, "a repeated letter says something else"
            continue
        by_id[letter.message_id] = file
        if file is None:
            continue
        before = last.get(file.uid)
        if before is not None:
            assert file.sequence >= before.sequence, "SEQUENCE fell"
            assert file.stamp > before.stamp, "DTSTAMP did not rise"
            same = (file.start, file.end, file.status) == (before.start, before.end, before.status)
            assert same or file.sequence > before.sequence, "other content under the same SEQUENCE"
        last[file.uid] = file


def entry(letters: list[Letter]) -> File | None:
    """What stands in the client's calendar after all these files: the newest, unless it took the entry away."""
    newest: File | None = None
    for letter in letters:
        file = letter.file
        if file and (newest is None or (file.sequence, file.stamp) >= (newest.sequence, newest.stamp)):
            newest = file
    return None if newest is None or newest.method == "CANCEL" else newest
