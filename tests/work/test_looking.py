"""A visitor's look at old times asks for new ones and does not wait; a look at fresh ones asks for nothing."""

import pytest

from microsite import create_app
from microsite.core.spans import DAY
from microsite.work import polls
from tests.conftest import House

COACH = "sari"
FAR = "https://cal.example/far/"


@pytest.fixture(name="looks")
def _looks(house: House) -> "Looks":
    with house.services.store.write() as tx:
        tx.mirror.add_calendar("far", COACH, FAR, "Far", {"busy"})
        tx.mirror.touch(
            "far", last_ok_at=house.now, next_poll_at=house.now + 5 * 3600, window_end=house.now + 430 * DAY
        )
    return Looks(house)


class Looks:
    """Visitors at the picker."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.client = create_app(services=house.services).test_client()

    def look(self) -> int:
        """Open the picker, and close the page as a server does when it is sent."""
        answer = self.client.get(f"/{COACH}/sesi/")
        answer.close()
        return answer.status_code

    def asked(self) -> bool:
        """Whether a sync of the far calendar waits."""
        with self.house.services.store.read() as tx:
            return bool(self.house.services.jobs.known(tx, "sync", "far"))


def test_a_look_at_old_times_asks_for_a_sync_that_the_page_does_not_wait_for(house: House, looks: Looks) -> None:
    house.now += 121
    assert looks.look() == 200
    assert looks.asked()


def test_a_look_at_fresh_times_asks_for_nothing(house: House, looks: Looks) -> None:
    house.now += 119
    looks.look()
    assert not looks.asked()


def test_many_looks_ask_once_in_two_minutes(house: House, looks: Looks, monkeypatch: pytest.MonkeyPatch) -> None:
    house.now += 600
    written: list[str] = []
    enqueue = house.services.jobs.enqueue
    monkeypatch.setattr(
        house.services.jobs,
        "enqueue",
        lambda tx, kind, key, *more: (written.append(key), enqueue(tx, kind, key, *more)),
    )
    for _ in range(10):
        looks.look()
    assert written.count("far") == 1


def test_a_calendar_that_asked_for_rest_is_left_alone(house: House, looks: Looks) -> None:
    with house.services.store.write() as tx:
        tx.mirror.touch("far", backoff_until=house.now + 7200, next_poll_at=house.now + 7200, first_failed_at=house.now)
    house.now += 600
    assert looks.look() == 200
    assert not looks.asked()


def test_a_look_while_the_times_are_unknown_asks_too(house: House, looks: Looks) -> None:
    with house.services.store.write() as tx:
        tx.mirror.touch("far", first_failed_at=house.now)
    house.now += 2 * 3600
    assert looks.look() == 503
    assert looks.asked()


def test_the_embedded_calendar_tells_by_itself_and_is_not_asked(house: House) -> None:
    house.drain()
    house.now += 600
    polls.refresh(house.services, COACH)
    assert not [job for job in house.drain() if job.startswith("sync ")]
