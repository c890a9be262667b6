"""Pickers that are kept ready: what is kept, for whom, how much of it, and that nothing else is touched for them."""

import gc
import gzip
import json
import sqlite3
import subprocess
import sys
import tracemalloc
from collections import Counter
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import available_timezones

import brotli
import msgspec
import pytest
from flask import request
from jinja2 import Environment
from markupsafe import Markup
from werkzeug.test import EnvironBuilder

from microsite.core.bounded import Bounded
from microsite.core.mirror import Reading
from microsite.core.spans import DAY
from microsite.core.spans import HOUR
from microsite.core.spans import Spans
from microsite.web import ready
from microsite.web import security
from microsite.web.drawn import PIECES
from microsite.web.drawn import Drawn
from microsite.web.ready import Front
from microsite.work import invite
from microsite.work import look
from microsite.work import setup
from tests.conftest import ROOT

from .conftest import NOW
from .conftest import Pages
from .conftest import settings
from .test_never_stale import book
from .test_never_stale import calendar

PART = {"HX-Request": "true"}
PATH = "/sari/sesi/"
HEAVY = ("caldav", "niquests", "lxml", "psycopg", "recurring_ical_events", "radicale", "procrastinate")


def front(pages: Pages) -> Front:
    """What stands in front of the site."""
    found: Front = pages.app.extensions["microsite-ready"]
    return found


def lock(pages: Pages) -> None:
    """Let nobody into the application any more."""

    def closed(*_: object) -> list[bytes]:
        raise AssertionError("the application was entered")

    front(pages).inner = closed


def test_a_page_that_is_ready_is_sent_without_entering_the_application(pages: Pages) -> None:
    """So without session, form token, limit, template or workflow."""
    first = [pages.get(PATH, headers=headers) for headers in ({}, PART, {"Accept-Encoding": "br"})]
    lock(pages)
    again = [pages.get(PATH, headers=headers) for headers in ({}, PART, {"Accept-Encoding": "br"})]
    for one, other in zip(first, again, strict=True):
        assert one.data == other.data
        assert list(one.headers) == list(other.headers)
    head = pages.client.head(PATH, headers=PART)
    assert (head.status_code, head.data, head.headers["Content-Length"]) == (200, b"", str(len(first[1].data)))
    with pytest.raises(AssertionError, match="entered"):
        pages.get("/sari/")


def test_a_look_asks_the_database_one_question_and_writes_nothing(pages: Pages) -> None:
    pages.get(PATH)
    asked: list[str] = []
    spy = sqlite3.connect(pages.services.config.instance / "site.db", isolation_level=None, check_same_thread=False)
    spy.set_trace_callback(asked.append)
    pages.services.store._asker._idle.append(spy)
    assert pages.get(PATH).status_code == 200
    assert len(asked) == 1
    assert asked[0].startswith("SELECT coach.revision")


def test_who_is_sent_what_is_ready_still_has_an_old_calendar_asked_again(pages: Pages) -> None:
    """Once it is sent, and once in two minutes."""
    calendar(pages)
    with pages.services.store.write() as tx:
        tx.mirror.touch("c1", next_poll_at=pages.now + DAY)

    def next_poll() -> int:
        with pages.services.store.read() as tx:
            return int(tx.mirror.get("c1").next_poll_at)

    pages.get(PATH, buffered=True)
    lock(pages)
    for later, expected in ((119, DAY), (1, 240), (60, 240)):
        pages.now += later
        assert pages.get(PATH, buffered=True).status_code == 200
        assert next_poll() == NOW + expected


LOOKING = """
import json, sys
sys.addaudithook(lambda event, args: sys.exit(f"{event} {args}") if event.startswith("socket.") else None)
from pathlib import Path
from microsite import create_app
from microsite.config import Calendars, Config, File
from microsite.services import build
config = Config(Path(sys.argv[1]), File(calendars=Calendars(embedded=False)), {}, 8000, False)
services = build(config, lambda: 1795406400)
app = create_app(services=services)
client = app.test_client()
with services.store.change("sari") as tx:
    tx.mirror.add_calendar("c1", "sari", "https://cal.example/c1/", "Mine", {"busy"})
    tx.mirror.touch("c1", last_ok_at=1795400000)
for path in ("/sari/sesi/", "/sari/sesi/", "/en/sari/sesi/?tz=Asia/Tokyo"):
    for headers in ({}, {"HX-Request": "true"}):
        answer = client.get(path, headers=headers, buffered=True)
        assert answer.status_code == 200
        assert "Set-Cookie" not in answer.headers
with services.store.read() as tx:
    asked_again = tx.mirror.get("c1").next_poll_at > 1795406400
counted = app.extensions["microsite-limiter"].storage.storage
print(json.dumps([sorted(set(sys.argv[2:]) & set(sys.modules)), dict(counted), app.secret_key, asked_again]))
"""


def test_looking_opens_no_socket_counts_nobody_and_loads_no_calendar_library(pages: Pages) -> None:
    """Cold or ready; a calendar that is old is asked for by a job, which another process may do."""
    done = subprocess.run(
        [sys.executable, "-c", LOOKING, str(pages.services.config.instance), *HEAVY],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout) == [[], {}, None, True]


def test_the_same_page_is_not_sent_twice_and_a_changed_one_is(pages: Pages) -> None:
    page, part = pages.get(PATH), pages.get(PATH, headers=PART)
    tag = page.headers["ETag"]
    assert tag != part.headers["ETag"]
    for known in (tag, f"W/{tag}", f'"x", {tag}', "*"):
        for method in ("GET", "HEAD"):
            again = pages.client.open(PATH, method=method, headers={"If-None-Match": known})
            assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", tag), known
            assert again.headers["Content-Security-Policy"] == security.POLICY
            assert again.headers["Cache-Control"] == page.headers["Cache-Control"]
            assert again.headers["Vary"] == page.headers["Vary"]
            assert not {"Content-Type", "Content-Length", "Content-Encoding"} & set(again.headers.keys())
    for other in (part.headers["ETag"], '"x"', tag.strip('"'), ""):
        assert pages.get(PATH, headers={"If-None-Match": other}).status_code == 200, other
    book(pages)
    changed = pages.get(PATH, headers={"If-None-Match": tag})
    assert (changed.status_code, changed.data == page.data) == (200, False)


def test_each_coding_has_its_own_tag(pages: Pages) -> None:
    """RFC 9110 8.8.3.3: a tag names these very bytes."""
    tags = [pages.get(PATH, headers={"Accept-Encoding": coding}).headers["ETag"] for coding in ("", "gzip", "br")]
    assert len(set(tags)) == 3
    for coding, tag in zip(("", "gzip", "br"), tags, strict=True):
        assert pages.get(PATH, headers={"Accept-Encoding": coding, "If-None-Match": tag}).status_code == 304
    assert pages.get(PATH, headers={"Accept-Encoding": "gzip", "If-None-Match": tags[0]}).status_code == 200


def test_a_page_may_be_asked_for_again_but_a_part_is_never_stored(pages: Pages) -> None:
    """A part stored under the page's address would be what «Back» shows."""
    for _ in range(2):
        assert pages.get(PATH).headers["Cache-Control"] == "private, no-cache"
        assert pages.get(PATH, headers=PART).headers["Cache-Control"] == "private, no-store"
        restored = pages.get(PATH, headers={**PART, "HX-History-Restore-Request": "true"})
        assert restored.headers["Cache-Control"] == "private, no-cache"
        assert "<!DOCTYPE html>" in restored.text


def test_kept_pages_carry_every_header_of_the_site(pages: Pages) -> None:
    for method in ("GET", "HEAD"):
        for headers in ({}, PART, {"Accept-Encoding": "gzip"}):
            for _ in range(2):
                answer = pages.client.open(PATH, method=method, headers=headers)
                for name, value in security.ALWAYS.items():
                    assert answer.headers.getlist(name) == [value], name
                assert set(answer.vary) == {"HX-Request", "HX-History-Restore-Request", "Accept-Encoding"}
                assert "Set-Cookie" not in answer.headers
                assert bool(answer.data) == (method == "GET")


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


def test_odd_questions_are_answered_but_not_kept(pages: Pages) -> None:
    """Nobody can fill the memory with what never ends, or put text of theirs on another's page."""
    day = "2026-11-25"
    for query in (
        "day=2999-01-01",
        "day=1999-01-01",
        "day=2026-99-99",
        "day=",
        "tz=",
        "tz=No/Where",
        "slot=20261125T010000Z",
        f"invite={'x' * 43}",
        "x=1",
        f"day={day}&day={day}",
        f"day={day}&tz=Asia/Tokyo&x",
        f"day={day}&" + "&" * 200,
        "&&&",
    ):
        assert pages.get(f"{PATH}?{query}").status_code == 200, query
    for path, host in (("/sari/none/", "localhost"), ("/nobody/sesi/", "localhost"), (PATH, "else.example")):
        assert pages.client.get(path, headers={"Host": host}).status_code in {400, 404}
    assert pages.client.post(PATH, headers={"Sec-Fetch-Site": "same-origin"}).status_code == 405
    assert len(front(pages).kept) == 0


def test_a_kept_page_is_for_this_sites_own_name_only(pages: Pages) -> None:
    assert pages.get(PATH).status_code == 200
    for host in ("else.example", "localhost.else.example", "else.example:8000", ""):
        assert pages.client.get(PATH, headers={"Host": host}).status_code == 400, host


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
    assert not {"Content-Encoding", "ETag"} & set(answer.headers.keys())
    assert (len(front(pages).kept), len(drawn)) == (0, 0)


class Noting(Drawn):
    """Notes the name of each piece that is drawn and not remembered."""

    def __init__(self, env: Environment) -> None:
        super().__init__(env)
        self.notes: Counter[str] = Counter()

    def anew(self, macro: str, lang: str, *given: object) -> Markup:
        """The piece."""
        self.notes[macro] += 1
        return super().anew(macro, lang, *given)


def test_a_time_that_is_taken_has_only_what_shows_its_day_drawn_again(pages: Pages) -> None:
    noting = pages.app.jinja_env.globals["drawn"] = Noting(pages.app.jinja_env)
    pages.get(PATH, headers=PART)
    assert noting.notes["week_day"] == 7
    assert noting.notes["slot"] > 5
    assert noting.notes["month_day"] > 27
    noting.notes.clear()

    book(pages)
    pages.get(PATH, headers=PART)

    assert noting.notes["week_day"] == noting.notes["month_day"] == noting.notes["month_row"] == 1
    assert noting.notes["slot"] == 0
    assert noting.notes["band"] <= 1


def test_kept_pages_are_compressed_for_those_who_carry_no_cookie(pages: Pages) -> None:
    plain = pages.get(PATH)
    for coding, unpack in (("gzip", gzip.decompress), ("br", brotli.decompress)):
        packed = pages.get(PATH, headers={"Accept-Encoding": coding})
        assert packed.headers["Content-Encoding"] == coding
        assert unpack(packed.data) == plain.data
        assert len(packed.data) < len(plain.data) / 3
    pages.client.set_cookie("manage", "x")
    carrying = pages.get(PATH, headers={"Accept-Encoding": "gzip, br"})
    assert "Content-Encoding" not in carrying.headers
    assert carrying.data == plain.data


def test_the_memory_stays_within_its_bytes_whatever_is_asked(pages: Pages, tmp_path: Path) -> None:
    limit = 300_000
    small = Front(front(pages).inner, pages.services, limit)
    pages.app.wsgi_app = small
    drawn = pages.app.extensions["microsite-drawn"]
    zones = sorted(available_timezones())
    for n, zone in enumerate(zones[::5]):
        assert pages.get(f"{PATH}?tz={zone}&day=2026-12-{n % 30 + 1:02}", headers=PART).status_code == 200
        assert small.kept.weight <= limit
    assert 5 < len(small.kept) < limit / 5000
    assert len(drawn) <= PIECES
    assert pages.services.seen.weight <= pages.services.seen.limit


@pytest.fixture(name="taken")
def _taken() -> Iterator[Callable[[], int]]:
    """How many bytes Python has handed out since the test began."""
    tracemalloc.start(1)

    def bytes_now() -> int:
        gc.collect()
        return tracemalloc.get_traced_memory()[0]

    yield bytes_now
    tracemalloc.stop()


@pytest.mark.parametrize("headers", [{}, PART | {"Accept-Encoding": "br"}])
def test_a_kept_page_weighs_what_it_takes(pages: Pages, taken: Callable[[], int], headers: dict[str, str]) -> None:
    """A memory that is full by its own count must not be twice as full by the machine's."""
    for zone in sorted(available_timezones())[::11]:
        pages.get(f"{PATH}?tz={zone}", headers=headers)
    count, weight, filled = len(front(pages).kept), front(pages).kept.weight, taken()
    front(pages).kept = Bounded(0)
    assert count > 50
    assert 0.6 < (filled - taken()) / weight < 1.2
    drawn, filled = pages.app.extensions["microsite-drawn"], taken()
    pieces = len(drawn)
    drawn._once.cache_clear()
    assert pieces > 50
    assert (filled - taken()) / pieces * PIECES < 3_000_000


@pytest.mark.parametrize("events", [0, 300, 4000])
def test_what_was_seen_of_a_coach_weighs_what_it_takes(pages: Pages, taken: Callable[[], int], events: int) -> None:
    busy = Spans.of((NOW + n * 2 * HOUR, NOW + n * 2 * HOUR + HOUR) for n in range(events))
    names = [f"coach{number}" for number in range(6)]
    for slug in names:
        setup.add_coach(pages.services, slug, settings(), pages.services.sealer.new_identity()[1])
        with pages.services.store.change(slug) as tx:
            tx.mirror.add_calendar(slug, slug, f"https://cal.example/{slug}/", "Mine", {"busy"})
            tx.mirror.touch(slug, last_ok_at=pages.now, next_poll_at=pages.now + 300, first_failed_at=0)
            tx.mirror.put_readings(slug, [Reading(href="/e.ics", etag="1", uid="u", spans=busy.pack())])
            tx.mirror.merge(slug)
    look.starts(pages.services, coach := look.coach(pages.services, "sari"), coach.settings.offers[0])
    seen, before = pages.services.seen.weight, taken()
    for slug in names:
        coach = look.coach(pages.services, slug)
        for offer in coach.settings.offers:
            look.starts(pages.services, coach, offer)
    assert 0.4 < (taken() - before) / (pages.services.seen.weight - seen) < 1.1


def test_who_stands_around_hears_the_same_of_a_page_that_is_ready(pages: Pages) -> None:
    """What counts requests reads the view's name off the environ."""

    @pages.app.before_request
    def says() -> None:
        request.environ["microsite.route"] = request.endpoint

    for method in ("GET", "HEAD", "GET", "HEAD"):
        environ = EnvironBuilder(PATH, "http://localhost", method=method).get_environ()
        list(pages.app(environ, lambda *_: bytes))
        assert environ["microsite.route"] == "visitor.times"
        assert "microsite.lent" not in environ


def test_a_page_that_failed_is_not_kept(pages: Pages) -> None:
    """Even where the view had already lent it."""

    @pages.app.after_request
    def breaks(_response: object) -> None:
        raise ZeroDivisionError

    assert pages.get(PATH).status_code == 500
    assert len(front(pages).kept) == 0


def test_what_is_asked_is_read_as_the_views_read_it() -> None:
    environ = {"REQUEST_METHOD": "GET", "PATH_INFO": PATH, "QUERY_STRING": "tz=Asia%2FTokyo&day=2026-11-25"}
    wish = ready.wished({**environ, "HTTP_HX_REQUEST": "true", "HTTP_HX_SOURCE": "a#month-after"})
    assert wish == ("", PATH, "2026-11-25", "Asia/Tokyo", True, "a#month-", "")
    assert ready.wished({**environ, "HTTP_HX_SOURCE": "a#d2026-11-25"}) == ready.wished(environ)
    for path in ("/sari/", "/sari/sesi", "/sari/sesi/book", "/Sari/sesi/", "/en/a/b/c/", "/sari/sesi/\n"):
        assert ready.wished({**environ, "PATH_INFO": path}) is None, path
