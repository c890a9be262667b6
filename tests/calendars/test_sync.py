"""Keeping step with real servers, through a proxy that makes them cut, repeat, forget and lie."""

import re

import pytest

from microsite.calendars import sync
from microsite.core.mirror import Known
from microsite.errors import CalendarMissing
from microsite.errors import CalendarUnreachable
from microsite.errors import CalendarUnsafe

from .conftest import Bench
from .events import DAY
from .events import NOW
from .events import event
from .proxy import Exchange
from .proxy import Fault

ROW = re.compile(rb"<([a-zA-Z0-9]+:)?response(?: [^>]*)?>.*?</\1response>", re.DOTALL)
ROW_OR_NONE = re.compile(rb"<(?:[a-zA-Z0-9]+:)?response[ >].*?</(?:[a-zA-Z0-9]+:)?response>", re.DOTALL)


def is_report(exchange: Exchange) -> bool:
    """Is this the sync report?"""
    return exchange.method == "REPORT" and b"sync-collection" in exchange.body


def is_listing(exchange: Exchange) -> bool:
    """Is this any question for the whole of a collection?"""
    return is_report(exchange) or exchange.method == "PROPFIND"


def rows_of(reply: bytes) -> list[bytes]:
    """The `<response>` elements of a multistatus, as bytes."""
    return [match.group() for match in ROW_OR_NONE.finditer(reply)]


def no_tokens(status: int = 403) -> Fault:
    """A server without sync-collection, as Posteo and GMX are."""

    def fault(exchange: Exchange) -> None:
        if is_report(exchange):
            exchange.answer(status, b"<error xmlns='DAV:'><supported-report/></error>")

    return fault


def fill(bench: Bench, *uids: str) -> None:
    """The coach puts events into her calendar."""
    for uid in uids:
        bench.coach.create(uid, event(uid))


def test_the_first_pull_reads_everything_and_the_next_costs_one_request(bench: Bench) -> None:
    fill(bench, "one", "two")
    first = bench.mirror.pull()
    assert first.full and first.state == "IDLE" and len(first.present) == len(first.readings) == 2
    again = bench.mirror.pull()
    assert (again.requests, again.readings, again.removed, again.full) == (1, [], [], False)
    assert bench.mirror.names == {"one", "two"}


def test_a_change_and_a_deletion_are_followed_in_two_requests(bench: Bench) -> None:
    fill(bench, "one", "two")
    bench.mirror.pull()
    bench.coach.delete(bench.coach.path + "one.ics")
    fill(bench, "three")
    pulled = bench.mirror.pull()
    assert pulled.requests == 2 and bench.mirror.names == {"two", "three"}
    assert [href.rpartition("/")[2] for href in pulled.removed] == ["one.ics"]


def test_a_server_without_sync_reports_is_followed_by_etags(bench: Bench) -> None:
    bench.proxy.before.append(no_tokens())
    fill(bench, "one", "two")
    assert bench.mirror.pull().state == "LISTING"
    assert bench.mirror.known.ctag and not bench.mirror.known.sync_token
    assert bench.mirror.pull().requests == 1
    bench.coach.delete(bench.coach.path + "one.ics")
    fill(bench, "three")
    pulled = bench.mirror.pull()
    assert pulled.full and bench.mirror.names == {"two", "three"} and len(pulled.readings) == 1
    bench.proxy.heal()
    assert bench.mirror.pull().state == "LISTING"
    assert bench.mirror.pull(NOW + 2 * DAY).state == "IDLE"  # it may have learnt to report since


@pytest.mark.parametrize("status", [400, 403, 405, 409, 415, 500, 501, 507])
def test_a_refused_report_under_any_status_falls_back_to_the_listing(radicale_bench: Bench, status: int) -> None:
    radicale_bench.proxy.before.append(no_tokens(status))
    fill(radicale_bench, "one")
    assert radicale_bench.mirror.pull().state == "LISTING"
    assert radicale_bench.mirror.names == {"one"}


def test_without_a_ctag_the_listing_itself_is_compared(radicale_bench: Bench) -> None:
    def no_ctag(exchange: Exchange) -> None:
        exchange.reply = re.sub(rb"<CS:getctag>.*?</CS:getctag>", b"", exchange.reply)

    radicale_bench.proxy.before.append(no_tokens())
    radicale_bench.proxy.after.append(no_ctag)
    fill(radicale_bench, "one")
    radicale_bench.mirror.pull()
    assert radicale_bench.mirror.known.ctag == ""
    fill(radicale_bench, "two")
    pulled = radicale_bench.mirror.pull()
    assert (pulled.requests, len(pulled.readings)) == (2, 1)


@pytest.mark.parametrize("status", [403, 409, 410, 412, 400, 507])
def test_a_token_is_lost_by_its_precondition_whatever_the_status(radicale_bench: Bench, status: int) -> None:
    """Radicale says 403, Xandikos 412; python-caldav makes different exceptions of them."""

    def forgotten(exchange: Exchange) -> None:
        if is_report(exchange) and b"<D:sync-token></D:sync-token>" not in exchange.body:
            exchange.answer(status, b'<error xmlns="DAV:"><valid-sync-token/></error>')

    fill(radicale_bench, "one")
    radicale_bench.mirror.pull()
    radicale_bench.proxy.before.append(forgotten)
    fill(radicale_bench, "two")
    pulled = radicale_bench.mirror.pull()
    assert pulled.full and len(pulled.readings) == 1 and radicale_bench.mirror.names == {"one", "two"}


def test_a_token_that_is_lost_without_a_word_is_made_up_for_on_schedule(bench: Bench) -> None:
    """DAViCal and SOGo answer an unknown token with an ordinary, empty reply."""

    def silent(exchange: Exchange) -> None:
        if is_report(exchange) and b"<D:sync-token></D:sync-token>" not in exchange.body:
            exchange.answer(207, b'<multistatus xmlns="DAV:"><sync-token>another</sync-token></multistatus>')

    fill(bench, "one")
    bench.mirror.pull()
    fill(bench, "two")
    bench.coach.delete(bench.coach.path + "one.ics")
    bench.proxy.before.append(silent)
    assert not bench.mirror.pull().readings
    pulled = bench.mirror.pull(NOW + DAY)
    assert pulled.full and bench.mirror.names == {"two"}


def test_a_cut_report_is_asked_on_with_its_new_token_until_it_is_whole(radicale_bench: Bench) -> None:
    whole: list[bytes] = []

    def pages(exchange: Exchange) -> None:
        if not is_report(exchange) or exchange.status != 207:
            return
        whole.extend(rows_of(exchange.reply))
        exchange.answer(207, _page(whole[:2], "page-2", cut=True))

    def rest(exchange: Exchange) -> None:
        if is_report(exchange) and b"page-2" in exchange.body:
            exchange.answer(207, _page(whole[2:4], "page-3", cut=True))
        if is_report(exchange) and b"page-3" in exchange.body:
            exchange.answer(207, _page(whole[4:], "the-end"))

    fill(radicale_bench, "one", "two", "three", "four", "five")
    radicale_bench.proxy.before.append(rest)
    radicale_bench.proxy.after.append(lambda exchange: None if b"page-" in exchange.body else pages(exchange))
    pulled = radicale_bench.mirror.pull()
    assert len(pulled.present) == 5 and pulled.sync_token == "the-end"


def test_a_report_that_is_cut_without_end_is_an_error_and_not_a_loop(radicale_bench: Bench) -> None:
    fill(radicale_bench, "one")

    def cut(exchange: Exchange) -> None:
        if is_report(exchange):
            exchange.answer(207, _page([], "the same", cut=True))

    radicale_bench.proxy.before.append(cut)
    with pytest.raises(CalendarUnreachable):
        radicale_bench.mirror.pull()
    assert len(radicale_bench.proxy.seen) == 2


@pytest.mark.parametrize("keep", [0, 2])
@pytest.mark.parametrize("way", ["report", "listing"])
def test_a_listing_that_is_silently_cut_or_empty_removes_nothing(bench: Bench, keep: int, way: str) -> None:
    """Xandikos cuts without a word where a limit is set; mailbox.org shows only a window of time."""

    def cut(exchange: Exchange) -> None:
        if is_listing(exchange) and exchange.status == 207 and b"getetag" in exchange.body:
            for row in [row for row in rows_of(exchange.reply) if b".ics" in row][keep:]:
                exchange.reply = exchange.reply.replace(row, b"")

    if way == "listing":
        bench.proxy.before.append(no_tokens())
    fill(bench, "one", "two", "three", "four")
    bench.mirror.pull()
    bench.proxy.after.append(cut)
    bench.mirror.change(sync_token="", ctag="")
    pulled = bench.mirror.pull()
    assert pulled.full and len(pulled.present) == 4 and not pulled.readings
    bench.coach.delete(bench.coach.path + "four.ics")
    bench.mirror.change(sync_token="", ctag="")
    bench.mirror.pull()
    assert bench.mirror.names == {"one", "two", "three"}


def test_a_listing_that_lost_too_much_to_ask_for_is_not_believed(
    radicale_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def empty(exchange: Exchange) -> None:
        if is_report(exchange):
            exchange.answer(207, _page([], "a token"))

    monkeypatch.setattr(sync, "ASK_AGAIN", 2)
    fill(radicale_bench, "one", "two", "three", "four")
    radicale_bench.mirror.pull()
    radicale_bench.mirror.change(sync_token="")
    radicale_bench.proxy.before.append(empty)
    with pytest.raises(CalendarUnreachable):
        radicale_bench.mirror.pull()
    assert len(radicale_bench.mirror.names) == 4


def test_yesterdays_listing_does_no_harm_that_lasts(bench: Bench) -> None:
    fill(bench, "one", "two")
    yesterday: list[Exchange] = []

    def replay(exchange: Exchange) -> None:
        if is_report(exchange) and yesterday:
            exchange.answer(207, yesterday[0].reply, Content_Type="text/xml")

    bench.proxy.after.append(lambda exchange: yesterday.append(exchange) if is_report(exchange) else None)
    bench.mirror.pull()
    bench.coach.delete(bench.coach.path + "one.ics")
    fill(bench, "three")
    bench.proxy.heal()
    bench.proxy.before.append(replay)
    bench.mirror.change(sync_token="")
    bench.mirror.pull()
    assert bench.mirror.names == {"one", "two"}
    bench.proxy.heal()
    bench.mirror.pull()  # the listing came with yesterday's token, and the server knows what has been since
    assert bench.mirror.names == {"two", "three"}


def test_an_event_sent_again_without_a_change_is_not_fetched_again(bench: Bench) -> None:
    """SOGo sends the changes of the last second once more."""
    fill(bench, "one", "two")
    bench.mirror.pull()
    first: list[bytes] = []

    def again(exchange: Exchange) -> None:
        if is_report(exchange) and exchange.status == 207:
            exchange.reply = first[0] if first else exchange.reply

    bench.mirror.change(sync_token="")
    bench.proxy.after.append(lambda exchange: first.append(exchange.reply) if is_report(exchange) else None)
    bench.mirror.pull()
    bench.proxy.after = [again]
    pulled = bench.mirror.pull()
    assert pulled.requests == 1 and not pulled.readings and bench.mirror.names == {"one", "two"}


@pytest.mark.parametrize("status", ["404 Not Found", "410 Gone", "418 I'm a teapot"])
def test_a_deletion_under_any_of_its_statuses_is_a_deletion(radicale_bench: Bench, status: str) -> None:
    fill(radicale_bench, "one", "two")
    radicale_bench.mirror.pull()
    radicale_bench.coach.delete(radicale_bench.coach.path + "one.ics")

    def other(exchange: Exchange) -> None:
        exchange.reply = exchange.reply.replace(b"404 Not Found", status.encode())

    radicale_bench.proxy.after.append(other)
    radicale_bench.mirror.pull()
    assert radicale_bench.mirror.names == {"two"}


def test_a_deletion_that_is_also_listed_as_a_change_is_a_deletion(radicale_bench: Bench) -> None:
    """DAViCal reports a deleted event as gone and as changed in one reply."""
    fill(radicale_bench, "one", "two")
    radicale_bench.mirror.pull()
    href = radicale_bench.coach.path + "one.ics"
    radicale_bench.coach.delete(href)
    row = (
        f"<response><href>{href}</href><propstat><prop><getetag>&quot;new&quot;</getetag></prop>"
        "<status>HTTP/1.1 200 OK</status></propstat></response></multistatus>"
    )

    def both(exchange: Exchange) -> None:
        if is_report(exchange):
            exchange.reply = exchange.reply.replace(b"</multistatus>", row.encode())

    radicale_bench.proxy.after.append(both)
    radicale_bench.mirror.pull()
    assert radicale_bench.mirror.names == {"two"}


def test_events_without_etags_are_fetched_each_time_and_missed_never(radicale_bench: Bench) -> None:
    def strip(exchange: Exchange) -> None:
        if is_report(exchange):
            exchange.reply = re.sub(rb"<getetag>.*?</getetag>", b"<getetag />", exchange.reply)

    fill(radicale_bench, "one")
    radicale_bench.proxy.after.append(strip)
    radicale_bench.mirror.pull()
    assert radicale_bench.mirror.names == {"one"}


def test_a_bad_event_is_read_with_a_warning_and_the_others_are_read(radicale_bench: Bench) -> None:
    def spoil(exchange: Exchange) -> None:
        exchange.reply = exchange.reply.replace(b"DTSTART:20261202T030000Z", b"DTSTART:never")

    radicale_bench.coach.create("bad", event("bad", start="20261202T030000Z"))
    fill(radicale_bench, "good")
    radicale_bench.proxy.after.append(spoil)
    pulled = radicale_bench.mirror.pull()
    warnings = {reading.uid: reading.warning for reading in pulled.readings}
    assert warnings["good"] == "" and len(warnings) == 2 and any(warnings.values())


def test_an_event_larger_than_any_reply_may_be_is_reported_and_the_others_are_read(radicale_bench: Bench) -> None:
    fill(radicale_bench, "one", "two", "three")

    def swell(exchange: Exchange) -> None:
        padding = b"DESCRIPTION:" + b"x" * (6 * 1024 * 1024)
        exchange.reply = exchange.reply.replace(b"UID:two", padding + b"\r\nUID:two")

    radicale_bench.proxy.after.append(swell)
    pulled = radicale_bench.mirror.pull()
    assert {reading.href.rpartition("/")[2]: reading.warning for reading in pulled.readings} == {
        "one.ics": "",
        "two.ics": "too-large",
        "three.ics": "",
    }


def test_a_reply_that_is_dropped_for_another_reason_than_its_size_is_not_asked_for_in_halves(
    radicale_bench: Bench,
) -> None:
    def moved(exchange: Exchange) -> None:
        if b"multiget" in exchange.body:
            exchange.answer(302, Location="/elsewhere/")

    fill(radicale_bench, "one", "two", "three")
    radicale_bench.proxy.before.append(moved)
    with pytest.raises(CalendarUnsafe):
        radicale_bench.mirror.pull()
    assert len(radicale_bench.proxy.seen) == 2


def test_a_load_that_is_not_done_in_time_goes_on_where_it_stopped(
    radicale_bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill(radicale_bench, *(f"event-{number:02}" for number in range(7)))
    monkeypatch.setattr(sync, "_RESERVE", 100.0)
    profile = type(radicale_bench.client.profile)(name="small", batch=3)
    radicale_bench.client.profile = profile
    seen: list[int] = []
    for _ in range(3):
        pulled = radicale_bench.mirror.pull()
        seen.append(len(pulled.readings))
    assert seen == [3, 3, 1] and pulled.state == "IDLE" and pulled.full
    assert len(radicale_bench.mirror.names) == 7


def test_a_deadline_during_a_delta_loses_no_change(radicale_bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    fill(radicale_bench, "zero")
    radicale_bench.mirror.pull()
    fill(radicale_bench, "one", "two", "three")
    radicale_bench.client.profile = type(radicale_bench.client.profile)(name="small", batch=2)
    monkeypatch.setattr(sync, "_RESERVE", 100.0)
    with pytest.raises(CalendarUnreachable):
        radicale_bench.mirror.pull()
    monkeypatch.setattr(sync, "_RESERVE", 0.0)
    radicale_bench.mirror.pull()
    assert len(radicale_bench.mirror.names) == 4


def test_a_collection_that_is_gone_is_not_an_empty_one(bench: Bench) -> None:
    fill(bench, "one")
    bench.mirror.pull()
    bench.coach.wire.send("DELETE", bench.coach.url)
    with pytest.raises(CalendarMissing):
        bench.mirror.pull()
    assert bench.mirror.names == {"one"}


def test_rules_that_changed_are_applied_to_everything_when_nothing_is_known(bench: Bench) -> None:
    fill(bench, "one", "two")
    bench.mirror.pull()
    bench.mirror.known = Known()
    assert len(bench.mirror.pull().readings) == 2


def _page(rows: list[bytes], token: str, cut: bool = False) -> bytes:
    more = b"<response><href>/</href><status>HTTP/1.1 507 Insufficient Storage</status></response>" if cut else b""
    return b'<multistatus xmlns="DAV:">%s%s<sync-token>%s</sync-token></multistatus>' % (
        b"".join(rows),
        more,
        token.encode(),
    )
