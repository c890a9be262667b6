"""`/healthz` and `/metrics`: what a monitor learns, who may ask, and what asking costs."""

import logging
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from sqlalchemy import event

from microsite import __version__
from microsite import create_app
from microsite import credentials
from microsite.config import Config
from microsite.config import File
from microsite.config import Logs
from microsite.config import Metrics
from microsite.config import Site
from microsite.core.people import Secret
from microsite.logs import AllowListFormatter
from microsite.services import build
from microsite.work import health
from microsite.work import setup
from microsite.work.health import Watch
from tests.conftest import ROOT
from tests.postgres import database_of
from tests.web.conftest import NO_CALENDARS
from tests.web.conftest import Pages
from tests.web.conftest import settings

WATCHED = File(calendars=NO_CALENDARS, metrics=Metrics(enabled=True))
TOKEN = "a-token-of-twenty-four-signs"


@pytest.fixture(name="watched")
def _watched(tmp_path: Path) -> Iterator[Pages]:
    """A house with metrics for this machine."""
    own = Pages(tmp_path / "instance", WATCHED)
    yield own
    own.close()


@pytest.fixture(name="log")
def _log() -> Iterator[list[str]]:
    """The lines about requests that the site's log would hold."""
    lines: list[str] = []

    class Lines(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            lines.append(self.format(record))

    handler, logger = Lines(), logging.getLogger("microsite.requests")
    handler.setFormatter(AllowListFormatter())
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    yield lines
    logger.removeHandler(handler)
    logger.setLevel(logging.NOTSET)


def samples(text: str) -> dict[str, float]:
    """Every sample by its name and labels, read by the library's own reader."""
    return {
        f"{one.name}{sorted(one.labels.items()) or ''}": one.value
        for family in text_string_to_metric_families(text)
        for one in family.samples
    }


def test_healthz_tells_words_and_no_number(pages: Pages) -> None:
    pages.book()

    answer = pages.get("/healthz")

    assert answer.status_code == 200
    assert answer.json == dict.fromkeys(("database", "jobs", "calendars", "letters", "disk", "clock"), "ok") | {
        "ok": True
    }
    assert not re.search(r"\d", answer.text)


def test_a_database_that_cannot_be_read_is_503_with_its_word(pages: Pages) -> None:
    pages.services.store.close()
    file = pages.services.store.file
    assert file is not None
    for path in file.parent.glob("site.db*"):
        path.unlink()
    file.write_bytes(b"no database " * 1000)

    answer = pages.get("/healthz")

    assert (answer.status_code, answer.json["ok"], answer.json["database"]) == (503, False, "damaged")
    assert answer.headers["Retry-After"]


def test_however_many_ask_the_database_is_asked_once_in_a_while(pages: Pages, monkeypatch: pytest.MonkeyPatch) -> None:
    """A while of a minute, so that a machine that stands still does not make it two of five seconds."""
    assert 1 < health.FRESH_SECONDS < 60
    monkeypatch.setattr(health, "FRESH_SECONDS", 60.0)
    asked: list[str] = []
    event.listen(pages.services.store.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))

    for _ in range(50):
        assert pages.get("/healthz").status_code == 200

    assert 0 < len([one for one in asked if one.startswith("SELECT")]) < 12


def test_counting_asks_as_much_for_a_hundred_coaches_as_for_one(pages: Pages) -> None:
    """It once read the settings of every coach at every call."""

    def asked() -> list[str]:
        seen: list[str] = []
        listen = lambda *given: seen.append(given[2])  # noqa: E731
        event.listen(pages.services.store.engine, "before_cursor_execute", listen)
        Watch(pages.services).look()
        event.remove(pages.services.store.engine, "before_cursor_execute", listen)
        return seen

    one = asked()
    for number in range(20):
        setup.add_coach(pages.services, f"coach-{number}", settings())
    assert asked() == one
    assert not [text for text in one if "settings" in text]


def test_a_monitor_on_this_machine_may_call_the_site_by_a_loopback_name(tmp_path: Path) -> None:
    own = Pages(
        tmp_path / "instance",
        File(site=Site(address="https://book.example"), calendars=NO_CALENDARS, metrics=Metrics(enabled=True)),
    )
    for path, status in (("/healthz", 200), ("/metrics", 200), ("/", 400), ("/sari/", 400)):
        assert own.client.get(path, base_url="http://127.0.0.1:8000").status_code == status
    for headers in ({"X-Forwarded-For": "192.0.2.7"}, {"Forwarded": "for=192.0.2.7"}, {"Via": "1.1 proxy"}):
        assert own.client.get("/healthz", base_url="http://127.0.0.1:8000", headers=headers).status_code == 400
    own.close()


def test_metrics_are_not_there_unless_they_are_switched_on(pages: Pages) -> None:
    assert pages.get("/metrics").status_code == 404


def test_without_a_token_only_this_machine_reads_them(watched: Pages) -> None:
    assert watched.get("/metrics").status_code == 200
    assert watched.get("/metrics", environ_base={"REMOTE_ADDR": "192.0.2.7"}).status_code == 404
    assert watched.get("/metrics", environ_base={"REMOTE_ADDR": "::1"}).status_code == 200


@pytest.mark.parametrize("name", ["X-Forwarded-For", "Forwarded", "X-Real-IP", "Via", "X-Forwarded-Host"])
def test_a_proxy_on_this_machine_does_not_open_them_to_the_world(watched: Pages, name: str) -> None:
    assert watched.get("/metrics", headers={name: "127.0.0.1"}).status_code == 404


def test_with_a_token_whoever_shows_it_reads_them_and_nobody_else(tmp_path: Path) -> None:
    instance = tmp_path / "instance"
    secrets = {**credentials.read(WATCHED, database_of(instance), instance), "metrics-token": Secret(TOKEN)}
    config = Config(instance, WATCHED, secrets, 8000, configured=False)
    services = build(config)
    services.store.upgrade()
    client = create_app(services=services).test_client()
    away = {"environ_base": {"REMOTE_ADDR": "192.0.2.7"}}

    assert client.get("/metrics", headers={"Authorization": f"Bearer {TOKEN}"}, **away).status_code == 200
    for wrong in (f"Bearer {TOKEN}x", "Bearer ", f"Basic {TOKEN}", TOKEN, "Bearer \u00e9"):
        assert client.get("/metrics", headers={"Authorization": wrong}, **away).status_code == 404
    assert client.get("/metrics").status_code == 404
    services.close()


def test_metrics_tell_how_the_machine_is(watched: Pages) -> None:
    for _ in range(3):
        watched.get("/sari/sesi/")
    watched.get("/no/such/page")

    found = samples(watched.get("/metrics").text)

    assert found[f"microsite_build_info[('version', '{__version__}')]"] == 1
    assert found["microsite_healthy"] == 1
    assert found["microsite_coaches"] == 1
    assert found["microsite_jobs_given_up"] == found["microsite_jobs_waiting"] == 0
    assert found["microsite_database_bytes"] > 50_000
    assert found["microsite_disk_free_bytes"] == pytest.approx(
        shutil.disk_usage(watched.services.config.instance).free, rel=0.2
    )
    assert found["microsite_requests_total[('method', 'GET'), ('route', 'visitor.times'), ('status', '200')]"] == 3
    assert found["microsite_request_seconds_count[('route', 'visitor.times')]"] == 3
    assert found["microsite_requests_total[('method', 'GET'), ('route', 'none'), ('status', '404')]"] == 1
    assert found["process_resident_memory_bytes"] > 0


def test_what_one_person_does_cannot_be_read_off_the_metrics(watched: Pages) -> None:
    link = watched.book()
    watched.get(link, follow_redirects=True)
    watched.get("/desk")

    found = samples(watched.get("/metrics").text)

    routes = {line.partition("('route', '")[2].partition("'")[0] for line in found if "'route'" in line}
    assert routes == {"visitor.times", "personal"}
    assert {line for line in found if "personal" in line and "'method'" in line and "any" not in line} == set()
    assert [value for line, value in found.items() if line.startswith("microsite_bookings")] == [5]
    assert "sari" not in watched.get("/metrics").text


def test_coaches_are_named_only_where_the_operator_wants_it_and_only_for_calendars(tmp_path: Path) -> None:
    own = Pages(tmp_path / "instance", File(calendars=NO_CALENDARS, metrics=Metrics(enabled=True, coaches=True)))
    with own.services.store.write() as tx:
        tx.mirror.add_calendar("c1", "sari", "https://dav.example/x/", "Sesi", {"busy"})
        tx.mirror.touch("c1", first_failed_at=own.now - 60, failures=2)

    lines = [line for line in own.get("/metrics").text.splitlines() if "sari" in line]

    assert lines == ['microsite_coach_calendars_failing{coach="sari"} 1.0']
    own.close()


def test_answers_that_had_been_made_before_are_counted(watched: Pages) -> None:
    """Whoever stands in front of the pages says in the environ which view it stands for, and that it was ready."""
    for _ in range(3):
        watched.get("/sari/sesi/")

    found = samples(watched.get("/metrics").text)

    assert found["microsite_ready_total[('route', 'visitor.times')]"] == 2
    assert found["microsite_requests_total[('method', 'GET'), ('route', 'visitor.times'), ('status', '200')]"] == 3


@pytest.mark.parametrize("method", ["FOO", "BUDI", "get"])
def test_a_made_up_method_makes_no_series_of_its_own(watched: Pages, method: str) -> None:
    watched.client.open("/sari/", method=method, base_url=watched.base)

    text = watched.get("/metrics").text

    assert method not in text
    assert 'method="OTHER"' in text or method == "get"


def test_a_line_for_each_request_holds_four_things(tmp_path: Path, log: list[str]) -> None:
    own = Pages(tmp_path / "instance", File(calendars=NO_CALENDARS, logs=Logs(requests=True)))
    own.get("/sari/sesi/?tz=Pacific/Chatham", headers={"X-Forwarded-For": "192.0.2.7", "Referer": "https://a.example/"})
    own.get(f"/m/{'x' * 43}")

    assert [re.sub(r"ms=[0-9.]+", "ms=1", line.partition(": ")[2]) for line in log] == [
        "answered route=visitor.times method=GET status=200 ms=1",
        "answered route=manage.enter method=GET status=404 ms=1",
    ]
    own.close()


def test_nobody_loads_the_library_or_measures_where_both_are_off(pages: Pages) -> None:
    code = (
        "import sys; from microsite import create_app; create_app();"
        "sys.exit(any(name.startswith('prometheus') for name in sys.modules))"
    )
    instance = pages.services.config.instance.parent / "other"
    environ = {"MICROSITE_INSTANCE": str(instance), **database_of(instance)}
    subprocess.run([sys.executable, "-c", code], cwd=ROOT, env=environ, check=True)


def test_the_version_is_the_one_of_the_project() -> None:
    assert f'\nversion = "{__version__}"\n' in (ROOT / "pyproject.toml").read_text()
