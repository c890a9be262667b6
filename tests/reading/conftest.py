"""Fixture files by stem, expected spans from `expected.toml`, and spans written as people read them."""

import tomllib
from collections.abc import Iterable
from datetime import UTC
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from microsite.calendars.expand import read
from microsite.core.mirror import Reading
from microsite.core.mirror import ReadingRules
from microsite.core.spans import Spans

HERE = Path(__file__).parent
EXPECTED: dict[str, dict[str, Any]] = tomllib.loads((HERE / "expected.toml").read_text())


def utc(text: str) -> int:
    """UTC seconds of an ISO date or time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def spans_of(lines: Iterable[str]) -> Spans:
    """Spans from lines such as `2026-01-05T02:00/03:00`."""
    pairs = []
    for line in lines:
        start, end = line.split("/")
        pairs.append((utc(start), utc(end if "T" in end else f"{start[:10]}T{end}")))
    return Spans.of(pairs)


def shown(spans: Spans) -> list[str]:
    """Spans as lines, for a message that can be compared by eye."""
    moments = [(datetime.fromtimestamp(at, UTC) for at in span) for span in spans]
    return ["/".join(moment.strftime("%Y-%m-%dT%H:%M:%S") for moment in pair) for pair in moments]


def ics_of(stem: str) -> bytes:
    """A fixture file."""
    return (HERE / "fixtures" / f"{stem}.ics").read_bytes()


def rules_of(stem: str, **more: Any) -> ReadingRules:
    """The rules under which a fixture is read."""
    case = EXPECTED[stem]
    start, end = case.get("window", ("2026-01-01", "2026-04-01"))
    given = {
        "kind": case.get("kind", "busy"),
        "zone": case.get("zone", "Asia/Jakarta"),
        "start": utc(start),
        "end": utc(end),
        "tentative_blocks": case.get("tentative_blocks", True),
    }
    return ReadingRules(**given | more)


def event(*lines: str, uid: str = "one@fixture", head: str = "") -> bytes:
    """A small object with one event."""
    body = "\r\n".join(("BEGIN:VEVENT", f"UID:{uid}", *lines, "END:VEVENT"))
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{head}{body}\r\nEND:VCALENDAR\r\n".encode()


def busy(ics: bytes, **more: Any) -> Reading:
    """An object read as busy time of a coach in Jakarta, January to March 2026."""
    given: dict[str, Any] = {
        "kind": "busy",
        "zone": "Asia/Jakarta",
        "start": utc("2026-01-01"),
        "end": utc("2026-04-01"),
    }
    return read("/cal/one.ics", '"1"', ics, ReadingRules(**given | more))


@pytest.fixture(params=sorted(EXPECTED))
def stem(request: pytest.FixtureRequest) -> str:
    """Each fixture in turn."""
    return str(request.param)
