"""The embedded server's files say what changed: never less than the server would say, and without asking it."""

import os
import random
from collections.abc import Callable
from pathlib import Path

import pytest

from microsite.calendars import Calendars
from microsite.calendars.embedded import open_embedded
from microsite.calendars.files import BYTES
from microsite.calendars.files import COARSE
from microsite.calendars.files import ENTRY
from microsite.calendars.files import FINE
from microsite.calendars.files import SECOND
from microsite.calendars.files import Files
from microsite.calendars.files import Look
from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled

from .events import NOW
from .events import RULES
from .events import event

PATH = "/dav/sari/own/"
LONG_AGO = 1_700_000_000 * SECOND + 1


class House:
    """An embedded calendar, and a mirror of it that is kept by pulls alone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.known = Known()
        self.calendars, self.other = self.new(), self.new()
        url = self.calendars.make_embedded("sari", "own", "Own")
        self.account = Account(calendar="own", url=url, username="sari")
        self.place = folder / "dav" / "collection-root" / "sari" / "own"

    def new(self) -> Calendars:
        """Another process's calendars, with nothing in its memory."""
        return Calendars(open_embedded(self.folder / "dav", self.folder / "htpasswd", lambda _path: None))

    def pull(self) -> Pulled:
        """Ask what changed, and store it."""
        pulled = self.calendars.pull(self.account, self.known, RULES, NOW)
        etags = {href: etag for href, etag in self.known.etags.items() if href not in pulled.removed}
        if pulled.full:
            etags = {href: etag for href, etag in etags.items() if href in pulled.present}
        etags |= {reading.href: reading.etag for reading in pulled.readings}
        self.known = Known(
            state=pulled.state,
            sync_token=pulled.sync_token,
            last_full_at=NOW if pulled.full else self.known.last_full_at,
            etags=etags,
        )
        return pulled

    def truth(self) -> dict[str, str]:
        """Every etag, as another process says that asks the server for everything."""
        readings = self.other.pull(self.account, Known(), RULES, NOW).readings
        return {reading.href: reading.etag for reading in readings}

    def add(self, name: str) -> str:
        """A new event."""
        return self.calendars.create(self.account, name, event(name)).href

    def app_adds(self, count: int) -> None:
        """So many events at once, as when an app brings a calendar along: they are copies of one file."""
        self.add("copied-0")
        body = (self.place / "copied-0.ics").read_text("utf-8")
        for number in range(1, count):
            (self.place / f"copied-{number}.ics").write_text(body.replace("copied-0", f"copied-{number}"), "utf-8")

    def age(self) -> None:
        """Let every file have been written long ago, each at another time."""
        for number, path in enumerate(sorted(self.place.glob("*.ics"))):
            os.utime(path, ns=(LONG_AGO + number, LONG_AGO + number))


@pytest.fixture(name="house")
def _house(tmp_path: Path) -> House:
    return House(tmp_path)


def test_where_nothing_changed_the_server_is_not_asked(house: House) -> None:
    for name in ("one", "two", "three"):
        house.add(name)
    house.age()
    house.pull()

    again = house.pull()

    assert (again.requests, again.readings, again.removed) == (0, [], [])
    assert house.known.etags == house.truth()


def test_only_what_changed_is_asked_for(house: House) -> None:
    one, two = house.add("one"), house.add("two")
    house.age()
    house.pull()
    there = house.calendars.read(house.account, one)
    assert there is not None
    house.calendars.replace(house.account, one, event("one", "Another"), there.etag)
    house.calendars.delete(house.account, two)
    three = house.add("three")

    pulled = house.pull()

    assert {reading.href for reading in pulled.readings} == {one, three}
    assert pulled.removed == [two]
    assert pulled.requests == 1
    assert house.known.etags == house.truth()


def test_whatever_apps_do_the_mirror_is_as_if_the_server_had_been_asked(house: House) -> None:
    chance = random.Random(7)
    names = [f"event-{number}" for number in range(8)]

    def some() -> str:
        return chance.choice(sorted(house.truth()) or [house.add("first")])

    def replace() -> None:
        there = house.other.read(house.account, some())
        assert there is not None
        name = there.href.rsplit("/", 1)[1].removesuffix(".ics")
        house.other.replace(house.account, there.href, event(name, f"No {chance.random()}"), there.etag)

    acts: list[Callable[[], object]] = [
        lambda: house.add(chance.choice(names)),
        replace,
        replace,
        lambda: house.other.delete(house.account, some()),
        house.age,
        house.pull,
    ]
    for _ in range(25):
        for _ in range(chance.randrange(4)):
            chance.choice(acts)()
        house.pull()
        assert house.known.etags == house.truth()


def test_a_file_that_was_just_written_is_asked_for_again(house: House) -> None:
    """Within one tick of the clock a file can be written twice, as long as before, and look the same from outside."""
    href = house.add("one")
    path = house.place / "one.ics"
    ahead = (2_000_000_000 * SECOND, 2_000_000_000 * SECOND + 1)
    os.utime(path, ns=ahead)
    house.pull()
    path.write_bytes(path.read_bytes().replace(b"Session", b"Changed"))
    os.utime(path, ns=ahead)

    assert [reading.href for reading in house.pull().readings] == [href]
    assert house.known.etags == house.truth()


@pytest.mark.parametrize(
    ("written_at", "seen_at", "known", "words"),
    [
        (5 * SECOND + 1, 5 * SECOND + 1 + FINE, True, "a fine clock, a while ago"),
        (5 * SECOND + 1, 5 * SECOND + FINE, False, "a fine clock, just now"),
        (5 * SECOND, 5 * SECOND + COARSE, True, "a clock of seconds, some seconds ago"),
        (5 * SECOND, 5 * SECOND + COARSE - 1, False, "a clock of seconds, just now"),
        (9 * SECOND + 1, 5 * SECOND, False, "the clock was set back"),
    ],
)
def test_what_a_stamp_is_worth(tmp_path: Path, written_at: int, seen_at: int, known: bool, words: str) -> None:
    files = Files(tmp_path, "/dav")
    look = Look(seen_at, {f"{PATH}a.ics": (1, written_at, 300)})
    files.note(PATH, look, {f"{PATH}a.ics": "etag"})

    changed = files.changed(PATH, look, {f"{PATH}a.ics": "etag"})

    assert (changed == []) == known, words


def test_what_the_mirror_no_longer_knows_is_asked_for_though_no_file_changed(house: House) -> None:
    """Another process may have synced, or a new setting wants all to be read anew."""
    one, two = house.add("one"), house.add("two")
    house.age()
    house.pull()
    house.known = Known(
        state="IDLE",
        sync_token=house.known.sync_token,
        last_full_at=NOW,
        etags={one: "", two: house.known.etags[two]},
    )

    assert [reading.href for reading in house.pull().readings] == [one]


def test_where_every_file_seems_to_be_another_one_the_server_is_asked_once(house: House) -> None:
    house.app_adds(60)
    house.age()
    house.pull()
    for number, path in enumerate(sorted(house.place.glob("*.ics"))):
        os.utime(path, ns=(LONG_AGO + SECOND + number, LONG_AGO + SECOND + number))

    pulled = house.pull()

    assert (pulled.requests, pulled.readings, pulled.removed) == (1, [], [])
    assert house.pull().requests == 0


def test_a_process_that_has_just_begun_asks_the_server(house: House) -> None:
    house.add("one")
    house.age()
    house.pull()
    house.calendars = house.new()

    assert house.pull().requests == 1
    assert house.pull().requests == 0


def test_what_is_remembered_is_bounded(tmp_path: Path) -> None:
    files = Files(tmp_path, "/dav")
    many = {f"{PATH}{number}.ics": (number, LONG_AGO, 300) for number in range(BYTES // ENTRY + 1)}
    files.note(PATH, Look(2 * LONG_AGO, many), {})
    assert files.changed(PATH, Look(2 * LONG_AGO, many), {}) is None


@pytest.mark.parametrize("path", ["/dav/", "/dav/sari//", "/dav/../sari/own/", "/dav/sari/..%2fown/", "/dav/none/own/"])
def test_a_path_that_is_no_collection_of_the_server_has_no_files(house: House, path: str) -> None:
    files = Files(house.folder / "dav" / "collection-root", "/dav")
    assert files.look(path) is None
