"""Counting over the whole installation, on either database."""

from microsite.store import Store
from tests.store.conftest import NOW
from tests.store.conftest import booking


def test_an_empty_house_is_all_noughts(empty: Store) -> None:
    empty.upgrade()
    with empty.read() as tx:
        assert tx.census.coaches() == tx.census.letters() == 0
        assert tx.census.bookings() == tx.census.failing_by_coach() == {}
        assert tx.census.calendars() == ({}, 0, 0, 0)
        assert tx.census.size() > 10_000


def test_bookings_calendars_and_letters_are_counted(store: Store) -> None:
    first, second = booking(), booking(NOW + 7200)
    with store.change("sari") as tx:
        tx.bookings.add(first, store.sealed(None, None, None))
        tx.bookings.add(second, store.sealed(None, None, None))
        tx.bookings.change(second, state="cancelled")
        tx.letters.add(
            "l1",
            "sari",
            first.id,
            kind="confirmed",
            recipient="client",
            message_id="m",
            seq=0,
            dtstamp=0,
            start=0,
            end=0,
            old_start=0,
        )
        for name, values in {
            "well": {"state": "IDLE", "last_ok_at": NOW - 600},
            "fresh": {"state": "IDLE", "last_ok_at": NOW},
            "down": {"state": "BACKOFF", "last_ok_at": NOW - 9000, "first_failed_at": NOW - 60, "failures": 3},
            "new": {"state": "NEW"},
            "never": {"state": "NEW", "failures": 1},
        }.items():
            tx.mirror.add_calendar(name, "sari", f"https://dav.example/{name}/", name, {"busy"})
            tx.mirror.touch(name, **values)

    with store.read() as tx:
        assert tx.census.coaches() == tx.census.letters() == 1
        assert tx.census.bookings() == {"confirmed": 1, "cancelled": 1}
        assert tx.census.calendars() == ({"IDLE": 2, "BACKOFF": 1, "NEW": 2}, 2, NOW - 9000, NOW)
        assert tx.census.failing_by_coach() == {"sari": 2}
