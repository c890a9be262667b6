"""What the words of `/healthz` go by, and how counts of bookings are blurred."""

import pytest

from microsite.core.health import Facts
from microsite.core.health import blurred
from microsite.core.health import judge

NOW = 1_795_406_400
MB = 1024 * 1024
WELL = Facts(
    coaches=1,
    bookings={"confirmed": 3},
    calendars={"IDLE": 2},
    calendars_failing=0,
    failing_by_coach={},
    oldest_reading=NOW - 600,
    newest_reading=NOW - 10,
    letters_queued=1,
    letters_late=0,
    jobs_due=1,
    jobs_given_up=0,
    oldest_due=NOW - 2,
    database_size=200_000,
    disk_free=1000 * MB,
    disk_writable=True,
)


def test_a_house_that_is_well_says_ok_throughout() -> None:
    assert set(judge(WELL, NOW)) == {True, "ok"}


@pytest.mark.parametrize(
    ("change", "part", "word"),
    [
        ({"oldest_due": NOW - 301}, "jobs", "stuck"),
        ({"oldest_due": NOW - 300}, "jobs", "ok"),
        ({"jobs_given_up": 1}, "jobs", "given-up"),
        ({"jobs_given_up": 1, "oldest_due": NOW - 9999}, "jobs", "stuck"),
        ({"calendars_failing": 1}, "calendars", "failing"),
        ({"letters_late": 1}, "letters", "late"),
        ({"disk_free": 100 * MB}, "disk", "low"),
        ({"disk_free": MB}, "disk", "full"),
        ({"disk_writable": False}, "disk", "read-only"),
        ({"newest_reading": NOW + 121}, "clock", "behind"),
        ({"newest_reading": NOW + 119}, "clock", "ok"),
        ({"newest_reading": 0, "oldest_reading": 0}, "clock", "ok"),
    ],
)
def test_each_trouble_has_its_word_and_the_pages_are_still_served(change: dict, part: str, word: str) -> None:
    found = judge(WELL._replace(**change), NOW)

    assert getattr(found, part) == word
    assert found.ok
    assert [value for name, value in found._asdict().items() if name != part] == [True, *["ok"] * 5]


@pytest.mark.parametrize(("number", "shown"), [(0, 0), (1, 5), (5, 5), (6, 10), (23, 25)])
def test_a_count_of_bookings_is_rounded_up_to_the_next_five(number: int, shown: int) -> None:
    assert blurred(number) == shown
