"""Bookings are prepared one after the other where they are written so; nobody is stuck behind one for good."""

import threading
from concurrent.futures import ThreadPoolExecutor

from microsite.store import Store
from tests.postgres import wanted

ALONE = 1 if not wanted() else 8


def test_on_sqlite_one_is_prepared_at_a_time(store: Store) -> None:
    inside: list[int] = []
    most: list[int] = []
    gate = threading.Barrier(8)
    if store._turn is not None:
        # A twentieth of a second is soon over where a machine stands still, and then nobody waits any longer.
        store._turn._seconds = 60.0

    def prepare(number: int) -> None:
        gate.wait(60)
        with store.turn():
            inside.append(number)
            most.append(len(inside))
            threading.Event().wait(0.001)
            inside.remove(number)

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(prepare, range(8)))
    assert max(most) <= ALONE


def test_who_is_stuck_holds_up_nobody_for_good(store: Store) -> None:
    """A key server that does not answer, say: the others go on after a moment, and give back only what is theirs."""
    go = threading.Event()

    def stuck() -> None:
        with store.turn():
            go.wait(60)

    thread = threading.Thread(target=stuck)
    thread.start()
    try:
        for _ in range(3):
            with store.turn(), store.change("sari") as tx:
                tx.coaches.set_open("sari", True)
    finally:
        go.set()
        thread.join(60)
    with store.turn():
        assert not thread.is_alive()


def test_who_waits_for_a_change_hears_of_it_at_once(store: Store) -> None:
    before, heard = store.changes, threading.Event()

    def wait() -> None:
        store.wait_for_change(before, 300)
        heard.set()

    thread = threading.Thread(target=wait, daemon=True)
    thread.start()
    with store.change("sari") as tx:
        tx.coaches.set_open("sari", True)
    assert heard.wait(30)
    store.wait_for_change(before, 300)  # one that was made before the wait began is not missed
