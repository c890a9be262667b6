"""What a booking's steps read of the calendars is stored in the very change that decides, whoever else reads them."""

from collections.abc import Callable
from typing import Any

import pytest

from microsite.errors import CalendarMissing
from microsite.work import book
from microsite.work import judge
from microsite.work import move
from microsite.work.calendars import in_step
from microsite.work.sync import sync_calendar
from tests.conftest import House
from tests.life.between import before


def writes_of(house: House, act: Callable[[], object], monkeypatch: pytest.MonkeyPatch) -> int:
    """How many transactions that write an act takes: for each one somebody waits for the disk."""
    written: list[int] = []
    write = house.services.store.write

    def counted() -> Any:
        written.append(1)
        return write()

    with monkeypatch.context() as patched:
        patched.setattr(house.services.store, "write", counted)
        act()
    return len(written)


def test_each_step_of_a_booking_waits_for_the_disk_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = house.book(house.starts()[3]).booking
    for step in (book.check, book.write, book.verify):
        assert writes_of(house, lambda step=step: step(house.services, booking.id), monkeypatch) == 1
    assert house.booking(booking.id).state == "confirmed"


def test_each_step_of_a_move_waits_for_the_disk_once(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    starts = house.starts()
    booking = house.book(starts[30]).booking
    house.drain()
    move.move(house.services, booking.id, house.booking(booking.id).ref, starts[40])
    for step in (move.check, move.write, move.verify):
        assert writes_of(house, lambda step=step: step(house.services, booking.id), monkeypatch) == 1
    assert house.booking(booking.id).start == starts[40]


def test_a_judgement_that_finds_nothing_writes_nothing(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    booking = house.book(house.starts()[3]).booking
    house.drain()
    assert house.booking(booking.id).state == "confirmed"
    assert writes_of(house, lambda: judge.judge(house.services, "sari"), monkeypatch) == 0


def test_a_calendar_that_somebody_else_synced_meanwhile_is_read_again(house: House) -> None:
    booking = house.book(house.starts()[3]).booking
    with house.services.store.read() as tx:
        row = next(row for row in tx.mirror.calendars("sari") if "bookings" in row.roles)
    read: list[str] = []
    pull = house.services.calendars.pull

    def noted(account: Any, *rest: Any) -> Any:
        read.append(account.calendar)
        return pull(account, *rest)

    house.services.calendars.pull = noted  # type: ignore[method-assign]
    before(house.services.store, "change", lambda: sync_calendar(house.services, row.id, 20))
    book.check(house.services, booking.id)

    assert read.count(row.id) == 3, "once, then by the other one, then again"
    assert house.drain()
    assert house.booking(booking.id).state == "confirmed"


def test_where_one_calendar_fails_what_was_read_of_the_others_is_kept(house: House) -> None:
    with house.services.store.write() as tx:
        tx.mirror.add_calendar("gone", "sari", "http://embedded.invalid/dav/sari/gone/", "Gone", {"busy"})
        rows = tx.mirror.calendars("sari")
    house.now += 60
    with pytest.raises(CalendarMissing), in_step(house.services, "sari", 5.0):
        raise AssertionError("nothing may be decided")
    with house.services.store.read() as tx:
        assert all(tx.mirror.get(row.id).last_ok_at == house.now for row in rows if row.id != "gone")
