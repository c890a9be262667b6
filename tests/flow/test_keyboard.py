"""The whole journey by keyboard alone: where the focus goes, in which order, and what a screen reader would say."""

import time
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import Site
from tests.conftest import wait_until
from tests.flow.browser import Watched
from tests.flow.browser import chromium
from tests.flow.visitor import wait_like_a_person

pytestmark = pytest.mark.browser
OFFER = "/en/sari/sesi/"
FOCUS = """() => { const one = document.activeElement; return one === document.body ? '' :
  one.id || one.name || one.className || one.tagName.toLowerCase(); }"""
RING = """() => { const one = document.activeElement, style = getComputedStyle(one);
  return style.outlineStyle !== 'none' || getComputedStyle(one.closest('.card') ?? one).outlineStyle !== 'none'; }"""


@pytest.fixture(name="sari")
def _sari(site: Site) -> Iterator[Watched]:
    """A visitor without a mouse, in the coach's zone."""
    with chromium() as browser:
        window = _window(browser, site)
        yield window
        window.close()
        assert [each for each in window.complaints if "422" not in each] == []  # said of a form sent back, too


def _window(browser: Browser, site: Site) -> Watched:
    return Watched(browser, site.base, timezone_id="Asia/Jakarta", locale="en-GB")


def focus(window: Watched) -> str:
    """What has the focus: its id, else its name, class or kind."""
    found: str = window.page.evaluate(FOCUS)
    return found


def tab(window: Watched, selector: str, most: int = 60) -> list[str]:
    """Press Tab until something is reached; answers the stops on the way, each of which must be seen to have it."""
    stops = []
    for _ in range(most):
        window.page.keyboard.press("Tab")
        stops.append(focus(window))
        assert window.page.evaluate(RING), f"nothing shows where the focus is: {stops}"
        if window.page.evaluate("s => document.activeElement.matches(s)", selector):
            return stops
    raise AssertionError(f"{selector} is not reached: {stops}")


def test_a_session_is_booked_and_cancelled_by_keyboard_alone(sari: Watched) -> None:
    page = sari.page
    page.goto("/en/sari/")
    assert tab(sari, f"a[href='{OFFER}']")[0] == "skip"
    page.keyboard.press("Enter")
    sari.state("times")
    sari.swaps()
    tab(sari, "#later")
    page.keyboard.press("Enter")
    wait_until(lambda: focus(sari) == "day", what="the focus at the next week's first day")
    tab(sari, "main a[data-slot]")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    sari.state("form")
    tab(sari, "#name")
    shown = time.time()
    page.keyboard.type("Budi")
    assert tab(sari, "#email") == ["email"]
    page.keyboard.type("keyboard@example.com")
    assert tab(sari, "#note") == ["note"]
    page.keyboard.type("Satu")
    assert tab(sari, "form.details button") == ["button"]
    wait_like_a_person(shown)
    page.keyboard.press("Enter")
    sari.state("confirmed")

    tab(sari, ".cancel summary, a[href*='/manage/cancel']")
    page.keyboard.press("Enter")
    tab(sari, "form[action*='/manage/cancel'] button")
    page.keyboard.press("Enter")
    sari.state("cancelled")


def test_the_focus_goes_from_the_zone_to_the_days_to_the_times_to_the_month(sari: Watched) -> None:
    sari.page.goto(OFFER)
    days = sari.page.locator(".days a").evaluate_all("x => x.map(one => one.id)")
    slots = len(sari.slots())

    stops = tab(sari, ".month summary")

    assert stops[:3] == ["skip", "brand", "a"]
    after = stops[stops.index("tz") :]
    after = [each for each in after if each not in {"earlier", "later", "earliest"}]
    assert after == ["tz", *days, *["a"] * slots, "summary"]


def test_each_time_is_read_out_with_its_full_date(sari: Watched) -> None:
    sari.page.goto(OFFER)
    day = sari.page.locator("#day").inner_text()
    links = sari.page.locator("main a[data-slot]")

    for each in range(links.count()):
        hour = links.nth(each).evaluate("one => one.lastChild.textContent.trim()")
        assert sari.page.get_by_role("link", name=f"{day}, {hour}", exact=True).count() == 1
    weekday = day.split(",")[0]
    assert weekday in {"Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday"}


def test_arrows_walk_from_day_to_day_and_the_focus_waits_at_the_new_day(sari: Watched) -> None:
    page = sari.page
    page.goto(OFFER)
    sari.swaps()
    first, slots = page.locator("#day").inner_text(), sari.slots()
    tab(sari, ".days a[aria-current]")

    page.keyboard.press("ArrowRight")
    wait_until(lambda: sari.slots() != slots, what="the next day")

    wait_until(lambda: focus(sari) == "day", what="the focus at the new day")
    assert page.locator("#day").inner_text() != first
    page.keyboard.press("ArrowLeft")
    wait_until(lambda: sari.slots() == slots, what="the first day again")
    assert page.locator("#day").inner_text() == first
    assert page.locator("#live").inner_text() == ""  # the heading is read out already


def test_leafing_through_the_months_stays_in_the_month(sari: Watched) -> None:
    page = sari.page
    page.goto(OFFER)
    sari.swaps()
    tab(sari, ".month summary")
    page.keyboard.press("Enter")
    tab(sari, "#month-after")
    page.keyboard.press("Enter")

    wait_until(lambda: page.evaluate("document.activeElement.tagName") == "CAPTION", what="the focus at the month")
    assert page.locator("details.month").get_attribute("open") is not None


def test_errors_take_the_focus_and_lead_to_their_fields(sari: Watched) -> None:
    page = sari.page
    page.goto(OFFER)
    tab(sari, "main a[data-slot]")
    page.keyboard.press("Enter")
    sari.state("form")
    tab(sari, "form.details button")
    page.keyboard.press("Enter")

    page.locator("#problem").wait_for()
    wait_until(lambda: focus(sari) == "problem", what="the focus at the summary")
    tab(sari, "#problem a")
    page.keyboard.press("Enter")
    wait_until(lambda: focus(sari) == "name", what="the focus at the field")
    described = page.locator("#name").get_attribute("aria-describedby") or ""
    assert described.split()[0] == "name-error"
    assert page.locator("#name").get_attribute("aria-invalid") == "true"
