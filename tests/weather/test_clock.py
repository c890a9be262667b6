"""A clock that leaps ahead or falls back, on a running site: nothing is destroyed by mistake, and bookings go on."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from microsite.work import purge
from tests.conftest import NOW
from tests.conftest import ROOT
from tests.conftest import House
from tests.conftest import Site
from tests.conftest import free_port
from tests.conftest import wait_until
from tests.flow.backstage import states
from tests.flow.visitor import Visitor
from tests.flow.visitor import slots_from

OFFER = "/sari/sesi/"
DAY = 86_400


class ClockedSite(Site):
    """A site whose clock is a file."""

    def __init__(self, folder: Path) -> None:
        self.clock = folder / "clock"
        self.clock.write_text("0")
        super().__init__(folder / "instance", free_port(), {"WEATHER_CLOCK": str(self.clock)})

    def start(self) -> "ClockedSite":
        """Start it and wait until it is healthy."""
        with self.stderr.open("ab") as log:
            command = [sys.executable, "-m", "tests.weather.clocked"]
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=self.environ, stdout=log, stderr=log, start_new_session=True
            )
        wait_until(self.healthy, 120, "a healthy site")
        return self

    def set(self, seconds: int) -> None:
        """Let the clock be off by so much, whole or not at all."""
        new = self.clock.with_suffix(".new")
        new.write_text(str(seconds))
        new.replace(self.clock)

    @property
    def keys(self) -> list[str]:
        """The days that have a key."""
        return sorted(path.name for path in (self.instance / "day-keys").glob("20*"))


@pytest.fixture(name="clocked")
def _clocked(tmp_path: Path) -> Iterator[ClockedSite]:
    """A site with a clock of its own."""
    site = ClockedSite(tmp_path).start()
    yield site
    site.stop()


def book(site: Site) -> Visitor:
    """A visitor with a confirmed booking."""
    visitor = Visitor(site.base)
    visitor.book(OFFER, slots_from(visitor, OFFER, 4)[0])
    visitor.wait_for("confirmed")
    return visitor


def test_a_clock_that_leaps_a_year_ahead_and_comes_back_costs_nobody_anything(clocked: ClockedSite) -> None:
    visitor, link = Visitor(clocked.base), ""
    link = visitor.book(OFFER, slots_from(visitor, OFFER, 4)[0]).link
    visitor.wait_for("confirmed")
    keys = clocked.keys
    assert len(keys) == 1

    clocked.set(400 * DAY)
    run = [sys.executable, "-m", "microsite.cli", "purge", "--dry-run"]
    wait_until(lambda: Visitor(clocked.base).get(OFFER).status in {200, 503}, what="an answer in another year")
    assert clocked.keys == keys
    clocked.set(0)

    wait_until(lambda: Visitor(clocked.base).get(OFFER).status == 200, 90, "times by the right clock")
    again = Visitor(clocked.base)
    assert again.follow(again.get(link)).state == "confirmed"
    told = subprocess.run(run, cwd=ROOT, env=clocked.environ, capture_output=True, text=True, check=True).stdout
    assert told.startswith("0 records, 0 delivery envelopes, 0 day keys would be")
    book(clocked)
    assert states(clocked, "sari") == ["confirmed", "confirmed"]


def test_a_clock_that_falls_back_is_said_and_bookings_go_on(clocked: ClockedSite) -> None:
    book(clocked)
    clocked.set(-2 * 3600)

    wait_until(lambda: Visitor(clocked.base).get("/healthz").json()["clock"] == "behind", what="the clock told of")
    wait_until(lambda: "the clock was set back" in clocked.stderr.read_text(), what="a line about the clock")
    book(clocked)
    assert states(clocked, "sari") == ["confirmed", "confirmed"]


def test_after_a_leap_the_hourly_round_waits_and_the_next_one_destroys(house: House) -> None:
    """What is destroyed under a wrong clock is gone for good; an hour later than due harms nobody."""
    placed = house.book().booking
    purge.purge(house.services)
    days = house.services.sealer.key_days()

    house.now = placed.end + 400 * DAY
    purge.purge(house.services)
    assert house.booking(placed.id) == placed
    assert house.services.sealer.key_days() == days

    house.now += 3600
    purge.purge(house.services)
    assert house.services.sealer.key_days() == []
    with house.services.store.read() as tx:
        assert tx.bookings.get(placed.id) is None


def test_a_leap_that_was_set_right_within_the_hour_destroys_nothing(house: House) -> None:
    placed = house.book().booking
    purge.purge(house.services)
    house.now += 400 * DAY
    purge.purge(house.services)

    house.now = NOW + 3600
    purge.purge(house.services)

    assert house.booking(placed.id) == placed
    assert len(house.services.sealer.key_days()) == 1


@pytest.mark.parametrize("note", [b"", b"\xff\xfe\x00", b"-12", "²".encode()])
def test_a_damaged_note_of_the_last_round_keeps_nothing_from_being_purged(house: House, note: bytes) -> None:
    placed = house.book().booking
    house.now = placed.end + 400 * DAY
    (house.instance / purge.LAST_ROUND).write_bytes(note)

    purge.purge(house.services)

    with house.services.store.read() as tx:
        assert tx.bookings.get(placed.id) is None
