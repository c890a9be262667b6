"""The main job in Chromium: htmx swaps in place, Back works, nothing is complained about, leaked or kept."""

import re
from collections.abc import Callable
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Request

from tests.conftest import Site
from tests.conftest import wait_until
from tests.flow.browser import NOTHING
from tests.flow.browser import Watched
from tests.flow.browser import chromium
from tests.flow.browser import executable
from tests.flow.coach import CalendarApp
from tests.flow.coach import Mailbox
from tests.flow.visitor import TYPED

pytestmark = pytest.mark.browser
FIRST, SESSION = "/sari/percakapan-pertama/", "/sari/sesi/"
MARK = "window.stillHere = true"
MARKED = "window.stillHere === true"
WHOLE = "() => Boolean(document.querySelector('main') && document.querySelector('link[rel=stylesheet]'))"
Open = Callable[..., Watched]


@pytest.fixture(name="chromium", scope="module")
def _chromium() -> Iterator[Browser]:
    """One browser for this file."""
    with chromium() as browser:
        yield browser


@pytest.fixture(name="window")
def _window(chromium: Browser, site: Site) -> Iterator[Open]:
    """Opens windows of new, empty browsers; at the end none of them may have complained or asked anybody else."""
    opened: list[Watched] = []

    def window(**options: object) -> Watched:
        opened.append(Watched(chromium, site.base, **options))
        return opened[-1]

    yield window
    for each in opened:
        each.close()
    assert [each.complaints for each in opened] == [[] for _ in opened]
    assert [each.foreign for each in opened] == [[] for _ in opened]


def documents(window: Watched) -> list[Request]:
    """The whole pages that were asked for."""
    return [each for each in window.asked if each.is_navigation_request()]


def a_day_from_now(days: int) -> str:
    """The picker on a day so many days away, for the link of another."""
    return f"?day={datetime.now(UTC) + timedelta(days=days):%Y-%m-%d}"


def test_the_main_job_in_a_browser(window: Open, site: Site, app: CalendarApp) -> None:
    sari = window(timezone_id="Asia/Makassar")
    page = sari.page
    page.goto("/sari/")
    page.locator(f"main a[href='{SESSION}']").click()
    sari.state("times")
    page.goto(f"{SESSION}{a_day_from_now(5)}&tz=Asia/Makassar")
    slot = sari.slots()[0]
    page.locator(f"main a[data-slot='{slot}']").click()
    sari.state("form")
    sari.fill_in(**{**TYPED, "email": "browser@example.com"})
    assert sari.context.cookies() == []
    assert sari.kept == NOTHING

    sari.submit("/book")
    sari.state("confirmed")

    _nothing_was_kept_by_the_post(sari)
    assert [cookie["name"] for cookie in sari.context.cookies()] == ["manage"]
    assert sari.kept == NOTHING
    assert sari.page.url.split("?")[0] == f"{site.base}/manage"
    ref = page.locator("form [name='ref']").first.input_value()
    (event,) = app.titled(ref)
    assert event.icalendar_component["DTSTART"].dt.strftime("%Y%m%dT%H%M%SZ") == slot
    (letter,) = Mailbox(site.instance / "mail").wait("browser@example.com", 1)
    with page.expect_download() as download:
        page.locator("main a[href*='.ics']").click()
    assert download.value.suggested_filename == "session.ics"
    sari.submit("/manage/cancel")
    sari.state("cancelled")
    wait_until(lambda: not app.titled(ref), what="the event gone")

    page.goto(re.findall(r"https?://\S+/m/\S+", letter.text)[0])
    sari.state("cancelled")
    assert "/m/" not in page.url


def _nothing_was_kept_by_the_post(window: Watched) -> None:
    (post,) = [each for each in window.answers if each.request.method == "POST"]
    assert post.status == 303
    assert "set-cookie" not in post.all_headers()
    before = window.asked[: window.asked.index(post.request) + 1]
    assert [each.url for each in before if "cookie" in each.all_headers()] == []


def test_choosing_a_day_swaps_the_times_in_place_and_back_returns_to_the_old_ones(window: Open) -> None:
    sari = window(timezone_id="Asia/Jakarta")
    sari.page.goto(SESSION)
    first, slots = sari.page.url, sari.slots()
    sari.swaps()
    sari.page.evaluate(MARK)

    other = sari.days().last
    there = other.get_attribute("href")
    other.click()
    sari.page.wait_for_url(f"**{there}")
    wait_until(lambda: sari.slots() and sari.slots() != slots, what="the times of another day")

    assert sari.page.evaluate(MARKED)
    assert len(documents(sari)) == 1
    swap = next(each for each in sari.asked if each.resource_type in {"fetch", "xhr"})
    assert swap.all_headers()["hx-request"] == "true"
    sari.page.go_back()
    wait_until(lambda: sari.slots() == slots, what="the times of the first day")
    assert sari.page.url == first
    assert sari.page.evaluate(WHOLE)


def test_back_and_reload_give_a_whole_page_never_a_bare_fragment(window: Open) -> None:
    sari = window(timezone_id="Asia/Jakarta")
    sari.page.goto(SESSION)
    slots = sari.slots()
    sari.days().last.click()
    wait_until(lambda: sari.slots() and sari.slots() != slots, what="the times of another day")
    chosen = sari.slots()

    sari.page.locator("main a[data-slot]").first.click()
    sari.state("form")
    sari.page.go_back()
    sari.state("times")

    for again in (lambda: None, sari.page.reload):
        again()
        assert sari.slots() == chosen
        assert sari.page.evaluate(WHOLE)


def test_the_zone_of_the_times_their_label_and_the_list_always_agree(window: Open) -> None:
    sari = window(timezone_id="Asia/Jayapura")  # two hours ahead of the coach

    def shown() -> set[str]:
        return set(
            sari.page.locator("main a[data-slot]").evaluate_all(
                "x => x.map(a => new URL(a.href).searchParams.get('tz'))"
            )
        )

    def words() -> list[str]:
        return sari.page.locator("main a[data-slot]").all_inner_texts()

    sari.page.goto(SESSION)
    wait_until(lambda: shown() == {"Asia/Jayapura"}, what="the visitor's own zone")
    assert sari.page.locator("select[name='tz']").input_value() == "Asia/Jayapura"
    sari.swaps()
    sari.page.evaluate(MARK)
    slots, before = sari.slots(), words()

    sari.page.locator("select[name='tz']").focus()
    sari.page.locator("select[name='tz']").select_option("Asia/Makassar")
    wait_until(lambda: shown() == {"Asia/Makassar"}, what="the zone that was chosen")

    assert sari.page.locator("select[name='tz']").input_value() == "Asia/Makassar"
    assert "tz=Asia" in sari.page.url
    if sari.slots() == slots:
        assert words() != before
    assert sari.page.evaluate(MARKED)
    assert len(documents(sari)) == 1
    assert sari.page.evaluate("document.activeElement.name") == "tz"
    assert sari.context.cookies() == []
    assert sari.kept == NOTHING


def test_the_main_job_in_a_browser_without_javascript(window: Open, app: CalendarApp) -> None:
    sari = window(java_script_enabled=False)
    page = sari.page
    page.goto("/en/")
    page.locator(f"main a[href='/en{FIRST}']").click()
    page.locator("select[name='tz']").select_option("Asia/Makassar")
    page.locator("form:has(select[name='tz']) button").click()
    assert "tz=Asia%2FMakassar" in page.url
    page.goto(f"/en{FIRST}{a_day_from_now(6)}&tz=Asia/Makassar")
    page.locator("main a[data-slot]").first.click()
    sari.fill_in(**TYPED)
    assert sari.context.cookies() == []
    sari.submit("/book")
    sari.state("confirmed")
    _nothing_was_kept_by_the_post(sari)
    ref = page.locator("form [name='ref']").first.input_value()
    assert app.titled(ref)

    sari.submit("/manage/cancel")
    sari.state("cancelled")
    assert [each for each in sari.asked if each.resource_type == "script"] == []
    wait_until(lambda: not app.titled(ref), what="the event gone")


def test_without_a_browser_these_tests_fail_and_say_what_to_install(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    with pytest.raises(pytest.fail.Exception, match="apt-get install"):
        executable()
