"""Transactions: one writer per coach, nothing half-done, one winner among racing changes. On either database."""

import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

import pytest

from microsite.core.bookings import CANCELLED
from microsite.errors import NotFound
from microsite.store import Store
from tests.store.conftest import HOUR
from tests.store.conftest import NOW
from tests.store.conftest import booking
from tests.store.conftest import settings

THREADS = 8


def revision(store: Store) -> int:
    """The coach's."""
    with store.read() as tx:
        row = tx.coaches.get("sari")
    assert row is not None
    return row.revision


def at_once(do: Callable[[int], object]) -> list[object]:
    """What `do` answers in each of eight threads that begin together. Errors are raised."""
    barrier = threading.Barrier(THREADS)

    def one(number: int) -> object:
        barrier.wait()
        return do(number)

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(one, range(THREADS)))


def test_a_change_raises_the_revision_exactly_once(store: Store) -> None:
    before = revision(store)
    with store.change("sari") as tx:
        for number in range(3):
            tx.bookings.add(booking(NOW + number * HOUR), store.sealed(None, None, None))

    assert revision(store) == before + 1


def test_a_change_that_fails_leaves_nothing_of_itself(store: Store) -> None:
    before, told = revision(store), []
    new = booking()
    with pytest.raises(ZeroDivisionError), store.change("sari") as tx:
        tx.bookings.add(new, store.sealed(None, None, None))
        tx.after.append(lambda: told.append("committed"))
        raise ZeroDivisionError

    with store.read() as tx:
        assert tx.bookings.get(new.id) is None
    assert (revision(store), told) == (before, [])


def test_what_was_to_follow_a_commit_follows_it(store: Store) -> None:
    new, seen = booking(), []

    def look() -> None:
        with store.read() as tx:
            seen.append(tx.bookings.get(new.id) is not None)

    with store.change("sari") as tx:
        tx.bookings.add(new, store.sealed(None, None, None))
        tx.after.append(look)

    assert seen == [True]


def test_a_change_for_nobody_is_not_found(store: Store) -> None:
    with pytest.raises(NotFound), store.change("nobody"):
        raise AssertionError("the body must not run")


def test_writers_in_eight_threads_of_two_processes_never_see_a_lock_error(store: Store) -> None:
    """A transaction that reads first and writes then fails at once when it was not begun as a writing one."""
    other = Store(store.url)

    def write(number: int) -> None:
        own = other if number % 2 else store
        for turn in range(6):
            with own.write() as tx:
                known = len(tx.bookings.live("sari"))
                tx.bookings.add(booking(NOW + (number * 100 + turn) * HOUR), store.sealed(None, None, None))
                assert len(tx.bookings.live("sari")) > known

    at_once(write)

    with store.read() as tx:
        assert len(tx.bookings.live("sari")) == THREADS * 6
    other.close()


def test_of_eight_who_want_the_same_hour_one_gets_it(store: Store) -> None:
    other, before = Store(store.url), revision(store)

    def book(number: int) -> bool:
        with (other if number % 2 else store).change("sari") as tx:
            if any(one.start == NOW for one in tx.bookings.live("sari")):
                return False
            tx.bookings.add(booking(NOW), store.sealed(None, None, None))
            return True

    assert sorted(map(bool, at_once(book))) == [False] * (THREADS - 1) + [True]
    assert revision(store) == before + THREADS
    other.close()


def test_of_eight_changes_to_the_same_booking_one_wins(store: Store) -> None:
    known, other = booking(), Store(store.url)
    with store.change("sari") as tx:
        tx.bookings.add(known, store.sealed(None, None, None))

    def cancel(number: int) -> object:
        with (other if number % 2 else store).write() as tx:
            return tx.bookings.change(known, state=CANCELLED)

    won = [one for one in at_once(cancel) if one is not None]

    with store.read() as tx:
        assert won == [tx.bookings.get(known.id)]
    other.close()


def test_a_reader_sees_one_moment_whatever_is_written_meanwhile(store: Store) -> None:
    with store.read() as tx:
        before = tx.coaches.get("sari")
        with store.change("sari") as other:
            other.bookings.add(booking(), store.sealed(None, None, None))
        assert tx.bookings.live("sari") == []
        assert tx.coaches.get("sari") == before

    with store.read() as tx:
        assert len(tx.bookings.live("sari")) == 1


def test_what_belongs_to_a_coach_goes_with_her_and_nothing_can_belong_to_nobody(store: Store) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), store.write() as tx:
        tx.bookings.add(booking(coach="nobody"), store.sealed(None, None, None))


def test_the_second_coach_of_one_slug_is_refused(store: Store) -> None:
    from sqlalchemy.exc import IntegrityError

    with pytest.raises(IntegrityError), store.write() as tx:
        tx.coaches.add("sari", settings(), demo=False, open_=False)


def test_no_connection_is_left_out(store: Store) -> None:
    with pytest.raises(ZeroDivisionError), store.read():
        raise ZeroDivisionError
    with pytest.raises(ZeroDivisionError), store.write():
        raise ZeroDivisionError

    assert store.engine.pool.checkedout() == 0  # type: ignore[attr-defined]
