"""One calendar file per oddity, each with what a mainstream calendar app shows (expected.toml)."""

import re
from pathlib import Path

import pytest

from microsite.calendars.expand import read
from microsite.calendars.expand import read_feed
from microsite.core.mirror import Reading
from microsite.core.spans import Spans

from .conftest import EXPECTED
from .conftest import HERE
from .conftest import ics_of
from .conftest import rules_of
from .conftest import shown
from .conftest import spans_of

TOP = re.compile(rb"BEGIN:(V[A-Z]+)\r\n.*?END:\1\r\n", re.DOTALL)
REVERSIBLE = sorted(stem for stem in EXPECTED if len(TOP.findall(ics_of(stem)[16:])) > 1 and "cut-off" not in stem)


def reversed_components(ics: bytes) -> bytes:
    """The same file with the components of each VCALENDAR in the other order."""
    calendars = ics.split(b"BEGIN:VCALENDAR\r\n")[1:]
    turned = []
    for calendar in calendars:
        parts = [match.group() for match in TOP.finditer(calendar)]
        before = calendar[: calendar.index(parts[0])]
        turned.append(b"BEGIN:VCALENDAR\r\n" + before + b"".join(reversed(parts)) + b"END:VCALENDAR\r\n")
    return b"".join(reversed(turned))


def check(reading: Reading, stem: str) -> None:
    case = EXPECTED[stem]
    assert shown(Spans.unpack(reading.spans)) == shown(spans_of(case["spans"])), case["words"]
    assert reading.warning == case.get("warning", ""), case["words"]


def test_an_object_blocks_or_opens_what_a_mainstream_app_shows(stem: str) -> None:
    check(read("/cal/x.ics", '"1"', ics_of(stem), rules_of(stem)), stem)


@pytest.mark.parametrize("stem", REVERSIBLE)
def test_the_order_of_components_changes_nothing(stem: str) -> None:
    ics = reversed_components(ics_of(stem))
    assert ics != ics_of(stem)
    check(read("/cal/x.ics", '"1"', ics, rules_of(stem)), stem)


@pytest.mark.parametrize(
    "stem", sorted(stem for stem in EXPECTED if stem not in ("cut-off", "cut-off-before-end", "not-a-calendar"))
)
def test_the_same_file_as_a_feed_comes_to_the_same_time(stem: str) -> None:
    readings = read_feed(ics_of(stem), '"feed"', rules_of(stem))
    together = Spans().union(*(Spans.unpack(reading.spans) for reading in readings))
    if not stem.startswith("availability-") and stem != "availability":
        assert shown(together) == shown(spans_of(EXPECTED[stem]["spans"]))
    assert len({reading.href for reading in readings}) == len(readings)


def test_every_fixture_has_its_expectation_and_there_are_enough() -> None:
    assert {path.stem for path in Path(HERE / "fixtures").glob("*.ics")} == set(EXPECTED)
    assert len(EXPECTED) >= 60
    assert all(case["words"] for case in EXPECTED.values())
