"""Rate limits of several web processes: counted together in a real Redis, which may hold nothing about anybody."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from microsite.config import File
from microsite.config import Limits
from microsite.work import several
from tests.redis import Redis
from tests.redis import running_redis
from tests.waiting import wait_until
from tests.web.conftest import NO_CALENDARS
from tests.web.conftest import Pages

HERE = {"REMOTE_ADDR": "198.51.100.7"}


@pytest.fixture(name="redis")
def _redis() -> Iterator[Redis]:
    with running_redis() as running:
        yield running


@pytest.fixture(name="two")
def _two(tmp_path: Path, redis: Redis) -> Iterator[list[Pages]]:
    """Two web processes' worth of pages, with one server key, as several machines have."""
    with ExitStack() as kept:
        made = []
        for name in ("one", "two"):
            folder = tmp_path / name
            if made:
                folder.mkdir(mode=0o700)
                (folder / "server.key").write_bytes((tmp_path / "one" / "server.key").read_bytes())
                (folder / "server.key").chmod(0o600)
            file = File(calendars=NO_CALENDARS, limits=Limits(tokens="4 per minute", storage=redis.url))
            made.append(Pages(folder, file))
            kept.callback(made[-1].close)
        yield made


def guess(pages: Pages) -> int:
    """The status that a guess at a link is answered with."""
    return pages.get("/m/x", environ_overrides=HERE).status_code


def test_guesses_at_either_process_count_together(two: list[Pages]) -> None:
    one, other = two
    assert [guess(pages) for pages in (one, other, one, other)] == [404] * 4
    assert [guess(one), guess(other)] == [429, 429]


def test_the_shared_memory_holds_no_address_and_forgets_by_itself(two: list[Pages], redis: Redis) -> None:
    guess(two[0])
    keys = redis.ask("KEYS", "*")
    assert b"microsite" in keys or b"LIMITS" in keys
    assert b"198.51" not in keys
    names = [line for line in keys.split(b"\r\n") if line.startswith((b"LIMITS", b"microsite"))]
    assert names
    for name in names:
        assert int(redis.ask("TTL", name.decode())[1:]) > 0
    assert b"32" in redis.ask("CONFIG", "GET", "maxmemory").replace(b"33554432", b"32")


def test_where_it_goes_away_each_counts_alone_and_together_again_when_it_is_back(
    two: list[Pages], redis: Redis
) -> None:
    one, other = two
    assert [guess(one), guess(other)] == [404, 404]
    redis.stop()
    assert [guess(one) for _ in range(5)] == [404, 404, 404, 404, 429]
    assert guess(other) == 404
    said = [finding.what for finding in several.examine(one.services)]
    assert any("does not answer" in what for what in said)
    redis.start()
    wait_until(lambda: _counted(other, redis), 150, "a count in the shared memory")
    assert any("together" in finding.what for finding in several.examine(one.services))


def _counted(pages: Pages, redis: Redis) -> bool:
    guess(pages)
    return b"LIMITS" in redis.ask("KEYS", "*") or b"microsite" in redis.ask("KEYS", "*")


def test_several_web_processes_that_count_each_for_itself_are_named_by_the_doctor(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "alone", File(calendars=NO_CALENDARS))
    with pages.services.store.write() as tx:
        for name in ("a", "b"):
            tx.machines.seen(name, "web", "host", pages.now)
    findings = several.examine(pages.services)
    assert any("2 web processes count" in each.what and "redis://" in each.advice for each in findings)
    assert any(each.verdict == "wrong" and "no worker" in each.what for each in findings)
    with pages.services.store.write() as tx:
        tx.machines.gone("b")
        tx.machines.seen("c", "worker", "host", pages.now)
    assert [each.verdict for each in several.examine(pages.services)] == ["ok"]
    pages.close()
