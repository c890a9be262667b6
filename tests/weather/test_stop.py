"""SIGTERM under load: every request that was taken gets its whole answer, and no booking is half made or lost."""

import signal
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from http.client import HTTPConnection
from http.client import HTTPException
from typing import NamedTuple
from urllib.error import URLError

import pytest
from sqlalchemy import text

from tests.conftest import Site
from tests.conftest import free_port
from tests.flow.backstage import backstage
from tests.flow.backstage import states
from tests.flow.visitor import Page
from tests.flow.visitor import Visitor
from tests.flow.visitor import wait_like_a_person

OFFER = "/sari/percakapan-pertama/"
BOOKINGS, STOP_AFTER = 24, 10
CLOSED = frozenset({"ConnectionRefusedError", "BrokenPipeError", "RemoteDisconnected", "ConnectionResetError"})
"""How a closed door feels: it was closed; it closed while the visitor was still sending, or before a byte was read."""


class Stopped(NamedTuple):
    """What a stop under load came to."""

    site: Site
    answers: "Counter[str]"
    booked: list[tuple[Visitor, str]]
    code: int


class Crowd:
    """Visitors who book and look at the same time, and what each of them got."""

    def __init__(self, site: Site) -> None:
        self.site = site
        self.answers: Counter[str] = Counter()
        self.booked: list[tuple[Visitor, str]] = []
        self._over = threading.Event()
        self._guard = threading.Lock()

    def forms(self) -> list[tuple[Visitor, Page]]:
        """Visitors who each have a form of another time open, and have filled it in as slowly as people do."""
        looker = Visitor(self.site.base)
        days = [f"{datetime.now(UTC) + timedelta(days=ahead):%Y-%m-%d}" for ahead in range(2, 12)]
        slots = list(dict.fromkeys(slot for day in days for slot in looker.get(OFFER, day=day).slots))
        visitors = [Visitor(self.site.base) for _ in range(BOOKINGS)]
        forms = [(each, each.form(OFFER, slot)) for each, slot in zip(visitors, slots[::2], strict=False)]
        assert len(forms) == BOOKINGS
        wait_like_a_person(max(page.seen_at for _, page in forms))
        return forms

    def book(self, visitor: Visitor, page: Page) -> None:
        """Send one form."""
        answer = self._note("book", lambda: visitor.send_at_once(page))
        if answer is not None and answer.status == 303:
            with self._guard:
                self.booked.append((visitor, answer.location))

    def look(self) -> None:
        """Look at times until nobody answers."""
        visitor = Visitor(self.site.base)
        while not self._over.is_set() and self._note("look", lambda: visitor.get(OFFER)) is not None:
            pass

    def go_home(self) -> None:
        """Stop looking."""
        self._over.set()

    def _note(self, what: str, ask: "object") -> Page | None:
        try:
            page: Page | None = ask()  # type: ignore[operator]
            told = str(page.status) if page else ""
        except URLError as error:
            page, told = None, type(error.reason).__name__
        except (OSError, HTTPException) as error:
            page, told = None, type(error).__name__
        with self._guard:
            self.answers[f"{what} {told}"] += 1
        return page


@pytest.fixture(name="stopped", scope="module")
def _stopped(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stopped]:
    """A site that was told to stop while a crowd was at it, and somebody's connection stood open."""
    site = Site(tmp_path_factory.mktemp("stopped") / "instance", free_port()).start()
    crowd = Crowd(site)
    bookers = [threading.Thread(target=crowd.book, args=form) for form in crowd.forms()]
    lookers = [threading.Thread(target=crowd.look) for _ in range(3)]
    idle = HTTPConnection("localhost", site.port)
    idle.request("GET", "/")
    idle.getresponse().read()
    for thread in (*lookers, *bookers[:STOP_AFTER]):
        thread.start()
    while sum(crowd.answers.values()) < STOP_AFTER:
        threading.Event().wait(0.005)
    assert site.process is not None
    site.process.send_signal(signal.SIGTERM)
    for thread in bookers[STOP_AFTER:]:
        thread.start()
    code = site.process.wait(60)
    crowd.go_home()
    for thread in (*lookers, *bookers):
        thread.join()
    idle.close()
    yield Stopped(site, crowd.answers, crowd.booked, code)
    site.stop()


def test_it_ends_well_before_it_would_be_killed_though_a_connection_stands_open(stopped: Stopped) -> None:
    assert stopped.code == 0
    assert "Killing worker" not in stopped.site.stderr.read_text()


def test_whoever_was_let_in_got_a_whole_answer(stopped: Stopped) -> None:
    """Those who came too late found a closed door, and nobody's answer broke off."""
    assert {told for told in stopped.answers if told.split()[1] not in CLOSED} == {"book 303", "look 200"}


def test_whoever_found_the_door_closed_has_no_booking(stopped: Stopped) -> None:
    """A booking that was made and not answered would be one that nobody knows of."""
    assert len(states(stopped.site, "sari")) == stopped.answers["book 303"] == len(stopped.booked)


def test_the_end_says_nothing_went_wrong_and_no_job_is_held(stopped: Stopped) -> None:
    assert "ERROR" not in stopped.site.stderr.read_text()
    assert "Traceback" not in stopped.site.stderr.read_text()
    with backstage(stopped.site) as services, services.store.read() as tx:
        assert services.store.check() == ""
        assert tx.conn.execute(text("SELECT kind, owner FROM job WHERE owner <> ''")).all() == []


def test_after_a_restart_every_booking_that_was_answered_is_confirmed(stopped: Stopped) -> None:
    stopped.site.start()

    for visitor, link in stopped.booked:
        page = visitor.follow(visitor.get(link))
        visitor.own_page = page.url
        visitor.wait_for("confirmed", 60)
    assert states(stopped.site, "sari") == ["confirmed"] * len(stopped.booked)
