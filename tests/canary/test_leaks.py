"""The negative control: on a site with a hole in every sink, the very same search finds and names each hole.

Without this nobody could tell a tight house from a blind search.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from .life import LeakySite
from .life import Life
from .places import unplaced
from .sinks import Found
from .sinks import Piece
from .sinks import search

HOLES = {
    "a log line with the name": ("log", "standard output and error", "name"),
    "the note printed": ("log", "standard output and error", "note"),
    "a title in the calendar with the name": ("calendar file", "", "name"),
    "a title in the calendar with the zone": ("calendar file", "", "zone"),
    "a subject with the name": ("letter header", "to the client: Subject", "name"),
    "the coach's subject with the name": ("letter header", "to the coach: Subject", "name"),
    "a letter with the note, across a soft line break": ("letter part", "to the client: text/plain", "note"),
    "a letter to the coach with the zone": ("letter part", "to the coach: text/plain", "zone"),
    "the raw letter": ("letter file", "mail/new/<name>", "note"),
    "a happening with the address": ("database row", "happening.what", "e-mail"),
    "the same in the raw file or its log": ("database file", "", "e-mail"),
    "a deleted row in a free page": ("database file", "", "note"),
    "a job with the address": ("job row", "job.key", "e-mail"),
    "a compressed temp file": ("temp file", "a file", "note"),
    "a core file in UTF-16": ("instance file", "core.4711", "note"),
    "a day key named after a person": ("instance file name", "a file name", "e-mail"),
    "a Location with the address": ("address given", "client POST /sari/sesi/book 303 Location", "e-mail"),
    "the address that was asked then": ("address asked", "client GET /m/<token>", "e-mail"),
    "a header with the name in hex": ("header", "client POST /sari/sesi/book 303 X-Trace", "name"),
    "a cookie with the note": ("cookie", "client POST /sari/sesi/book 303 draft", "note"),
    "a stranger's page with the name": ("page", "stranger GET /sari/ 200", "name"),
    "a series of the metrics with the name": ("page", "stranger GET /metrics 200", "name"),
    "the desk with the address": ("page", "coach GET /desk 200", "e-mail"),
    "a room of the desk with the name": ("page", "coach GET /desk/kept 200", "name"),
    "the sealed records with the address": ("page", "coach GET /desk/records 200", "e-mail"),
    "the state of the house with the address": ("page", "stranger GET /healthz 200", "e-mail"),
    "a command that tells who booked": ("command", "doctor", "name"),
    "the calendar file with the name": ("page", "client GET /manage/session.ics 200", "name"),
    "a backup that is not sealed": ("backup file", "a backup", "server key"),
    "a backup with a day key in it": ("backup content", "database/day", "day key"),
    "a database in a backup with the note": ("backup content", "database/note", "note"),
    "a breach report with the name": ("breach report", "a file", "name"),
    "the same on the screen": ("command", "leak", "name"),
    "arguments of a process": ("process", "cmdline", "e-mail"),
    "environment of a process": ("process", "environ", "name"),
    "title of a thread": ("process", "title", "name"),
}


@pytest.fixture(scope="module", name="given_away")
def _given_away(tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Found]]:
    """What is found of a life on that site."""
    with closing(Life.new(tmp_path_factory.mktemp("leaking"), LeakySite)) as life:
        site = life.site.start()
        assert isinstance(site, LeakySite)
        site.switch("leak")
        life.book(days=4)
        life.look_around()
        life.open_desk()
        life.letters(1)
        life.keep_day_keys()
        life.run_commands()
        life.back_up()
        life.run("leak", life.backup_key, module="tests.canary.leaky_backup")
        found = search(life.pieces(), life.markers())
    yield unplaced(found)


@pytest.mark.parametrize("hole", HOLES)
def test_a_hole_is_found_and_named(given_away: list[Found], hole: str) -> None:
    sink, where, kind = HOLES[hole]
    assert [each for each in given_away if (each.sink, each.kind) == (sink, kind) and where in ("", each.where)]


def test_nothing_else_is_reported_on_that_site(given_away: list[Found]) -> None:
    """A search that cried wolf would soon be ignored."""
    named = {(sink, kind) for sink, _, kind in HOLES.values()}
    echoes = {("letter file", "name"), ("letter file", "zone"), ("database file", "name"), ("page", "zone")}
    # The leaky site has the words in its database, so a copy of that has them too, and what tells of happenings.
    echoes |= {("command", "e-mail")}
    echoes |= {
        (sink, kind) for sink in ("backup file", "backup content") for kind in ("name", "e-mail", "note", "zone")
    }
    assert [each for each in given_away if (each.sink, each.kind) not in named | echoes] == []


def test_a_secret_of_the_site_in_a_log_is_found(folder: Path) -> None:
    markers = {"server key": [bytes(range(32))], "manage link": ["x" * 20 + "Y" * 23]}
    lines = f"GET /m/{'x' * 20}{'Y' * 23}\nkey {bytes(range(32)).hex()}\n".encode()
    found = unplaced(search([Piece("log", "standard output and error", lines)], markers))
    assert {each.kind for each in found} == set(markers)
