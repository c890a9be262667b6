"""A picker that is kept ready is never one that is not right any more, whoever changed what, wherever."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date
from datetime import timedelta
from random import Random

import pytest
from werkzeug.test import Client
from werkzeug.test import TestResponse

from microsite import create_app
from microsite.core import availability
from microsite.core.bounded import Bounded
from microsite.core.hours import midnight
from microsite.core.mirror import Reading
from microsite.core.spans import DAY
from microsite.core.spans import HOUR
from microsite.core.spans import MINUTE
from microsite.core.spans import Spans
from microsite.errors import TooLate
from microsite.services import build
from microsite.web import drawn
from microsite.work import accounts
from microsite.work import adjust
from microsite.work import cancel
from microsite.work import leave
from microsite.work import look
from microsite.work import setup
from tests.conftest import ROOT
from tests.postgres import database_of

from .conftest import NOW
from .conftest import WEEK
from .conftest import Pages
from .conftest import settings

PART = {"HX-Request": "true"}
PATH = "/sari/sesi/"


def slots(text: str) -> list[str]:
    """The starts on a page."""
    return re.findall(r'<a data-slot="([^"]+)"', text)


class Plain:
    """The same site without any memory: every answer is worked out anew, and nothing stands in front."""

    def __init__(self, pages: Pages) -> None:
        self._services = build(pages.services.config, lambda: pages.now)
        self.app = create_app(services=self._services)

    def get(self, path: str, headers: dict[str, str]) -> TestResponse:
        """What the views answer."""
        drawn.init_app(self.app)
        self.app.extensions["microsite"] = replace(self._services, seen=Bounded(0))
        return Client(self.app.extensions["microsite-ready"].inner).get(path, headers=headers)

    def close(self) -> None:
        """Give everything back."""
        self._services.close()


@pytest.fixture(name="plain")
def _plain(pages: Pages) -> Iterator[Plain]:
    """The site without a memory, beside the one with."""
    own = Plain(pages)
    yield own
    own.close()


def calendar(pages: Pages) -> None:
    """A calendar that was read a moment ago."""
    with pages.services.store.change("sari") as tx:
        if tx.mirror.get("c1") is None:
            tx.mirror.add_calendar("c1", "sari", "https://cal.example/c1/", "Mine", {"busy"})
        tx.mirror.touch("c1", last_ok_at=pages.now, next_poll_at=pages.now + 300, first_failed_at=0)


def book(pages: Pages) -> None:
    """Somebody takes the first time."""
    pages.book()


def cancelled(pages: Pages) -> None:
    """The first booking is cancelled."""
    with pages.services.store.read() as tx:
        booking = tx.bookings.live("sari")[0]
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


def busy(pages: Pages, at: int = NOW, days: int = 3) -> None:
    """Her calendar is full for some days."""
    spans = Spans.of([(at, at + days * DAY)]).pack()
    with pages.services.store.change("sari") as tx:
        tx.mirror.put_readings("c1", [Reading(href="/c1/e.ics", etag='"1"', uid="u1", spans=spans)])
        tx.mirror.merge("c1")


def another_of_that_name(pages: Pages) -> None:
    """The coach leaves, and one comes who takes her name in the address."""
    leave.remove(pages.services, "sari")
    setup.add_coach(
        pages.services, "sari", settings(hours={"tuesday": ["09:00-10:00"]}), pages.services.sealer.new_identity()[1]
    )


def emptied(pages: Pages) -> None:
    """A calendar that held times is taken away."""
    accounts.remove(pages.services, "sari", "c1")


def full(pages: Pages) -> None:
    """A calendar that was read, and holds something."""
    calendar(pages)
    busy(pages)


def shut(pages: Pages) -> None:
    """Her page is closed."""
    with pages.services.store.write() as tx:
        tx.coaches.set_open("sari", False)


def unread(pages: Pages) -> None:
    """A calendar is added that was never read."""
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("c2", "sari", "https://cal.example/c2/", "New", {"busy"})


CHANGES: list[tuple[Callable[[Pages], None], Callable[[Pages], None] | None]] = [
    (book, None),
    (cancelled, book),
    (change_settings, None),
    (import_settings, None),
    (busy, calendar),
    (emptied, full),
    (another_of_that_name, None),
    (shut, None),
    (unread, None),
]


@pytest.mark.parametrize(("change", "before"), CHANGES, ids=[change.__name__ for change, _ in CHANGES])
def test_no_kept_page_is_sent_after_a_change(
    pages: Pages, plain: Plain, change: Callable[[Pages], None], before: Callable[[Pages], None] | None
) -> None:
    """Also not by another process, which knows of the change by the database only."""
    if before:
        before(pages)
    other = build(pages.services.config, lambda: pages.now)
    elsewhere = create_app(services=other).test_client()
    asked = [(path, headers) for path in (PATH, "/en/sari/sesi/", f"{PATH}?tz=Asia/Tokyo") for headers in ({}, PART)]
    was = [pages.get(path, headers=headers).data for path, headers in asked]
    assert [elsewhere.get(path, headers=headers).data for path, headers in asked] == was
    assert len(pages.app.extensions["microsite-ready"].kept) == len(asked)
    change(pages)
    for (path, headers), old in zip(asked, was, strict=True):
        expected = plain.get(path, headers)
        assert expected.data != old
        for client in (pages.client, elsewhere):
            answer = client.get(path, headers=headers)
            assert (answer.status_code, answer.data) == (expected.status_code, expected.data), path
    other.close()


def assert_same(pages: Pages, plain: Plain, path: str, headers: dict[str, str]) -> None:
    """What is kept is what the views would say now, to the byte and the header; also to a HEAD."""
    expected = plain.get(path, headers)
    for method in ("GET", "GET", "HEAD"):
        answer = pages.client.open(path, method=method, headers=headers)
        assert answer.status == expected.status, path
        assert answer.data == (expected.data if method == "GET" else b""), path
        assert [header for header in answer.headers if header[0] != "ETag"] == list(expected.headers), path
        changed = pages.client.open(path, method=method, headers={**headers, "If-None-Match": '"something else"'})
        assert changed.status == expected.status


ZONES = ("", "Asia/Jakarta", "Asia/Tokyo", "Asia/Calcutta", "America/New_York", "Australia/Lord_Howe", "No/Where")
ENCODINGS = ("", "gzip", "gzip, deflate, br", "br;q=0, gzip;q=0.5", "*")
SOURCES = ("", "a#d2026-11-25", "a#month-after", "form#zone")


def wish(random: Random) -> tuple[str, dict[str, str]]:
    """Some picker that somebody may ask for."""
    fields = []
    if random.random() < 0.6:
        fields.append(f"day={date(2026, 11, 23) + timedelta(days=random.randrange(-3, 70))}")
    if zone := random.choice(ZONES):
        fields.append(f"tz={zone.replace('/', random.choice(('/', '%2F')))}")
    path = random.choice(("/sari/sesi/", "/en/sari/sesi/", "/sari/kenalan/", "/en/sari/diam/", "/sari/none/"))
    headers = {"Accept-Encoding": random.choice(ENCODINGS)}
    if random.random() < 0.6:
        headers |= {"HX-Request": "true", "HX-Source": random.choice(SOURCES)}
    if random.random() < 0.1:
        headers["HX-History-Restore-Request"] = "true"
    if random.random() < 0.2:
        headers["Cookie"] = "manage=x"
    return f"{path}?{'&'.join(fields)}" if fields else path, headers


def step(random: Random, pages: Pages) -> None:
    """Something happens, or only time passes."""

    def cancels(pages: Pages) -> None:
        with pages.services.store.read() as tx:
            any_left = tx.bookings.live("sari", pages.now)
        if any_left:
            with suppress(TooLate):
                cancelled(pages)

    def opened(pages: Pages) -> None:
        with pages.services.store.write() as tx:
            tx.coaches.set_open("sari", random.random() < 0.9)

    def fails(pages: Pages) -> None:
        with pages.services.store.write() as tx:
            tx.mirror.touch("c1", first_failed_at=pages.now - random.choice((0, 3600, 3601)), backoff_until=pages.now)

    def other_settings(pages: Pages) -> None:
        with pages.services.store.change("sari") as tx:
            hours = {random.choice(["monday", "tuesday", "sunday"]): ["09:00-12:00"], **WEEK}
            tx.coaches.save_settings("sari", settings(hours=hours, accent=random.choice(("", "#7a3b10"))))

    def waits(pages: Pages) -> None:
        pages.now += random.choice((1, 59, 299, 300, HOUR, 7 * HOUR, DAY))

    def is_busy(pages: Pages) -> None:
        busy(pages, pages.now + random.randrange(20) * DAY, random.randrange(1, 4))

    def books(pages: Pages) -> None:
        if pages.get(PATH).status_code == 200 and pages.slots():
            book(pages)

    random.choice((books, books, cancels, opened, calendar, calendar, fails, other_settings, waits, is_busy))(pages)


def walk(pages: Pages, plain: Plain, seed: int, steps: int) -> None:
    """Let things happen, and compare what is kept with what is worked out anew."""
    random = Random(seed)
    calendar(pages)
    familiar = [wish(random) for _ in range(3)]
    for _ in range(steps):
        step(random, pages)
        for path, headers in [*familiar, wish(random)]:
            assert_same(pages, plain, path, headers)


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happens_the_kept_pages_say_what_the_views_would(pages: Pages, plain: Plain, seed: int) -> None:
    walk(pages, plain, seed, 25)


def test_what_is_remembered_offers_what_the_transaction_that_books_does(pages: Pages) -> None:
    random = Random(3)
    calendar(pages)
    for _ in range(15):
        with pages.services.store.write() as tx:
            tx.coaches.set_open("sari", True)
        calendar(pages)
        step(random, pages)
        with pages.services.store.read() as tx:
            row = tx.coaches.get("sari")
            known = tx.mirror.calendars("sari")[0].first_failed_at == 0
        if row is None or not row.open or not known:
            continue
        coach = look.coach(pages.services, "sari")
        for offer in coach.settings.offers:
            with pages.services.store.read() as tx:
                expected = look.sight(tx, "sari", coach.settings, offer, pages.now).times
            assert availability.offer(look.times(pages.services, coach, offer)) == availability.offer(expected)


def test_a_page_is_let_go_when_its_first_start_falls_under_the_notice(pages: Pages) -> None:
    """A time that is shown can be booked."""
    first = slots(pages.get(PATH).text)[0]
    offer = look.coach(pages.services, "sari").settings.offer("sesi")
    assert offer is not None
    assert first == "20261125T010000Z"
    starts_at = NOW + 45 * HOUR  # Wednesday 25 November, 08:00 in Jakarta
    pages.now = starts_at - offer.notice * MINUTE - 60
    assert slots(pages.get(PATH).text)[0] == first
    pages.now += 60
    assert slots(pages.get(PATH).text)[0] == first
    pages.now += 1
    assert first not in slots(pages.get(PATH).text)


def test_a_page_is_let_go_when_the_coachs_day_ends(pages: Pages) -> None:
    """The horizon grows by a day at her midnight."""
    pages.now = midnight(date(2026, 11, 26), look.coach(pages.services, "sari").settings.zoneinfo) - 1
    far = f"{PATH}?day=2027-01-25"
    assert "20270125" not in pages.get(far).text
    pages.now += 1
    assert "20270125" in pages.get(far).text


def test_times_are_hidden_to_the_second_when_a_calendar_has_failed_too_long(pages: Pages) -> None:
    """Though the first failure itself changes no time, and a page was kept meanwhile."""
    calendar(pages)
    assert pages.get(PATH).status_code == 200
    with pages.services.store.write() as tx:
        tx.mirror.touch("c1", first_failed_at=pages.now, backoff_until=pages.now + DAY)
    pages.now += look.coach(pages.services, "sari").settings.stale_minutes * 60
    kept = pages.get(PATH)
    assert kept.status_code == 200
    pages.now += 1
    for headers in ({}, PART, {"If-None-Match": kept.headers["ETag"]}):
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


OTHER_PROCESS = """
import os, sys
from pathlib import Path
from microsite import create_app, credentials
from microsite.config import Calendars, Config, File
from microsite.services import build
file, instance = File(calendars=Calendars(embedded=False)), Path(sys.argv[1])
config = Config(instance, file, credentials.read(file, os.environ, instance), 8000, False)
client = create_app(services=build(config, lambda: int(sys.argv[2]))).test_client()
for line in sys.stdin:
    answer = client.get(line.strip(), headers={"HX-Request": "true"})
    print(answer.status_code, answer.data.hex(), flush=True)
"""


def test_a_second_web_process_never_sends_what_the_first_one_changed(pages: Pages, plain: Plain) -> None:
    """The moment the first process has answered, the second knows."""
    instance = pages.services.config.instance
    command = [sys.executable, "-c", OTHER_PROCESS, str(instance), str(NOW + 60)]
    environ = {**os.environ, **database_of(instance)}
    seen = set()
    with subprocess.Popen(
        command, cwd=ROOT, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as second:
        for n in range(12):
            (book, cancelled)[n % 2](pages)
            pages.now = NOW + 60
            expected = plain.get(PATH, PART)
            for _ in range(2):
                assert ask(second) == (expected.status_code, expected.data)
            seen.add(expected.data)
        ended = second.communicate(timeout=90)
    assert (len(seen), second.returncode, ended[0]) == (2, 0, "")


def ask(process: "subprocess.Popen[str]") -> tuple[int, bytes]:
    """What the other process answers."""
    assert process.stdin is not None
    assert process.stdout is not None
    process.stdin.write(f"{PATH}\n")
    process.stdin.flush()
    status, body = process.stdout.readline().split()
    return int(status), bytes.fromhex(body)


def nobody_enters(pages: Pages) -> None:
    """What stands in front may not ask the application any more."""

    def closed(*_: object) -> list[bytes]:
        raise AssertionError("the application was entered")

    pages.app.extensions["microsite-ready"].inner = closed


def test_a_known_part_is_drawn_again_in_front_of_the_application_as_the_views_would(pages: Pages, plain: Plain) -> None:
    """To the byte and the header, in both languages, for each coding and focus; with an ETag of its own."""
    calendar(pages)
    asked = [
        (path, {**PART, "Accept-Encoding": coding, "HX-Source": source})
        for path in (PATH, "/en/sari/sesi/?tz=Asia/Tokyo&day=2026-11-30", f"{PATH}?tz=No/Where")
        for coding, source in (("", ""), ("gzip", "a#later"), ("br", "a#month-after"))
    ]
    tags = [pages.get(path, headers=headers).headers.get("ETag") for path, headers in asked]
    nobody_enters(pages)
    for days in (9, 20):
        busy(pages, days=days)
        for n, (path, headers) in enumerate(asked):
            if tags[n] is None:  # a zone that nobody knows is never kept
                continue
            assert_same(pages, plain, path, headers)
            tag = pages.get(path, headers=headers).headers["ETag"]
            assert tag != tags[n]
            assert pages.get(path, headers={**headers, "If-None-Match": tag}).status_code == 304
            assert pages.get(path, headers={**headers, "If-None-Match": tags[n]}).status_code == 200
            tags[n] = tag


def test_a_part_is_drawn_again_when_only_time_has_passed(pages: Pages, plain: Plain) -> None:
    pages.get(PATH, headers=PART)
    nobody_enters(pages)
    for later in (1, 300, 26 * HOUR, DAY, 6 * DAY):
        pages.now += later
        assert_same(pages, plain, PATH, PART)


@pytest.mark.parametrize("change", [change_settings, another_of_that_name, shut, unread])
def test_what_is_more_than_a_change_of_times_is_the_applications(pages: Pages, change: Callable[[Pages], None]) -> None:
    """New settings, another coach, a closed page, a calendar that was never read."""
    pages.get(PATH, headers=PART)
    nobody_enters(pages)
    change(pages)
    with pytest.raises(AssertionError, match="entered"):
        pages.get(PATH, headers=PART)


def test_a_part_without_any_time_left_is_the_applications(pages: Pages, plain: Plain) -> None:
    calendar(pages)
    pages.get(PATH, headers=PART)
    front = pages.app.extensions["microsite-ready"]
    inner = front.inner
    nobody_enters(pages)
    busy(pages, days=80)
    with pytest.raises(AssertionError, match="entered"):
        pages.get(PATH, headers=PART)
    front.inner = inner
    assert_same(pages, plain, PATH, PART)
