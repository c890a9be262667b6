"""A whole life on a real site leaves a visitor's words in the named places only, and the site's secrets in theirs."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from microsite.config import load_config
from microsite.services import build
from microsite.services import clock
from microsite.work.purge import purge_now
from tests.conftest import Site
from tests.postgres import wanted

from . import commands
from .life import LeakySite
from .life import Life
from .places import unmet
from .places import unplaced
from .sinks import Found
from .sinks import Piece
from .sinks import search


class Lived(NamedTuple):
    """What a life left, before and after the purge; how each view failed; what the process may do."""

    life: Life
    failures: list[tuple[str, str, int]]
    deep_failures: list[tuple[str, str, int]]
    limits: str
    pieces: list[Piece]
    found: list[Found]
    found_after: list[Found]


@pytest.fixture(scope="module", name="lived")
def _lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """Books, is refused, cancels, books again, meets every error there is, and is forgotten."""
    with closing(Life.new(tmp_path_factory.mktemp("canary"))) as life:
        assert type(life.site) is Site
        life.site.start()
        life.book(days=4)
        life.look_around()
        life.open_desk()
        life.cancel()
        life.letters(2)
        life.keep_day_keys()
        life.run_commands()
        life.back_up()
        pieces = list(life.pieces())
        process = life.site.process
        assert process is not None
        limits = Path(f"/proc/{process.pid}/limits").read_text()
        life.site.stop()
        failures, deep = _live_with_errors(life)
        pieces += life.pieces()
        life.site.stop()
        found = search(pieces, life.markers())
        markers = life.markers()
        _forget(life)
        found_after = search(life.pieces(), markers)
        yield Lived(life, failures, deep, limits, pieces, found, found_after)


def _live_with_errors(life: Life) -> tuple[list[tuple[str, str, int]], list[tuple[str, str, int]]]:
    """The same instance served with failing services: every view, the database, the mailer, the calendar mount."""
    site = LeakySite(life.site.instance, life.site.port, life.site.environ)
    life.site = site.start()
    site.switch("unsent")
    life.book(days=5)
    site.switch("fail")
    failures = life.fail_everywhere()
    outside_flask = f"/dav/sari/bookings/{life.words.name}.ics"
    assert life.person("prober").ask("PUT", outside_flask, life.words.note.encode()).status == 500
    site.switch("fail", on=False)
    site.switch("deep")
    deep = life.fail_everywhere()
    site.switch("deep", on=False)
    site.switch("unsent", on=False)
    numbers = life.person("monitor").get("/metrics")  # before the process that counted them is gone
    assert 'route="personal",status="500"' in numbers.text
    life.crash()
    life.letters(3)
    life.keep_day_keys()
    return failures, deep


def _forget(life: Life) -> None:
    """A purge when the retention time is over, and the day keys with it."""
    later = clock() + int(timedelta(days=60).total_seconds())
    services = build(load_config(life.site.environ), lambda: later)
    purge_now(services)
    services.close()


def test_a_visitors_words_and_the_sites_secrets_are_in_their_places_and_nowhere_else(lived: Lived) -> None:
    assert "\n".join(map(str, unplaced(lived.found))) == ""


def test_every_named_place_was_met_so_the_search_saw_what_there_was(lived: Lived) -> None:
    assert "\n".join(map(str, unmet(lived.found))) == ""


def test_the_note_and_the_name_are_in_no_letter(lived: Lived) -> None:
    letters = [each for each in lived.found if each.sink.startswith("letter")]
    assert {each.kind for each in letters} == {"e-mail", "manage link", "status link", "zone"}


def test_every_view_failed_and_showed_a_page(lived: Lived) -> None:
    assert len(lived.failures) > 20
    assert [each for each in lived.failures if each[2] != 500] == []
    assert Counter(status for _, _, status in lived.deep_failures)[503] > 10


def test_every_sink_was_read(lived: Lived) -> None:
    sinks = Counter(piece.sink for piece in lived.pieces)
    assert {
        "address asked",
        "address given",
        "backup content",
        "backup file",
        "breach report",
        "calendar file",
        "command",
        "cookie",
        "database file",
        "database row",
        "header",
        "instance file",
        "job row",
        "letter file",
        "letter header",
        "letter part",
        "log",
        "page",
        "process",
    } <= set(sinks)
    files = {"a table file"} if wanted() else {"site.db", "site.db-wal"}
    assert {piece.where for piece in lived.pieces if piece.sink == "database file"} >= files


def test_errors_were_logged_by_their_type_and_place(lived: Lived) -> None:
    log = lived.life.site.stderr.read_text()
    assert "a page could not be made" in log
    assert "error=RuntimeError at leaky.py" in log
    assert "an error that nobody caught" in log
    assert "a job failed" in log
    assert "microsite.requests: answered route=visitor.book method=POST status=500" in log


def test_a_worker_that_died_of_a_fault_said_where_and_nothing_else(lived: Lived) -> None:
    log = lived.life.site.stderr.read_text()
    assert "Fatal Python error: Segmentation fault" in log
    assert 'leaky.py", line' in log


def test_every_command_is_run_or_excused() -> None:
    assert commands.unnamed() == []


def test_after_the_purge_nothing_of_the_visitor_is_left_on_the_disk(lived: Lived) -> None:
    kept = [each for each in lived.found_after if each.sink not in {"page", "cookie"}]
    kept = [each for each in kept if not each.sink.startswith("address")]
    assert {(each.where, each.kind) for each in kept} == {
        ("backup-key", "backup key"),
        ("files/server.key", "server key"),
        ("server.key", "server key"),
        ("WELCOME.txt", "calendar password"),
        ("WELCOME.txt", "desk link"),
        ("demo-identity.txt", "coach's key"),
    }


def test_the_site_may_write_no_core_file(lived: Lived) -> None:
    assert [line.split()[4:6] for line in lived.limits.splitlines() if "core file" in line] == [["0", "0"]]
