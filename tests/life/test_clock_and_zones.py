"""Bookings across both DST changes, in three zones, for coach and client: page, mail, file, reminder, buffer and cap.

The wall clocks below were worked out by hand; the site's own zone code is never asked what is right.
"""

import re
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple
from zoneinfo import ZoneInfo

import pytest

from microsite import create_app
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.work.cancel import may_cancel_until
from tests.calendars.servers import Server

from .app import App
from .house import MAILBOX
from .house import WEEKDAYS
from .house import Home
from .house import Pattern
from .house import settings
from .relay import Inbox

CLIENT = "budi@client.example"
OPEN = {day: ["09:00-17:00"] for day in (*WEEKDAYS, "saturday", "sunday")}
DAY = 86400


class Turn(NamedTuple):
    """A day on which the clocks change: the zone, that day, and the offset before and after in minutes."""

    zone: str
    day: str
    before: int
    after: int

    def utc(self, days: int, clock: str, offset: int) -> int:
        """A wall clock so many days from that day, by the offset in force then, as UTC seconds."""
        wall = datetime.fromisoformat(f"{self.day}T{clock}:00+00:00") + timedelta(days=days)
        return int(wall.timestamp()) - offset * 60


TURNS = [
    Turn("Europe/Berlin", "2027-03-28", 60, 120),
    Turn("Europe/Berlin", "2027-10-31", 120, 60),
    Turn("America/New_York", "2027-03-14", -300, -240),
    Turn("America/New_York", "2027-11-07", -240, -300),
    Turn("Australia/Lord_Howe", "2027-04-04", 660, 630),
    Turn("Australia/Lord_Howe", "2027-10-03", 630, 660),
]
IDS = [f"{turn.zone.split('/')[1]}-{turn.day}" for turn in TURNS]
OFFER = Offer(
    slug="sesi",
    title=Words(en="Session"),
    minutes=60,
    step=60,
    before=30,
    after=30,
    notice=60,
    horizon_days=30,
    per_day=2,
)


class Bench(NamedTuple):
    """A house in a zone, its letters and the coach's app."""

    home: Home
    inbox: Inbox
    app: App


@pytest.fixture(params=TURNS, ids=IDS, name="turn")
def _turn(request: pytest.FixtureRequest) -> Turn:
    found: Turn = request.param
    return found


@pytest.fixture(name="bench")
def _bench(
    turn: Turn, radicale_server: Server, pattern: Pattern, tmp_path: Path, relay_port: int, inbox: Inbox
) -> Iterator[Bench]:
    """The coach lives where the clocks change; it is ten days before."""
    account = radicale_server.account(radicale_server.new_calendar())
    home = pattern.copy(tmp_path / "instance", relay_port, turn.utc(-10, "06:00", turn.before))
    home.furnish(account, settings(turn.zone, [OFFER], hours=OPEN))
    app = App(account)
    yield Bench(home, inbox, app)
    app.close()
    home.close()


def test_open_hours_keep_their_wall_clock_on_both_sides_of_the_change(turn: Turn, bench: Bench) -> None:
    starts = bench.home.starts()
    for days, offset in ((-1, turn.before), (0, turn.after), (1, turn.after)):
        of_day = [at for at in starts if turn.utc(days, "00:00", offset) <= at < turn.utc(days, "23:59", offset)]
        assert of_day[0] == turn.utc(days, "09:00", offset)
        assert of_day[-1] == turn.utc(days, "16:00", offset)
        assert len(of_day) == 8


@pytest.mark.parametrize("days", [-1, 0, 1])
def test_the_page_shows_each_start_by_the_readers_wall_clock(turn: Turn, bench: Bench, days: int) -> None:
    offset = turn.before if days < 0 else turn.after
    day = (datetime.fromisoformat(turn.day) + timedelta(days=days)).date().isoformat()
    browser = create_app(services=bench.home.services).test_client()
    page = browser.get(f"/en/sari/sesi/?day={day}&tz={turn.zone}", base_url="https://book.example").get_data(
        as_text=True
    )
    links = re.findall(r'data-slot="([0-9TZ]+)"[^>]*>(?:<span[^>]*>[^<]*</span>)?([0-9:]+)<', page)
    shown = {clock: datetime.strptime(slot, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC) for slot, clock in links}
    assert next(iter(shown)) == "09:00"
    assert len(shown) == 8
    for clock, at in shown.items():
        assert int(at.timestamp()) == turn.utc(days, clock, offset)


@pytest.mark.parametrize("client_zone", ["Europe/Berlin", "America/New_York", "Australia/Lord_Howe"])
def test_a_session_after_the_change_is_told_by_the_readers_own_wall_clock(
    turn: Turn, bench: Bench, client_zone: str
) -> None:
    start = turn.utc(1, "10:00", turn.after)
    booking = bench.home.confirmed(start, zone=client_zone)
    (letter,) = bench.inbox.to(CLIENT)
    assert letter.file is not None
    assert (letter.file.start, letter.file.end) == (start, start + 3600)
    hers = OFFSETS[turn.zone, turn.day][client_zone]
    assert (datetime.fromtimestamp(start, UTC) + timedelta(minutes=hers)).strftime("%H:%M") in letter.text
    (to_coach,) = bench.inbox.to(MAILBOX)
    assert "10:00" in to_coach.text
    event = bench.app.entry(booking.coach_uid)
    assert event is not None
    assert event.start == start


OFFSETS = {
    ("Europe/Berlin", "2027-03-28"): {"Europe/Berlin": 120, "America/New_York": -240, "Australia/Lord_Howe": 660},
    ("Europe/Berlin", "2027-10-31"): {"Europe/Berlin": 60, "America/New_York": -240, "Australia/Lord_Howe": 660},
    ("America/New_York", "2027-03-14"): {"Europe/Berlin": 60, "America/New_York": -240, "Australia/Lord_Howe": 660},
    ("America/New_York", "2027-11-07"): {"Europe/Berlin": 60, "America/New_York": -300, "Australia/Lord_Howe": 660},
    ("Australia/Lord_Howe", "2027-04-04"): {
        "Europe/Berlin": 120,
        "America/New_York": -240,
        "Australia/Lord_Howe": 630,
    },
    ("Australia/Lord_Howe", "2027-10-03"): {
        "Europe/Berlin": 120,
        "America/New_York": -240,
        "Australia/Lord_Howe": 660,
    },
}
"""Minutes east of Greenwich on the day after each change, for each client."""


def test_a_reminder_comes_24_hours_before_and_not_at_the_same_wall_clock(turn: Turn, bench: Bench) -> None:
    start = turn.utc(0, "15:00", turn.after)
    bench.home.confirmed(start, zone=turn.zone)
    bench.home.now = start - DAY - 1
    bench.home.drain()
    assert len(bench.inbox.to(CLIENT)) == 1
    bench.home.now = start - DAY + 1
    bench.home.drain()
    reminder = bench.inbox.to(CLIENT)[-1]
    assert (reminder.subject, reminder.file) == ("Appointment reminder", None)
    assert "15:00" in reminder.text


def test_buffers_are_real_minutes_on_the_day_of_the_change(turn: Turn, bench: Bench) -> None:
    start = turn.utc(0, "12:00", turn.after)
    bench.home.confirmed(start)
    near = [at for at in bench.home.starts() if abs(at - start) <= 2 * 3600]
    assert sorted(at - start for at in near) == [-7200, 7200]


def test_a_cap_counts_the_coachs_own_days(turn: Turn, bench: Bench) -> None:
    for clock in ("09:00", "16:00"):
        bench.home.confirmed(turn.utc(0, clock, turn.after))
    starts = bench.home.starts()
    midnight, next_midnight = turn.utc(0, "00:00", turn.before), turn.utc(1, "00:00", turn.after)
    assert not [at for at in starts if midnight <= at < next_midnight]
    assert turn.utc(1, "09:00", turn.after) in starts
    assert turn.utc(-1, "16:00", turn.before) in starts


def test_a_drag_over_the_change_moves_by_instants(turn: Turn, bench: Bench) -> None:
    before, after = turn.utc(-1, "10:00", turn.before), turn.utc(1, "10:00", turn.after)
    assert after - before != 2 * DAY
    booking = bench.home.confirmed(before, zone=turn.zone)
    bench.app.edit(
        booking.coach_uid,
        dtstart=datetime.fromtimestamp(after, ZoneInfo(turn.zone)),
        dtend=datetime.fromtimestamp(after + 3600, ZoneInfo(turn.zone)),
    )
    bench.home.pass_time(300)
    moved = bench.inbox.to(CLIENT)[-1]
    assert moved.file is not None
    assert (moved.file.start, moved.file.sequence) == (after, 1)
    assert moved.text.count("10:00") >= 2
    assert bench.home.booking(booking.id).delivery_day == datetime.fromtimestamp(after + 3600, UTC).date().isoformat()


def test_the_deadline_to_cancel_is_counted_in_real_hours(turn: Turn, bench: Bench) -> None:
    start = turn.utc(0, "15:00", turn.after)
    booking = bench.home.confirmed(start)
    assert may_cancel_until(bench.home.services, booking) == start - DAY
