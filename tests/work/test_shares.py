"""A long round of polls is divided among the workers by coach; a short one is not."""

from collections import Counter

import pytest

from microsite.work import polls
from tests.conftest import House

COACHES = 40


@pytest.fixture(name="many")
def _many(house: House) -> House:
    """Many coaches with ten calendars each, all due."""
    with house.services.store.write() as tx:
        settings = tx.coaches.settings("sari")
        for number in range(COACHES):
            coach = f"coach-{number}"
            tx.coaches.add(coach, settings, demo=False, open_=True)
            for calendar in range(10):
                name = f"{coach}-{calendar}"
                tx.mirror.add_calendar(name, coach, f"https://{name}.example/", name, {"busy"})
                tx.mirror.touch(name, next_poll_at=house.now - 1)
        for row in tx.mirror.calendars("sari"):
            tx.mirror.touch(row.id, next_poll_at=house.now + 10**6)
    return house


def taken(house: House) -> list[tuple[str, str]]:
    """Every job that is due, taken and not run."""
    found = []
    while job := house.hands.take():
        found.append((job.kind, job.key))
        house.hands.done(job)
    return found


def test_a_long_round_is_divided_and_every_calendar_is_in_one_share(many: House) -> None:
    taken(many)
    polls.sync_due(many.services)
    shares = taken(many)
    assert sorted(shares) == [("sync.due", str(share)) for share in range(polls.SHARES)]

    asked: Counter[str] = Counter()
    sizes = []
    for _, share in shares:
        polls.sync_due(many.services, share)
        mine = [key for kind, key in taken(many) if kind == "sync"]
        sizes.append(len(mine))
        asked.update(mine)
    assert len(asked) == COACHES * 10
    assert set(asked.values()) == {1}
    assert min(sizes) > 0, sizes
    assert taken(many) == []


def test_all_calendars_of_a_coach_are_in_one_share(many: House) -> None:
    shares_of: dict[str, set[int]] = {}
    with many.services.store.read() as tx:
        for share in range(polls.SHARES):
            step = polls.PARTS // polls.SHARES
            for row in tx.mirror.due(many.now, range(share * step, (share + 1) * step)):
                shares_of.setdefault(row.coach, set()).add(share)
    assert len(shares_of) == COACHES
    assert {len(shares) for shares in shares_of.values()} == {1}


def test_a_short_round_is_not_divided(house: House) -> None:
    taken(house)
    with house.services.store.write() as tx:
        for row in tx.mirror.calendars("sari"):
            tx.mirror.touch(row.id, next_poll_at=house.now - 1)
    polls.sync_due(house.services)
    assert {kind for kind, _ in taken(house)} == {"sync"}
