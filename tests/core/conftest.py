"""Random calendars around clock changes, and times written as people read them."""

from datetime import UTC
from datetime import datetime
from zoneinfo import ZoneInfo

from hypothesis import strategies as st

from microsite.core.availability import Rules
from microsite.core.availability import Taken
from microsite.core.availability import Times
from microsite.core.spans import Spans

JAKARTA = ZoneInfo("Asia/Jakarta")
CHANGES = {
    "Asia/Jakarta": "2026-03-29",
    "Asia/Kathmandu": "2026-03-29",
    "Europe/Berlin": "2026-03-28",
    "America/New_York": "2026-10-31",
    "Australia/Lord_Howe": "2026-04-04",
    "America/Santiago": "2026-09-05",
    "America/Havana": "2026-10-31",
    "Africa/Casablanca": "2026-02-14",
    "Pacific/Apia": "2011-12-29",
}
"""Zones and the day before their clocks change: at 2:00, at 1:00, at midnight, by half an hour, by a whole day."""


def utc(text: str) -> int:
    """UTC seconds of an ISO time in UTC."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def local(text: str, zone: ZoneInfo = JAKARTA) -> int:
    """UTC seconds of a local ISO time."""
    return int(datetime.fromisoformat(text).replace(tzinfo=zone).timestamp())


def pairs(
    base: int, days: int, shortest: int, longest: int, most: int, unit: int = 60
) -> st.SearchStrategy[list[tuple[int, int]]]:
    """Spans as (start, end) within some days of `base`, in any order, overlapping or not; lengths in minutes."""
    starts = st.integers(0, days * 86400 // unit)
    lengths = st.integers(shortest * 60 // unit, longest * 60 // unit)
    pair = st.tuples(starts, lengths).map(lambda p: (base + p[0] * unit, base + (p[0] + p[1]) * unit))
    return st.lists(pair, min_size=1 if shortest else 0, max_size=most)


@st.composite
def bookings(draw: st.DrawFn, base: int, days: int) -> list[Taken]:
    """Live bookings with buffers of their own."""
    buffer = st.sampled_from([0, 0, 5, 15, 60])
    spans = draw(pairs(base, days, 0, 120, 3))
    return [Taken(start, end + 600, draw(buffer), draw(buffer), draw(st.booleans())) for start, end in spans]


@st.composite
def rules(draw: st.DrawFn, zone: ZoneInfo) -> Rules:
    """What an offer may ask."""
    cap = st.sampled_from([0, 0, 0, 0, 2, 3, 1])
    return Rules(
        minutes=draw(st.sampled_from([5, 30, 45, 60, 90])),
        step=draw(st.sampled_from([5, 15, 30, 35, 60, 105])),
        before=draw(st.sampled_from([0, 0, 10, 60])),
        after=draw(st.sampled_from([0, 0, 15, 90])),
        notice=draw(st.sampled_from([0, 0, 30, 720, 1500])),
        horizon=draw(st.integers(1, 4)),
        zone=zone,
        per_day=draw(cap),
        per_week=draw(cap),
        coach_per_day=draw(cap),
        coach_per_week=draw(cap),
    )


Case = tuple[list[tuple[int, int]], list[tuple[int, int]], Times]


@st.composite
def cases(draw: st.DrawFn) -> Case:
    """Open and busy time as drawn, and the same as the slot engine is given it."""
    zone = draw(st.sampled_from(sorted(CHANGES)))
    base = utc(CHANGES[zone])
    opened = draw(pairs(base, 3, 90, 9 * 60, 4) | pairs(base, 2, 600, 50 * 60, 2))
    busy = draw(pairs(base, 3, 0, 180, 6, unit=draw(st.sampled_from([60, 900, 7]))))
    taken = draw(bookings(base, 3))
    now = base + draw(st.integers(-43200, 43200) | st.integers(-86400, 2 * 86400))
    asked = draw(rules(ZoneInfo(zone)))
    return opened, busy, Times(Spans.of(opened), Spans.of(busy), taken, asked, now)
