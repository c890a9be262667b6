"""The fault run: whatever goes wrong between us and the server, the mirror keeps what it had, and heals afterwards."""

import re
import threading

import pytest

from microsite.calendars import sync
from microsite.errors import CalendarBusy
from microsite.errors import CalendarChanged
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

from .conftest import Bench
from .events import DAY
from .events import NOW
from .events import event
from .proxy import Exchange
from .proxy import Fault

ROW = re.compile(rb"<([A-Za-z0-9]*:?)response(?:\s[^>]*)?>.*?</\1response>", re.DOTALL)


def status(code: int) -> Fault:
    """Every answer is this one."""
    return lambda exchange: exchange.answer(code, b"<html>no</html>", Retry_After="9", Location="/elsewhere/")


def drop(exchange: Exchange) -> None:
    """Hang up without an answer."""
    exchange.cut = 0


def truncate(exchange: Exchange) -> None:
    """Hang up in the middle of the answer that was announced."""
    exchange.cut = len(exchange.reply) // 2


def half(exchange: Exchange) -> None:
    """Half a document, announced as a whole one."""
    exchange.reply = exchange.reply[: len(exchange.reply) // 2]


def page(exchange: Exchange) -> None:
    """A friendly web page instead of the calendar."""
    exchange.answer(200, b"<html><body>Please sign in</body></html>", Content_Type="text/html")


def empty(exchange: Exchange) -> None:
    """An answer without a body."""
    exchange.answer(207, b"")


FAULTS: dict[str, tuple[Fault, type[CalendarError]]] = {
    "drop": (drop, CalendarUnreachable),
    "truncate": (truncate, CalendarUnreachable),
    "half": (half, CalendarUnreachable),
    "empty": (empty, CalendarUnreachable),
    "page": (page, CalendarUnreachable),
    "302": (status(302), CalendarUnsafe),
    "401": (status(401), CalendarRefused),
    "403": (status(403), CalendarRefused),
    "404": (status(404), CalendarMissing),
    "409": (status(409), CalendarChanged),
    "410": (status(410), CalendarMissing),
    "412": (status(412), CalendarChanged),
    "429": (status(429), CalendarBusy),
    "500": (status(500), CalendarUnreachable),
    "502": (status(502), CalendarUnreachable),
    "503": (status(503), CalendarBusy),
    "507": (status(507), CalendarUnreachable),
}


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("when", ["at first", "in a delta", "in a full turn"])
def test_a_fault_changes_nothing_and_is_healed_from(radicale_bench: Bench, fault: str, when: str) -> None:
    bench = radicale_bench
    bench.coach.create("one", event("one"))
    now = NOW
    if when != "at first":
        bench.mirror.pull()
        bench.coach.delete(bench.coach.path + "one.ics")
        bench.coach.create("two", event("two"))
        now = NOW + DAY if when == "in a full turn" else NOW
    before = bench.mirror.known
    bench.proxy.after.append(FAULTS[fault][0])
    with pytest.raises(CalendarError) as caught:
        bench.mirror.pull(now)
    assert type(caught.value) is FAULTS[fault][1]
    assert bench.mirror.known is before
    assert sync.after(caught.value) == ("AUTH" if isinstance(caught.value, CalendarRefused) else "BACKOFF")
    bench.proxy.heal()
    bench.mirror.pull(now)
    assert bench.mirror.names == ({"one"} if when == "at first" else {"two"})


@pytest.mark.parametrize("fault", ["drop", "truncate", "half", "500", "429", "page"])
def test_a_fault_between_the_two_requests_of_a_delta_loses_no_change(bench: Bench, fault: str) -> None:
    def second_only(exchange: Exchange) -> None:
        if b"multiget" in exchange.body:
            FAULTS[fault][0](exchange)

    bench.mirror.pull()
    bench.coach.create("one", event("one"))
    bench.proxy.after.append(second_only)
    with pytest.raises(CalendarError):
        bench.mirror.pull()
    bench.proxy.heal()
    bench.mirror.pull()
    assert bench.mirror.names == {"one"}


def test_the_servers_wish_to_be_left_alone_is_handed_on(radicale_bench: Bench) -> None:
    radicale_bench.proxy.before.append(status(429))
    with pytest.raises(CalendarBusy) as caught:
        radicale_bench.mirror.pull()
    assert caught.value.retry_after == 9 and len(radicale_bench.proxy.seen) == 1


def test_one_broken_connection_is_tried_once_more_before_it_is_an_error(radicale_bench: Bench) -> None:
    def once(exchange: Exchange) -> None:
        radicale_bench.proxy.after.remove(once)
        exchange.cut = 0

    radicale_bench.proxy.after.append(once)
    radicale_bench.mirror.pull()
    assert radicale_bench.mirror.known.state == "IDLE"


def test_a_server_that_does_not_answer_is_given_up_at_the_deadline(radicale_bench: Bench) -> None:
    release, answered = threading.Event(), threading.Event()

    def stall(_: Exchange) -> None:
        release.wait(120)
        answered.set()

    radicale_bench.proxy.before.append(stall)
    try:
        with pytest.raises(CalendarUnreachable):
            radicale_bench.mirror.pull(seconds=0.5)
        assert radicale_bench.client.wire.left() <= 0
        assert not answered.is_set(), "it was waited for to its end"
    finally:
        release.set()


def test_errors_name_neither_address_nor_password_nor_event(radicale_bench: Bench) -> None:
    account = radicale_bench.client.wire.account
    for name, (fault, _) in FAULTS.items():
        radicale_bench.proxy.after = [fault]
        with pytest.raises(CalendarError) as caught:
            radicale_bench.mirror.pull()
        said = f"{caught.value!r} {caught.value}"
        assert not any(secret in said for secret in (account.password, account.calendar, "127.0.0.1")), name


def test_the_token_that_comes_with_an_empty_calendar_is_not_relied_upon(bench: Bench) -> None:
    """A server that is ill shows nothing, and gives a good token for it: what was there would never come back."""
    bench.coach.create("one", event("one"))
    bench.coach.create("two", event("two"))
    bench.mirror.pull()

    def nothing(exchange: Exchange) -> None:
        exchange.reply = ROW.sub(lambda row: b"" if b".ics" in row[0] else row[0], exchange.reply)

    bench.proxy.after.append(nothing)
    bench.mirror.change(sync_token="", ctag="")
    assert bench.mirror.pull().present == []
    bench.proxy.heal()
    bench.mirror.pull()
    assert bench.mirror.names == {"one", "two"}
    assert not bench.mirror.pull().full
