"""When calendars are asked: hosts that are down are spared, waits are kept, slow servers leave room for bookings."""

import threading
from typing import Any

import msgspec
import pytest

from microsite.core.mirror import Pulled
from microsite.core.polling import after_failure
from microsite.core.polling import is_down
from microsite.core.spans import DAY
from microsite.errors import CalendarBusy
from microsite.errors import CalendarError
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable
from microsite.errors import TryAgain
from microsite.work import polls
from microsite.work import stalled
from tests.conftest import House

COACH = "sari"
FOREIGN = "https://cal.example/"


class Failing:
    """Calendars of which those at one host answer with an error, and the others with nothing new."""

    def __init__(self, error: CalendarError | None) -> None:
        self.error, self.asked = error, list[str]()

    def pull(self, account: Any, *_: Any) -> Pulled:
        """One answer."""
        self.asked.append(account.calendar)
        if self.error is not None and account.url.startswith(FOREIGN):
            raise self.error
        return Pulled(state="IDLE", sync_token="t")


def foreign(house: House, monkeypatch: pytest.MonkeyPatch, error: CalendarError | None, count: int = 3) -> Failing:
    """So many calendars of the coach at one host that fails."""
    failing = Failing(error)
    with house.services.store.write() as tx:
        for number in range(count):
            tx.mirror.add_calendar(f"far-{number}", COACH, f"{FOREIGN}{number}/", f"Far {number}", {"busy"})
            tx.mirror.touch(f"far-{number}", last_ok_at=house.now, window_end=house.now + 430 * DAY)
    monkeypatch.setattr(house.services.calendars, "pull", failing.pull)
    return failing


def rounds(house: House, count: int, seconds: int) -> None:
    """The periodic job, again and again."""
    for _ in range(count):
        polls.sync_due(house.services)
        house.drain()
        house.now += seconds


def test_a_host_that_is_down_is_asked_for_one_calendar_at_a_time(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    failing = foreign(house, monkeypatch, CalendarUnreachable("no answer"))
    rounds(house, 8, 1000)
    failing.asked.clear()
    house.now += 2 * DAY
    rounds(house, 1, 0)
    assert len([name for name in failing.asked if name.startswith("far-")]) == 1
    assert len(failing.asked) > 1


def test_when_one_calendar_of_the_host_answers_again_the_others_need_not_wait(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = foreign(house, monkeypatch, CalendarUnreachable("no answer"))
    rounds(house, 12, 2000)
    failing.error = None
    house.now += 2 * DAY
    rounds(house, 3, 1)
    with house.services.store.read() as tx:
        assert [tx.mirror.get(f"far-{number}").failures for number in range(3)] == [0, 0, 0]


def test_the_wait_a_server_asks_for_is_kept_by_polls_and_by_visitors_looks(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = foreign(house, monkeypatch, CalendarBusy("wait", retry_after=7200), count=1)
    rounds(house, 1, 60)
    failing.asked.clear()
    for _ in range(6):
        polls.refresh(house.services, COACH)
        rounds(house, 1, 1100)
    assert "far-0" not in failing.asked
    house.now += 700
    rounds(house, 1, 0)
    assert "far-0" in failing.asked


def test_a_coach_whose_password_is_refused_is_told_once_and_the_server_is_not_hammered(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = foreign(house, monkeypatch, CalendarRefused("no"), count=1)
    rounds(house, 60, 60)
    assert failing.asked.count("far-0") <= 8
    with house.services.store.read() as tx:
        letters = [row.kind for row in tx.letters.all_queued()]
        told = tx.coaches.get(COACH).told_unreachable_at
        happened = [line for line in tx.happenings.of(COACH) if "unreachable" in str(line)]
    assert told and len(happened) == 1
    assert letters.count("calendar-unreachable") <= 1


def test_a_coach_is_told_once_that_a_calendar_has_not_answered_for_longer_than_her_page_may_rely_on_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    failing = foreign(house, monkeypatch, CalendarUnreachable("no answer"), count=1)
    told = []
    for minutes in (0, 50, 20, 20):
        house.now += 60 * minutes
        rounds(house, 1, 0)
        stalled.take_up(house.services)
        with house.services.store.read() as tx:
            told.append(sum("unreachable" in str(line) for line in tx.happenings.of(COACH)))
    assert told == [0, 0, 1, 1]
    failing.error = None
    house.now += DAY
    rounds(house, 2, 1)
    with house.services.store.read() as tx:
        assert tx.coaches.untold() == []
        assert tx.coaches.get(COACH).told_unreachable_at == 0


def test_backing_off_doubles_and_never_comes_sooner_than_asked() -> None:
    assert [after_failure(n, None, 0.5).wait for n in (1, 2, 3, 20)] == [5, 10, 20, 86_400]
    assert after_failure(1, 3600, 0.0).wait == 3600
    assert after_failure(2, None, 0.5, refused=True).wait == 10
    assert after_failure(3, None, 0.5, refused=True).wait == 900


class Known(msgspec.Struct):
    """What is known of a calendar."""

    problem: str
    failures: int
    first_failed_at: int
    last_ok_at: int


@pytest.mark.parametrize(
    ("calendars", "down", "words"),
    [
        ([], False, "nobody"),
        ([("CalendarUnreachable", 9, 100, 50)], False, "one alone may be its own fault"),
        ([("CalendarUnreachable", 3, 100, 50), ("CalendarBusy", 3, 110, 60)], True, "two, and nobody else"),
        ([("CalendarUnreachable", 3, 100, 50), ("CalendarBusy", 2, 110, 60)], False, "two, but one just began"),
        ([("CalendarUnreachable", 3, 100, 50)] * 2 + [("", 0, 0, 120)], False, "a third answered since"),
        ([("CalendarUnreachable", 3, 100, 50)] * 2 + [("", 0, 0, 90)], True, "a third answered before"),
        ([("CalendarRefused", 9, 100, 50)] * 2, False, "wrong passwords are no fault of the host"),
    ],
)
def test_a_host_counts_as_down(calendars: list[tuple[str, int, int, int]], down: bool, words: str) -> None:
    assert is_down(Known(*each) for each in calendars) is down, words


def test_slow_servers_leave_threads_for_bookings(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    foreign(house, monkeypatch, None)
    waiting, release = threading.Semaphore(0), threading.Event()

    def slow(*_: Any) -> Pulled:
        waiting.release()
        assert release.wait(60)
        return Pulled(state="IDLE", sync_token="t")

    monkeypatch.setattr(house.services.calendars, "pull", slow)
    threads = [threading.Thread(target=polls.sync, args=(house.services, f"far-{number}")) for number in range(2)]
    for thread in threads:
        thread.start()
    assert waiting.acquire(timeout=60) and waiting.acquire(timeout=60)
    with pytest.raises(TryAgain):
        polls.sync(house.services, "far-2")
    monkeypatch.setattr(house.services.calendars, "pull", lambda *_: Pulled(state="IDLE", sync_token="t"))
    with house.services.store.read() as tx:
        inside = next(row.id for row in tx.mirror.calendars(COACH) if row.url.endswith("/private/"))
    polls.sync(house.services, inside)
    release.set()
    for thread in threads:
        thread.join(60)
    polls.sync(house.services, "far-2")
