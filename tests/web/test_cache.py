"""Pickers that are kept ready: never one that is not right any more, never one that somebody else asked for."""

import gzip
import re
import sqlite3
from collections.abc import Callable
from datetime import date

import msgspec
import pytest
from flask import Flask

from microsite import create_app
from microsite.config import Config
from microsite.config import File
from microsite.core import availability
from microsite.core.bounded import Bounded
from microsite.core.hours import midnight
from microsite.core.mirror import Reading
from microsite.core.spans import DAY
from microsite.core.spans import Spans
from microsite.services import build
from microsite.web import ready
from microsite.web import security
from microsite.work import adjust
from microsite.work import cancel
from microsite.work import invite
from microsite.work import look

from .conftest import NO_CALENDARS
from .conftest import NOW
from .conftest import WEEK
from .conftest import Pages
from .conftest import settings

PART = {"HX-Request": "true"}
PATH = "/sari/sesi/"


def kept(app: Flask) -> "Bounded[ready.Key, ready.Page]":
    """The memory of one process."""
    memory: Bounded[ready.Key, ready.Page] = app.extensions["microsite-ready"]
    return memory


def slots(text: str) -> list[str]:
    """The starts on a page."""
    return re.findall(r'<a data-slot="([^"]+)"', text)


def calendar(pages: Pages) -> None:
    """A calendar that was read a moment ago."""
    with pages.services.store.change("sari") as tx:
        tx.mirror.add_calendar("c1", "sari", "https://cal.example/c1/", "Mine", {"busy"})
        tx.mirror.touch("c1", last_ok_at=pages.now, next_poll_at=pages.now + 300)


def book(pages: Pages) -> None:
    """Somebody takes the first time."""
    pages.book()


def cancelled(pages: Pages) -> None:
    """The booking that was there is cancelled."""
    booking = pages.only_booking()
    cancel.cancel(pages.services, booking.id, booking.ref)


def change_settings(pages: Pages) -> None:
    """The coach works at other hours."""
    coach = look.coach(pages.services, "sari")
    document = adjust.document(coach.settings)
    document["hours"] = {day: ["09:00-10:00"] for day in WEEK}
    adjust.save(pages.services, coach, document)


def import_settings(pages: Pages) -> None:
    """The same through the command line."""
    with pages.services.store.write() as tx:
        tx.coaches.save_settings("sari", settings(hours={"monday": ["09:00-10:00"]}))


def busy(pages: Pages) -> None:
    """Her calendar is full on the first free day."""
    spans = Spans.of([(NOW, NOW + 3 * DAY)]).pack()
    with pages.services.store.change("sari") as tx:
        tx.mirror.put_readings("c1", [Reading(href="/c1/e.ics", etag='"1"', uid="u1", spans=spans)])
        tx.mirror.merge("c1")


def shut(pages: Pages) -> None:
    """Her page is closed."""
    with pages.services.store.write() as tx:
        tx.coaches.set_open("sari", False)


def unread(pages: Pages) -> None:
    """A calendar is added that was never read."""
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("c2", "sari", "https://cal.example/c2/", "New", {"busy"})


def assert_same_as_in_a_transaction(pages: Pages) -> None:
    """The remembered facts offer what the transaction that books would offer."""
    coach = look.coach(pages.services, "sari")
    for offer in coach.settings.offers:
        with pages.services.store.read() as tx:
            found = look.sight(tx, "sari", coach.settings, offer, pages.now).times
        assert availability.offer(look.times(pages.services, coach, offer)) == availability.offer(found)


CHANGES: list[tuple[Callable[[Pages], None], Callable[[Pages], None] | None]] = [
    (book, None),
    (cancelled, book),
    (change_settings, None),
    (import_settings, None),
    (busy, calendar),
    (shut, None),
    (unread, None),
]


@pytest.mark.parametrize(("change", "before"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_a_kept_page_is_never_sent_after_a_change(
    pages: Pages, change: Callable[[Pages], None], before: Callable[[Pages], None] | None
) -> None:
    """Also not by another process, which knows of the change by the database only."""
    if before:
        before(pages)
    other = build(
        Config(pages.services.config.instance, File(calendars=NO_CALENDARS), {}, 8000, False), lambda: pages.now
    )
    elsewhere = create_app(services=other).test_client()
    paths = [
        (path, headers) for path in (PATH, "/en/sari/sesi/", "/sari/sesi/?tz=Asia/Tokyo") for headers in ({}, PART)
    ]
    was = [pages.get(path, headers=headers).data for path, headers in paths]
    assert [elsewhere.get(path, headers=headers).data for path, headers in paths] == was
    assert len(kept(pages.app)) >= len(paths)
    change(pages)
    fresh = create_app(services=build(pages.services.config, lambda: pages.now))
    fresh_client = fresh.test_client()
    for (path, headers), old in zip(paths, was, strict=True):
        answers = [client.get(path, headers=headers) for client in (pages.client, elsewhere, fresh_client)]
        assert len({(answer.status_code, answer.data) for answer in answers}) == 1, path
        assert answers[0].data != old, path
    if change not in (shut, unread):
        assert_same_as_in_a_transaction(pages)
    for services in (other, fresh.extensions["microsite"]):
        services.close()


def test_what_is_sent_from_the_memory_is_what_was_made(pages: Pages) -> None:
    """Body and headers are the same, to the byte, as those of a first answer."""
    for headers in ({}, PART, {**PART, "HX-Source": "a#d2026-11-25"}, {**PART, "HX-Source": "a#month-after"}):
        first, second = (pages.get(PATH, headers=headers) for _ in range(2))
        assert first.data == second.data
        assert sorted(first.headers) == sorted(second.headers)
    assert len(kept(pages.app)) == 4


def test_kept_pages_carry_every_header_of_the_site(pages: Pages) -> None:
    for method in ("GET", "HEAD"):
        for headers in ({}, PART, {"Accept-Encoding": "gzip"}):
            for _ in range(2):
                answer = pages.client.open(PATH, method=method, headers=headers)
                for name, value in security.ALWAYS.items():
                    assert answer.headers[name] == value, name
                assert set(answer.vary) == {"HX-Request", "HX-History-Restore-Request", "Accept-Encoding"}
                assert "Set-Cookie" not in answer.headers
                assert bool(answer.data) == (method == "GET")


def test_a_page_may_be_asked_for_again_but_a_part_is_never_stored(pages: Pages) -> None:
    """A part stored under the page's address would be what «Back» shows."""
    assert pages.get(PATH).headers["Cache-Control"] == "private, no-cache"
    assert pages.get(PATH, headers=PART).headers["Cache-Control"] == "private, no-store"
    restored = pages.get(PATH, headers={**PART, "HX-History-Restore-Request": "true"})
    assert restored.headers["Cache-Control"] == "private, no-cache"
    assert "<!DOCTYPE html>" in restored.text


def test_the_same_page_is_not_sent_twice_and_a_changed_one_is(pages: Pages) -> None:
    page, part = pages.get(PATH), pages.get(PATH, headers=PART)
    assert page.headers["ETag"] != part.headers["ETag"]
    for headers, tag in (({}, page.headers["ETag"]), (PART, part.headers["ETag"])):
        again = pages.get(PATH, headers={**headers, "If-None-Match": f'"x", {tag}'})
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag)
        assert again.headers["Content-Security-Policy"] == security.POLICY
    assert pages.get(PATH, headers={"If-None-Match": part.headers["ETag"]}).status_code == 200
    book(pages)
    changed = pages.get(PATH, headers={"If-None-Match": page.headers["ETag"]})
    assert (changed.status_code, changed.data == page.data) == (200, False)


def test_languages_zones_days_and_focus_are_kept_apart(pages: Pages) -> None:
    asked = [
        (PATH, {}),
        ("/en/sari/sesi/", {}),
        (f"{PATH}?tz=Asia/Tokyo", {}),
        (f"{PATH}?tz=Asia/Calcutta", {}),
        (f"{PATH}?tz=Asia/Kolkata", {}),
        (f"{PATH}?tz=Nowhere/Here", {}),
        (f"{PATH}?day=2026-11-30", {}),
        (f"{PATH}?day=2026-11-29", {}),
        ("/sari/kenalan/", {}),
        (PATH, PART),
        (PATH, {**PART, "HX-Source": "a#d2026-11-25"}),
        (PATH, {**PART, "HX-Source": "a#month-after"}),
        (PATH, {**PART, "HX-Source": "form#zone"}),
    ]
    bodies = [pages.get(path, headers=headers).data for path, headers in asked]
    assert [pages.get(path, headers=headers).data for path, headers in asked] == bodies
    assert bodies[9] == bodies[12]
    assert len(set(bodies)) == len(bodies) - 1


def test_a_page_is_let_go_when_its_first_start_falls_under_the_notice(pages: Pages) -> None:
    """A time that is shown can be booked."""
    first = slots(pages.get(PATH).text)[0]
    offer = look.coach(pages.services, "sari").settings.offer("sesi")
    assert offer is not None
    starts_at = NOW + 45 * 3600  # Wednesday 25 November, 08:00 in Jakarta
    assert first == "20261125T010000Z"
    pages.now = starts_at - offer.notice * 60 - 60
    assert slots(pages.get(PATH).text)[0] == first
    pages.now += 60
    assert slots(pages.get(PATH).text)[0] == first
    pages.now += 1
    assert first not in slots(pages.get(PATH).text)


def test_a_page_is_let_go_when_the_coachs_day_ends(pages: Pages) -> None:
    """The horizon grows by a day at her midnight."""
    zone = look.coach(pages.services, "sari").settings.zoneinfo
    tonight = midnight(date(2026, 11, 26), zone)
    pages.now = tonight - 30
    far = f"{PATH}?day=2027-01-25"
    assert "20270125" not in pages.get(far).text
    pages.now = tonight + 30
    assert "20270125" in pages.get(far).text


def test_times_are_hidden_to_the_second_when_a_calendar_has_failed_too_long(pages: Pages) -> None:
    """Though the first failure itself changes no time, and a page was kept meanwhile."""
    calendar(pages)
    assert pages.get(PATH).status_code == 200
    with pages.services.store.write() as tx:
        tx.mirror.touch("c1", first_failed_at=pages.now, backoff_until=pages.now + DAY)
    limit = look.coach(pages.services, "sari").settings.stale_minutes * 60
    pages.now += limit
    assert [pages.get(PATH).status_code for _ in range(2)] == [200, 200]
    pages.now += 1
    for headers in ({}, PART, {"If-None-Match": pages.get(PATH).headers.get("ETag", "x")}):
        assert pages.get(PATH, headers=headers).status_code == 503
    with pages.services.store.write() as tx:
        tx.mirror.touch("c1", first_failed_at=0)
    assert pages.get(PATH).status_code == 200


def test_a_clock_that_was_set_back_gets_pages_made_anew(pages: Pages) -> None:
    pages.now += 10 * DAY
    later = pages.get(PATH).data
    pages.now -= 10 * DAY
    assert pages.get(PATH).data != later
    assert slots(pages.get(PATH).text)[0] == "20261125T010000Z"


def test_odd_questions_are_answered_but_not_kept(pages: Pages) -> None:
    """Nobody can fill the memory with days that never come, or put text of theirs on another's page."""
    for query in ("day=2999-01-01", "day=1999-01-01", "day=2026-99-99", "slot=20261125T010000Z", f"invite={'x' * 43}"):
        assert pages.get(f"{PATH}?{query}").status_code == 200
    assert len(kept(pages.app)) == 0


def test_an_offer_that_needs_an_invitation_is_never_kept(pages: Pages) -> None:
    offers = [*settings().offers]
    offers[0] = msgspec.structs.replace(offers[0], invited=True)
    with pages.services.store.write() as tx:
        tx.coaches.save_settings("sari", settings(offers=offers))
    link = invite.invite(pages.services, look.coach(pages.services, "sari"), "sesi", 1, 7)
    drawn = pages.app.extensions["microsite-drawn"]
    answer = pages.get(link.removeprefix("http://localhost:8000"), headers={"Accept-Encoding": "gzip"})
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "private, no-store"
    assert "Content-Encoding" not in answer.headers
    assert (len(kept(pages.app)), len(drawn)) == (0, 0)


def test_kept_pages_are_compressed_for_those_who_carry_no_cookie(pages: Pages) -> None:
    plain = pages.get(PATH)
    packed = pages.get(PATH, headers={"Accept-Encoding": "gzip, br"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert len(packed.data) < len(plain.data) / 3
    assert packed.headers["ETag"] == plain.headers["ETag"]
    pages.client.set_cookie("manage", "x")
    carrying = pages.get(PATH, headers={"Accept-Encoding": "gzip"})
    assert "Content-Encoding" not in carrying.headers


def test_the_memory_stays_within_its_bytes(pages: Pages) -> None:
    small = Bounded[ready.Key, ready.Page](100_000, lambda page: 2 * len(page.body) + 1000)
    pages.app.extensions["microsite-ready"] = small
    for zone in ("Asia/Tokyo", "Asia/Seoul", "Asia/Dubai", "Europe/Paris", "Europe/London", "Africa/Nairobi"):
        pages.get(f"{PATH}?tz={zone}")
        assert small.weight <= 100_000
    assert 0 < len(small) < 6


def test_a_look_asks_the_database_one_question_and_writes_nothing(pages: Pages) -> None:
    pages.get(PATH)
    asked: list[str] = []
    spy = sqlite3.connect(pages.services.config.instance / "site.db", isolation_level=None, check_same_thread=False)
    spy.set_trace_callback(asked.append)
    pages.services.store._asker._idle.append(spy)
    assert pages.get(PATH).status_code == 200
    assert len(asked) == 1
    assert asked[0].startswith("SELECT coach.revision")
