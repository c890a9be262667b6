"""The same on PostgreSQL with the jobs of procrastinate: the server's tables, its write-ahead log and its own log."""

from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from typing import NamedTuple

import pytest

from tests.postgres import running_server

from . import sinks
from .life import LeakySite
from .life import Life
from .places import unplaced
from .sinks import Found
from .sinks import Piece
from .sinks import search

HOLES = {
    "a happening with the address": ("database row", "happening.what", "e-mail"),
    "a job with the address": ("job row", "procrastinate_jobs.args", "e-mail"),
    "the files of the server": ("database server", "base", "e-mail"),
    "its write-ahead log": ("database server", "pg_wal", "e-mail"),
    "a statement with the name in the server's own log": ("database server", "log", "name"),
}


class Lived(NamedTuple):
    """What a life left on the server: while nothing was given away, and afterwards while everything was."""

    pieces: list[Piece]
    found: list[Found]
    found_given_away: list[Found]


@pytest.fixture(scope="module", name="lived")
def _lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lived]:
    """A booking on a server of its own, with every view, the database and the mailer failing once."""
    folder = tmp_path_factory.mktemp("canary")
    with running_server() as server, closing(Life.new(folder, LeakySite, server.create())) as life:
        site = life.site.start()
        assert isinstance(site, LeakySite)
        site.switch("unsent")
        life.book(days=4)
        site.switch("fail")
        life.fail_everywhere()
        site.switch("fail", on=False)
        site.switch("deep")
        life.fail_everywhere()
        site.switch("deep", on=False)
        site.switch("unsent", on=False)
        life.letters(1)
        life.open_desk()
        life.keep_day_keys()
        server.sql("CHECKPOINT")
        pieces = [*life.pieces(), *sinks.server_files(server.folder)]
        found = unplaced(search(pieces, life.markers()))
        site.switch("leak")
        life.book(days=5)
        server.sql("CHECKPOINT")
        given_away = [*sinks.server_rows(site.environ["CANARY_DATABASE"]), *sinks.server_files(server.folder)]
        words = life.markers()
        away = search(given_away, {kind: words[kind] for kind in ("name", "e-mail", "note")})
    yield Lived(pieces, found, away)


def test_on_postgres_a_visitors_words_and_the_sites_secrets_are_in_their_places_and_nowhere_else(lived: Lived) -> None:
    assert "\n".join(map(str, lived.found)) == ""


def test_the_rows_the_jobs_and_every_part_of_the_server_were_read(lived: Lived) -> None:
    kinds = Counter(piece.sink for piece in lived.pieces)
    assert kinds["job row"] and kinds["database row"]
    assert {piece.where for piece in lived.pieces if piece.where.startswith("procrastinate_events.")}
    assert {"base", "pg_wal", "log", "global"} <= {
        piece.where for piece in lived.pieces if piece.sink == "database server"
    }


def test_the_server_wrote_down_that_statements_failed(lived: Lived) -> None:
    """Else the search of its log proves nothing."""
    (log,) = (piece.data for piece in lived.pieces if (piece.sink, piece.where) == ("database server", "log"))
    assert b"nowhere" in log


@pytest.mark.parametrize("hole", HOLES)
def test_on_postgres_a_hole_is_found_and_named(lived: Lived, hole: str) -> None:
    sink, where, kind = HOLES[hole]
    assert [each for each in lived.found_given_away if (each.sink, each.where, each.kind) == (sink, where, kind)]
