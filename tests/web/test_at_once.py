"""What a visitor sees at once: a free time without scrolling, the tapped day before its times are there."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page

from tests import likeness
from tests.flow.browser import chromium

from .gallery import LANGUAGES
from .gallery import SWAPS
from .gallery import Stage
from .gallery import go
from .gallery import pictured

PHONE = {"width": 360, "height": 640}
OTHER = ".days a:not([aria-current])"
CHOSEN = "() => document.querySelector('.days [aria-current]')?.id"
TAP = "() => { const link = document.querySelector('a[data-slot]'); link.click(); return link.className; }"
BOTTOM = "links => Math.min(...links.map(link => link.getBoundingClientRect().bottom))"

pytestmark = pytest.mark.browser


@pytest.fixture(name="chromium", scope="module")
def _chromium() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@pytest.fixture(name="stage")
def _stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path / "instance")
    yield stage
    stage.close()


@contextmanager
def held(stage: Stage) -> Iterator[threading.Event]:
    """Let every answer wait until the event is set."""
    going_on = threading.Event()

    def wait() -> None:
        going_on.wait(120)

    stage.app.before_request_funcs.setdefault(None, []).insert(0, wait)
    try:
        yield going_on
    finally:
        going_on.set()
        stage.app.before_request_funcs[None].remove(wait)


def window(browser: Browser) -> Page:
    return browser.new_context(viewport=PHONE, timezone_id="Asia/Jakarta").new_page()


def test_the_first_free_time_is_on_the_first_screen_of_a_small_phone(chromium: Browser, stage: Stage) -> None:
    with stage.served() as base:
        page = window(chromium)
        for with_portrait in (False, True):
            for prefix in LANGUAGES.values():
                open_times = go("/sari/sesi/?tz=Asia/Jakarta")
                (pictured(open_times) if with_portrait else open_times)(page, stage, base + prefix)
                assert page.locator("a[data-slot]").evaluate_all(BOTTOM) <= PHONE["height"]
                assert page.locator("img.face").count() == int(with_portrait)
        page.context.close()


def test_the_tapped_day_is_the_chosen_one_before_its_times_are_there(chromium: Browser, stage: Stage) -> None:
    with stage.served() as base:
        page = window(chromium)
        page.goto(f"{base}/sari/sesi/?tz=Asia/Jakarta")
        page.wait_for_function(SWAPS)
        tapped = page.locator(OTHER).first
        name, before = tapped.get_attribute("id"), page.locator("h2#day").inner_text()
        with held(stage) as going_on:
            tapped.click()
            page.locator(".turning .bands").wait_for()
            assert page.evaluate(CHOSEN) == name
            assert page.locator("h2#day").inner_text() == before
            going_on.set()
            page.wait_for_function("before => document.getElementById('day').innerText !== before", arg=before)
        assert page.evaluate(CHOSEN) == name
        assert page.locator(".turning").count() == 0
        page.context.close()


def test_where_the_times_cannot_come_the_old_day_is_the_chosen_one_again(chromium: Browser, stage: Stage) -> None:
    with stage.served() as base:
        page = window(chromium)
        page.goto(f"{base}/sari/sesi/?tz=Asia/Jakarta")
        page.wait_for_function(SWAPS)
        before = page.evaluate(CHOSEN)
        page.context.set_offline(True)
        page.locator(OTHER).first.click()
        page.locator("#live.notice").wait_for()
        assert page.evaluate(CHOSEN) == before
        assert page.locator(".turning").count() == 0
        page.context.close()


def test_a_tapped_time_shows_that_it_was_and_looks_as_before_on_the_way_back(chromium: Browser, stage: Stage) -> None:
    with stage.served() as base:
        page = window(chromium)
        page.goto(f"{base}/sari/sesi/?tz=Asia/Jakarta")
        assert page.evaluate(TAP) == "going"
        page.locator("main[data-state='form']").wait_for()
        page.go_back()
        page.locator("a[data-slot]").first.wait_for()
        assert page.locator("a.going").count() == 0
        page.context.close()


def test_the_light_waits_while_a_booking_is_settled_and_rises_when_it_is(chromium: Browser, stage: Stage) -> None:
    where = "() => getComputedStyle(document.querySelector('.light')).translate"
    with stage.served() as base:
        page = window(chromium)
        page.emulate_media(reduced_motion="reduce")
        page.goto(f"{base}{stage.book()}?tz=Asia/Jakarta")
        page.locator("main[data-state='confirming']").wait_for()
        assert page.evaluate(where) != "none"
        stage.put_in_state("confirmed")
        page.locator("main[data-state='confirmed']").wait_for()
        assert page.evaluate(where) == "none"
        stage.put_in_state("cancelled")
        page.goto(f"{base}/manage")
        assert page.locator(".light").is_hidden()
        page.context.close()


def test_the_drawn_portrait_is_as_heavy_as_a_photograph_where_that_is_measured() -> None:
    assert len(likeness.draw(grain=0.16)) > 2 * len(likeness.draw())
