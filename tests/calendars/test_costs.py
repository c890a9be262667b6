"""What keeping step costs, in numbers, seen by a proxy that counts: the same at 200 and at 2,000 events.

`make costs` asks at 20,000 too, which takes some minutes.
"""

import os

import pytest

from microsite.calendars import dav
from microsite.calendars.client import Client
from microsite.calendars.wire import MAX_LISTING
from microsite.calendars.wire import Wire

from .conftest import Bench
from .events import event
from .events import many
from .proxy import proxy
from .servers import LOOPBACK
from .servers import Server

ONE_CHANGE_REQUESTS = 2
ONE_CHANGE_BYTES = 4096
NO_CHANGE_REQUESTS = 1
NO_CHANGE_BYTES = 1024
SIZES = [("radicale", 200), ("radicale", 2000), ("xandikos", 200)]
SIZES += [("radicale", int(os.environ["MICROSITE_TEST_EVENTS"]))] if "MICROSITE_TEST_EVENTS" in os.environ else []


def filled(server: Server, bench: Bench, count: int) -> None:
    """So many events: in one request where the server takes a whole calendar, else one by one."""
    with Client(Wire(server.account(bench.calendar), allowed=LOOPBACK)) as client:
        client.wire.start(1200)
        if server.name == "Radicale":
            client.wire.send("PUT", client.url, many(count), {"Content-Type": "text/calendar"})
            # Its own first look at so many new files takes minutes, and is not what is counted here.
            client.ask("REPORT", dav.sync_collection(""), "0", cap=MAX_LISTING)
        else:
            for number in range(count):
                client.create(f"many-{number}", event(f"many-{number}"))


@pytest.mark.parametrize(("name", "count"), SIZES)
def test_no_change_and_one_change_cost_the_same_at_any_size(
    request: pytest.FixtureRequest, name: str, count: int
) -> None:
    server: Server = request.getfixturevalue(f"{name}_server")
    with proxy(server.port) as between, Bench(server, between) as bench:
        filled(server, bench, count)
        patience = 60 + count / 50
        for _ in range(20):
            if bench.mirror.pull(seconds=patience).state == "IDLE":
                break
        assert len(bench.mirror.names) == count
        between.heal()
        pulled = bench.mirror.pull(seconds=patience)
        assert (len(between.seen), pulled.requests) == (NO_CHANGE_REQUESTS, NO_CHANGE_REQUESTS)
        assert between.bytes == pulled.bytes <= NO_CHANGE_BYTES
        for change in (lambda: bench.coach.create("new", event("new")), lambda: bench.coach.delete(_new(bench))):
            change()
            between.heal()
            pulled = bench.mirror.pull(seconds=patience)
            assert len(between.seen) == pulled.requests <= ONE_CHANGE_REQUESTS
            assert between.bytes == pulled.bytes <= ONE_CHANGE_BYTES
        assert len(bench.mirror.names) == count


def test_a_whole_comparison_costs_one_request_when_nothing_is_missing(radicale_bench: Bench) -> None:
    for uid in ("one", "two", "three"):
        radicale_bench.coach.create(uid, event(uid))
    radicale_bench.mirror.pull()
    radicale_bench.proxy.heal()
    radicale_bench.mirror.change(sync_token="")
    pulled = radicale_bench.mirror.pull()
    assert pulled.full and pulled.requests == len(radicale_bench.proxy.seen) == 1


def test_changed_events_are_fetched_fifty_at_a_time(radicale_bench: Bench) -> None:
    """Zoho fails after a hundred."""
    bodies: list[bytes] = []
    radicale_bench.proxy.before.append(lambda exchange: bodies.append(exchange.body))
    radicale_bench.coach.wire.send("PUT", radicale_bench.coach.url, many(120), {"Content-Type": "text/calendar"})
    assert len(radicale_bench.mirror.pull().readings) == 120
    assert [body.count(b"<D:href>") for body in bodies if b"multiget" in body] == [50, 50, 20]


def _new(bench: Bench) -> str:
    return bench.coach.path + "new.ics"
