"""The doctor compares this machine's clock with that of each calendar's server."""

import time
from collections.abc import Iterator

import pytest

from microsite.calendars import Calendars
from microsite.calendars import wire
from microsite.work import doctor
from tests.calendars.servers import LOOPBACK
from tests.calendars.servers import Server
from tests.calendars.servers import radicale
from tests.conftest import House


@pytest.fixture(name="server", scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with radicale(tmp_path_factory.mktemp("radicale")) as running:
        yield running


@pytest.mark.parametrize("contained", [False, True])
def test_a_check_says_what_the_servers_clock_says(server: Server, contained: bool) -> None:
    calendars = Calendars(None, LOOPBACK, contained=contained)
    said = calendars.check(server.account(server.new_calendar()), 60)
    calendars.close()
    assert said is not None and abs(said - time.time()) < 60


@pytest.mark.parametrize(("apart", "verdict"), [(0, "ok"), (-59, "ok"), (3600, "look"), (-86_400, "look")])
def test_a_clock_that_is_off_is_named_with_what_to_do(
    house: House, monkeypatch: pytest.MonkeyPatch, apart: int, verdict: str
) -> None:
    monkeypatch.setattr(house.services.calendars, "check", lambda *_: house.now + apart)
    found = [each for each in doctor.examine(house.services) if "answers" in each.what]
    assert {each.verdict for each in found} == {verdict}
    assert all("NTP" in each.advice for each in found) is (verdict == "look")


@pytest.mark.parametrize(
    ("header", "said"),
    [("Mon, 23 Nov 2026 04:00:00 GMT", 1_795_406_400), ("", None), ("yesterday", None), ("Mon, 99 Nov 2026", None)],
)
def test_a_date_header_is_read_or_left_alone(header: str, said: int | None) -> None:
    assert wire._date(header) == said
