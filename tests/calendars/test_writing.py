"""Writing to real servers through a proxy that makes them behave as other servers do: no write is ever a guess."""

import itertools
import re
import threading

import pytest

from microsite.calendars.client import Client
from microsite.calendars.wire import Wire
from microsite.core.mirror import Written
from microsite.errors import CalendarBusy
from microsite.errors import CalendarChanged
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable

from .conftest import Bench
from .events import event
from .proxy import Exchange
from .proxy import Fault
from .servers import LOOPBACK


def weaken(exchange: Exchange) -> None:
    """As a proxy that compresses does: every ETag header becomes a weak one."""
    named = [(name, f"W/{value}" if name.lower() == "etag" else value) for name, value in exchange.reply_headers]
    exchange.reply_headers = named


def strip_etags(exchange: Exchange) -> None:
    """No etag anywhere, neither as a header nor as a property."""
    exchange.drop_header("ETag")
    exchange.reply = re.sub(rb"<([a-z0-9]*:?)getetag>.*?</\1getetag>", b"", exchange.reply)


def answered(method: str, status: int, **headers: str) -> Fault:
    """Every request of this method is answered so, and the server is not asked."""

    def fault(exchange: Exchange) -> None:
        if exchange.method == method:
            exchange.answer(status, **headers)

    return fault


def said(method: str, status: int) -> Fault:
    """The server does what it is asked, but this is what it says."""

    def fault(exchange: Exchange) -> None:
        if exchange.method == method:
            exchange.answer(status)

    return fault


def unanswered(method: str) -> Fault:
    """The server does what it is asked and the answer is lost."""

    def fault(exchange: Exchange) -> None:
        if exchange.method == method:
            exchange.cut = 0

    return fault


def without(header: str, method: str) -> Fault:
    """The server does not look at this header."""

    def fault(exchange: Exchange) -> None:
        if exchange.method == method:
            exchange.headers = {name: value for name, value in exchange.headers.items() if name.lower() != header}

    return fault


def recorded(into: list[Exchange]) -> Fault:
    """Remember each request."""
    return into.append


def coach_changes(bench: Bench, href: str) -> None:
    """The coach edits the event in her own app."""
    there = bench.coach.read(href)
    assert there is not None
    bench.coach.replace(href, there.ics.replace(b"Session", b"Hers"), there.etag)


@pytest.mark.parametrize("tamper", [weaken, strip_etags])
def test_a_weak_or_missing_etag_still_lets_us_write(bench: Bench, tamper: Fault) -> None:
    bench.proxy.after.append(tamper)
    written = bench.client.create("one", event("one"))
    there = bench.client.read(written.href)
    assert there is not None
    bench.client.replace(there.href, event("one", "Moved"), there.etag)
    after = bench.coach.read(written.href)
    assert after is not None and b"SUMMARY:Moved" in after.ics


@pytest.mark.parametrize("tamper", [weaken, strip_etags])
@pytest.mark.parametrize("known", ["as read", "none"])
def test_a_weak_or_missing_etag_never_overwrites_what_the_coach_did(bench: Bench, tamper: Fault, known: str) -> None:
    bench.proxy.after.append(tamper)
    written = bench.client.create("one", event("one"))
    there = bench.client.read(written.href)
    assert there is not None
    bench.coach.delete(written.href)
    bench.coach.create("hers", event("hers"))
    hers = bench.coach.read(bench.coach.path + "hers.ics")
    assert hers is not None
    bench.coach.wire.send("PUT", bench.coach._at(written.href), event("another"), {"Content-Type": "text/calendar"})
    with pytest.raises(CalendarChanged):
        bench.client.replace(there.href, event("one", "Moved"), there.etag if known == "as read" else "")
    after = bench.coach.read(written.href)
    assert after is not None and b"UID:another" in after.ics


@pytest.mark.parametrize("tamper", [weaken, strip_etags])
def test_an_event_edited_since_it_was_read_is_not_overwritten_nor_deleted(bench: Bench, tamper: Fault) -> None:
    bench.proxy.after.append(tamper)
    written = bench.client.create("one", event("one"))
    there = bench.client.read(written.href)
    assert there is not None
    coach_changes(bench, written.href)
    with pytest.raises(CalendarChanged):
        bench.client.replace(there.href, event("one", "Moved"), there.etag)
    with pytest.raises(CalendarChanged):
        bench.client.delete(there.href, there.etag)
    after = bench.coach.read(written.href)
    assert after is not None and b"SUMMARY:Hers" in after.ics


def test_every_write_carries_a_condition_that_every_server_understands(bench: Bench) -> None:
    """iCloud refuses `If-Match: *` and answers HEAD with 400."""
    exchanges: list[Exchange] = []
    bench.proxy.before.append(recorded(exchanges))
    written = bench.client.create("one", event("one"))
    second = bench.client.replace(written.href, event("one", "Moved"), written.etag)
    bench.client.delete(second.href, second.etag)
    bench.client.create("two", event("two"))
    bench.client.delete(bench.client.path + "two.ics")
    writes = [exchange for exchange in exchanges if exchange.method in ("PUT", "DELETE")]
    conditions = [{name.lower(): value for name, value in exchange.headers.items()} for exchange in writes]
    assert [condition.get("if-none-match", "") for condition in conditions] == ["*", "", "", "*", ""]
    assert [bool(condition.get("if-match")) for condition in conditions] == [False, True, True, False, True]
    assert all(condition.get("if-match") != "*" for condition in conditions)
    assert "HEAD" not in bench.proxy.seen


def test_a_server_that_ignores_the_condition_of_a_create_does_not_lose_its_event(bench: Bench) -> None:
    """SOGo and Google do not look at If-None-Match."""
    bench.coach.wire.send(
        "PUT", bench.coach._at(bench.coach.path + "one.ics"), event("hers"), {"Content-Type": "text/calendar"}
    )
    bench.proxy.before.append(without("if-none-match", "PUT"))
    account = bench.server.account(bench.calendar, bench.proxy.port)
    with Client(Wire(_with_profile(account, "sogo"), allowed=LOOPBACK)) as client:
        with pytest.raises(CalendarChanged):
            client.create("one", event("one"))
        assert client.create("two", event("two")).href == client.create("two", event("two")).href
    there = bench.coach.read(bench.coach.path + "one.ics")
    assert there is not None and b"UID:hers" in there.ics


def test_a_server_that_ignores_the_condition_of_a_delete_does_not_lose_its_event(bench: Bench) -> None:
    """SOGo deletes whatever the etag."""
    written = bench.coach.create("one", event("one"))
    coach_changes(bench, written.href)
    bench.proxy.before.append(without("if-match", "DELETE"))
    account = bench.server.account(bench.calendar, bench.proxy.port)
    with Client(Wire(_with_profile(account, "sogo"), allowed=LOOPBACK)) as client:
        with pytest.raises(CalendarChanged):
            client.delete(written.href, written.etag)
    assert bench.coach.read(written.href) is not None


@pytest.mark.parametrize("status", [403, 409, 412, 423, 429, 500, 502, 503, 504])
def test_a_create_that_took_place_is_success_whatever_the_server_says(bench: Bench, status: int) -> None:
    bench.proxy.after.append(said("PUT", status))
    written = bench.client.create("one", event("one"))
    there = bench.coach.read(written.href)
    assert there is not None and written.etag == there.etag


@pytest.mark.parametrize(
    ("status", "error"),
    [
        (401, CalendarRefused),
        (403, CalendarRefused),
        (404, CalendarMissing),
        (409, CalendarChanged),
        (412, CalendarChanged),
        (413, CalendarError),
        (423, CalendarBusy),
        (429, CalendarBusy),
        (500, CalendarUnreachable),
        (503, CalendarBusy),
        (507, CalendarUnreachable),
    ],
)
def test_a_create_that_did_not_take_place_is_an_error_that_says_what_to_do(
    radicale_bench: Bench, status: int, error: type[CalendarError]
) -> None:
    radicale_bench.proxy.before.append(answered("PUT", status, Retry_After="7"))
    with pytest.raises(CalendarError) as caught:
        radicale_bench.client.create("one", event("one"))
    assert type(caught.value) is error
    assert caught.value.retry_after == (7 if status in (423, 429, 500, 503, 507) else None)
    assert radicale_bench.coach.read(radicale_bench.coach.path + "one.ics") is None


@pytest.mark.parametrize("fault", [unanswered, lambda method: said(method, 500), lambda method: said(method, 409)])
def test_a_write_whose_answer_is_lost_is_settled_by_reading_back(bench: Bench, fault: "type[Fault]") -> None:
    bench.proxy.after.append(fault("PUT"))  # type: ignore[arg-type]
    written = bench.client.create("one", event("one"))
    moved = bench.client.replace(written.href, event("one", "Moved"), written.etag)
    bench.proxy.after = [fault("DELETE")]  # type: ignore[arg-type]
    assert bench.client.delete(moved.href, moved.etag)
    assert bench.coach.read(written.href) is None


def test_a_write_whose_answer_is_late_is_settled_within_the_deadline(radicale_bench: Bench) -> None:
    release = threading.Event()

    def late(exchange: Exchange) -> None:
        if exchange.method == "PUT":
            release.wait(120)

    radicale_bench.proxy.after.append(late)
    try:
        written = _created_in_time(radicale_bench)
    finally:
        release.set()
    assert written is not None, "no deadline was long enough"
    assert radicale_bench.coach.read(written.href) is not None


def _created_in_time(bench: Bench) -> Written | None:
    """Within the first deadline that this machine keeps: one that stands still for seconds misses a short one."""
    for seconds in (2.0, 8.0, 30.0):
        with bench.new_client(seconds) as client:
            try:
                written: Written = client.create("one", event("one"))
            except CalendarUnreachable:
                continue
            assert client.wire.left() > 0
            return written
    return None


def test_an_update_that_did_not_land_is_not_called_a_success(bench: Bench) -> None:
    written = bench.client.create("one", event("one"))
    bench.proxy.before.append(answered("PUT", 500))
    with pytest.raises(CalendarUnreachable):
        bench.client.replace(written.href, event("one", "Moved"), written.etag)
    bench.proxy.before = [answered("DELETE", 500)]
    with pytest.raises(CalendarUnreachable):
        bench.client.delete(written.href, written.etag)


@pytest.mark.parametrize("status", [409, 412, 423, 500])
def test_a_conflict_under_any_status_is_a_conflict(bench: Bench, status: int) -> None:
    """Some servers answer 409 for 412, Xandikos 423 and 500 to those who lose a race."""
    written = bench.client.create("one", event("one"))
    coach_changes(bench, written.href)
    bench.proxy.after.append(said("PUT", status))
    with pytest.raises(CalendarChanged):
        bench.client.replace(written.href, event("one", "Moved"), written.etag)
    bench.proxy.after = [said("DELETE", status)]
    with pytest.raises(CalendarChanged):
        bench.client.delete(written.href, written.etag)


def test_what_is_gone_is_told_apart_from_what_was_changed(bench: Bench) -> None:
    written = bench.client.create("one", event("one"))
    bench.coach.delete(written.href)
    with pytest.raises(CalendarChanged):
        bench.client.replace(written.href, event("one", "Moved"), written.etag)
    assert bench.client.delete(written.href, written.etag) is False
    assert bench.client.delete(written.href) is False
    assert bench.client.read(written.href) is None


def test_a_body_that_the_server_rewrites_is_still_ours(bench: Bench) -> None:
    written = bench.client.create("one", event("one", extra="X-OURS:1\r\n"))

    def rewrite(exchange: Exchange) -> None:
        if exchange.method == "GET":
            exchange.reply = exchange.reply.replace(b"PRODID:-//tests//EN", b"PRODID:-//server//EN\r\nX-ITS-OWN:1")

    bench.proxy.after += [rewrite, said("PUT", 412)]
    assert bench.client.create("one", event("one")).href == written.href
    moved = bench.client.replace(written.href, event("one", "Moved"), written.etag)
    assert moved.href == written.href


def test_an_event_is_found_by_its_uid_wherever_it_lies(bench: Bench) -> None:
    bench.coach.wire.send(
        "PUT", bench.coach._at(bench.coach.path + "elsewhere.ics"), event("one"), {"Content-Type": "text/calendar"}
    )
    found = bench.client.find("one")
    assert found is not None and found.href.endswith("/elsewhere.ics")
    assert bench.client.find("two") is None


def test_checking_tells_a_calendar_from_what_is_none(bench: Bench) -> None:
    bench.client.check()
    bench.client.url = bench.client.url.replace(bench.calendar, "nothing-here")
    with pytest.raises((CalendarMissing, CalendarRefused)):
        bench.client.check()
    home = bench.server.account("x")
    with Client(Wire(home, allowed=LOOPBACK)) as client:
        client.url = home.url.removesuffix("x/")
        with pytest.raises(CalendarMissing):
            client.check()


def test_a_server_that_wants_pauses_gets_them(radicale_bench: Bench) -> None:
    """GMX allows one request in two seconds."""
    at: list[float] = []
    radicale_bench.client.wire.gap = 0.3
    for _ in range(3):
        radicale_bench.client.check()
        at.append(radicale_bench.client.wire.sent_at)
    assert len(radicale_bench.proxy.seen) == 3
    assert min(later - earlier for earlier, later in itertools.pairwise(at)) > 0.29
    account = _with_profile(radicale_bench.client.wire.account, "gmx")
    with Client(Wire(account, allowed=LOOPBACK)) as client:  # type: ignore[arg-type]
        assert client.wire.gap == 2.0


def _with_profile(account: "object", profile: str) -> "object":
    import msgspec

    return msgspec.structs.replace(account, profile=profile)  # type: ignore[type-var]
