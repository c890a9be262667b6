"""Book, move, move, cancel: the files of one booking, imported one after the other by two independent readers.

One reader is built on Python's icalendar, the other is ical.js (Thunderbird's own) in Chromium. Both keep events as
Thunderbird does: newer is the higher SEQUENCE, then the later DTSTAMP; a cancellation goes by the UID.
"""

import hashlib
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from typing import Protocol

import icalendar
import msgspec
import pytest
from ics_gates import judge
from letterbox import NOW
from letterbox import START
from letterbox import Sent
from letterbox import a_booking
from letterbox import file_for
from letterbox import order_for
from letterbox import parts
from playwright.sync_api import Error
from playwright.sync_api import Page
from playwright.sync_api import sync_playwright

from microsite import ics
from microsite.core.bookings import Booking
from microsite.core.events import Counter
from microsite.core.events import download_event
from microsite.core.events import next_counter

ICAL_JS = Path(__file__).parent / "vendor" / "ical.js-2.2.1.min.js"
PUBLISHED = "74b6aa16936daa102ca216a29c8c25b53468762dd793bd9b106074aaa7961c65"
HOUR = 3600
STORE = """
const kept = new Map();
function take(text) {
  const root = new ICAL.Component(ICAL.parse(text));
  const method = root.getFirstPropertyValue("method") || "PUBLISH";
  for (const part of root.getAllSubcomponents("vevent")) {
    const event = new ICAL.Event(part);
    const stamp = part.getFirstPropertyValue("dtstamp").toJSDate().getTime();
    const old = kept.get(event.uid);
    if (method === "CANCEL") { kept.delete(event.uid); continue; }
    const newer = !old || event.sequence > old.sequence || (event.sequence === old.sequence && stamp > old.stamp);
    if (newer) kept.set(event.uid, {sequence: event.sequence, stamp, summary: event.summary,
      start: event.startDate.toJSDate().getTime() / 1000, end: event.endDate.toJSDate().getTime() / 1000});
  }
}
function held() { return [...kept.values()].map(event => [event.start, event.end, event.summary]); }
"""


class Held(NamedTuple):
    start: int
    end: int
    summary: str


class Reader(Protocol):
    def take(self, file: bytes) -> None: ...

    def held(self) -> list[Held]: ...


class PythonReader:
    """A calendar of one person, on icalendar."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[tuple[int, float], Held]] = {}

    def take(self, file: bytes) -> None:
        calendar = icalendar.Calendar.from_ical(file)
        for event in calendar.events:
            uid = str(event["UID"])
            version = (int(event["SEQUENCE"]), event["DTSTAMP"].dt.timestamp())
            if calendar.get("METHOD") == "CANCEL":
                self._kept.pop(uid, None)
            elif uid not in self._kept or version > self._kept[uid][0]:
                held = Held(int(event.start.timestamp()), int(event.end.timestamp()), str(event["SUMMARY"]))
                self._kept[uid] = (version, held)

    def held(self) -> list[Held]:
        return [held for _, held in self._kept.values()]


class ScriptReader:
    """The same on ical.js."""

    def __init__(self, page: Page) -> None:
        self._page = page
        page.goto("about:blank")
        page.add_script_tag(content=ICAL_JS.read_text(encoding="utf-8"))
        page.add_script_tag(content=STORE)

    def take(self, file: bytes) -> None:
        self._page.evaluate("text => take(text)", file.decode())

    def held(self) -> list[Held]:
        return [Held(*row) for row in self._page.evaluate("() => held()")]


@pytest.fixture(scope="module")
def chromium_page() -> Iterator[Page]:
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        try:
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
        except Error as error:
            pytest.fail(f"Chromium is missing, and ical.js runs in it: install chromium ({error.name})", pytrace=False)
        yield browser.new_page()
        browser.close()


@pytest.fixture(params=["icalendar", pytest.param("ical.js", marks=pytest.mark.browser)])
def reader(request: pytest.FixtureRequest) -> Reader:
    if request.param == "icalendar":
        return PythonReader()
    return ScriptReader(request.getfixturevalue("chromium_page"))


class Life:
    """One booking whose every change is told by a real letter."""

    def __init__(self, post: Sent) -> None:
        self._post = post
        self._counter: Counter | None = None
        self.booking = a_booking()

    def told(self, kind: str, method: str, start: int, now: int, changed: bool = True) -> bytes:
        """The file out of the letter that tells this."""
        self._counter = next_counter(self._counter, now, changed)
        self.booking = msgspec.structs.replace(
            self.booking,
            start=start,
            end=start + HOUR,
            client_seq=self._counter.sequence,
            client_dtstamp=self._counter.stamp,
        )
        event = file_for(self.booking, method, self._counter.stamp, summary="Sesi 予約, pagi; tenang")
        message = self._post.letter(order_for(self.booking, kind, event=event))
        file = parts(message)["application/ics"].get_payload(decode=True)
        assert isinstance(file, bytes)
        assert judge(file) == []
        return file


def at(start: int) -> list[Held]:
    return [Held(start, start + HOUR, "Sesi 予約, pagi; tenang")]


def test_book_move_move_cancel_ends_with_no_event(post: Sent, reader: Reader) -> None:
    life = Life(post)
    reader.take(life.told("confirmed", "PUBLISH", START, NOW))
    assert reader.held() == at(START)
    reader.take(life.told("moved", "PUBLISH", START + HOUR, NOW))
    assert reader.held() == at(START + HOUR)
    reader.take(life.told("moved-by-coach", "PUBLISH", START + 26 * HOUR, NOW - 5))
    assert reader.held() == at(START + 26 * HOUR)
    reader.take(life.told("cancelled", "CANCEL", START + 26 * HOUR, NOW))
    assert reader.held() == []


def test_a_move_back_to_the_first_time_counts_as_the_newest(post: Sent, reader: Reader) -> None:
    life = Life(post)
    for kind, start in (("confirmed", START), ("moved", START + HOUR), ("moved", START)):
        reader.take(life.told(kind, "PUBLISH", start, NOW))
    assert reader.held() == at(START)


def test_a_letter_sent_again_makes_no_second_event(post: Sent, reader: Reader) -> None:
    life = Life(post)
    first = life.told("confirmed", "PUBLISH", START, NOW)
    again = life.told("link-again", "PUBLISH", START, NOW, changed=False)
    for file in (first, again, first):
        reader.take(file)
    assert reader.held() == at(START)


def test_letters_that_arrive_out_of_order_leave_the_newest(post: Sent, reader: Reader) -> None:
    life = Life(post)
    files = [life.told("confirmed", "PUBLISH", START, NOW), life.told("moved", "PUBLISH", START + HOUR, NOW)]
    for file in reversed(files):
        reader.take(file)
    assert reader.held() == at(START + HOUR)


def test_a_download_is_the_same_event_and_a_later_letter_still_moves_it(post: Sent, reader: Reader) -> None:
    life = Life(post)
    life.told("confirmed", "PUBLISH", START, NOW)
    reader.take(downloaded(life.booking))
    assert reader.held() == at(START)
    reader.take(life.told("moved", "PUBLISH", START + HOUR, NOW))
    assert reader.held() == at(START + HOUR)


def downloaded(booking: Booking) -> bytes:
    event = download_event(booking, "Sesi 予約, pagi; tenang", "https://book.example/s/x", "", "", "", NOW)
    return ics.render(event)


def test_without_a_risen_counter_the_readers_would_keep_the_old_time(reader: Reader, booking: Booking) -> None:
    """Guards the readers: if they took anything that comes, the chains above would prove nothing."""
    later = msgspec.structs.replace(booking, start=START + HOUR, end=START + 2 * HOUR)
    for told in (booking, later):
        reader.take(ics.render(file_for(told, "PUBLISH", NOW, summary="Sesi")))
    assert reader.held() == [Held(START, START + HOUR, "Sesi")]


def test_ical_js_is_the_one_that_was_published() -> None:
    assert (
        hashlib.sha256(ICAL_JS.read_bytes()).hexdigest()
        == "74b6aa16936daa102ca216a29c8c25b53468762dd793bd9b106074aaa7961c65"
    )
