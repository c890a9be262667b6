"""What a booking found out before it held the coach's lock stands only where nothing was changed until it held it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from microsite.core.availability import Times
from microsite.errors import SlotTaken
from microsite.errors import TimesUnknown
from microsite.work import look
from tests.conftest import House
from tests.life.between import before

HOUR = 3600


@contextmanager
def reading_counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Times]]:
    """Notes what is read under the lock."""
    read: list[Times] = []
    sight = look.sight

    def noted(*args: Any, **more: Any) -> look.Sight:
        found = sight(*args, **more)
        read.append(found.times)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(look, "sight", noted)
        yield read


def test_a_time_that_another_one_was_given_meanwhile_is_not_given_again(house: House) -> None:
    start = house.starts()[3]
    before(house.services.store, "change", lambda: house.book(start))

    with pytest.raises(SlotTaken):
        house.book(start)


def test_a_time_that_became_free_meanwhile_may_be_booked(house: House) -> None:
    start = house.starts()[3]
    first = house.book(start)

    def give_back() -> None:
        with house.services.store.change("sari") as tx:
            tx.bookings.change(tx.bookings.need(first.booking.id), state="cancelled")

    before(house.services.store, "change", give_back)
    assert house.book(start).booking.start == start


def test_a_calendar_that_is_found_to_fail_meanwhile_closes_the_times(house: House) -> None:
    """Failing does not move the revision, so it is asked for by itself."""
    start = house.starts()[3]

    def fail() -> None:
        with house.services.store.write() as tx:
            for row in tx.mirror.calendars("sari"):
                tx.mirror.touch(row.id, first_failed_at=house.now - 3 * HOUR)

    before(house.services.store, "change", fail)
    with pytest.raises(TimesUnknown):
        house.book(start)


def test_where_nothing_changed_nothing_is_read_again_under_the_lock(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts = house.starts()
    house.book(starts[40])  # the first one notes the privacy page as it is
    with reading_counted(monkeypatch) as read:
        house.book(starts[3])
        assert read == []

        before(house.services.store, "change", lambda: house.book(starts[9]))
        house.book(starts[20])
        assert len(read) == 1
