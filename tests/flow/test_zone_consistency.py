"""The list of zones, the times, their label, the form and the calendar file never contradict one another.

What the site says is held against what the browser itself says about the same instants. The clock stands on 10 March
2027, so that the shown days lie on both sides of New York's change (14 March) and Lord Howe's (4 April, half an hour).
"""

import re
from collections.abc import Iterator
from datetime import UTC
from datetime import datetime
from pathlib import Path

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Page

from tests.conftest import wait_until
from tests.flow.browser import Watched
from tests.flow.browser import chromium
from tests.web.gallery import Stage

pytestmark = pytest.mark.browser
NOW = int(datetime(2027, 3, 10, 3, tzinfo=UTC).timestamp())
ZONES = {
    "Asia/Jakarta": "WIB",
    "Asia/Makassar": "WITA",
    "Asia/Jayapura": "WIT",
    "Asia/Kathmandu": "Kathmandu",
    "Asia/Kolkata": "Kolkata",
    "Asia/Tokyo": "Tokyo",
    "Australia/Lord_Howe": "Lord Howe",
    "America/New_York": "New York",
    "America/St_Johns": "John",
    "Pacific/Chatham": "Chatham",
    "Europe/Amsterdam": "Amsterdam",
    "Pacific/Kiritimati": "Kiritimati",
}
DAYS = ("2027-03-15", "2027-03-11", "2027-04-05")
CHANGING = {"Australia/Lord_Howe", "America/New_York", "America/St_Johns", "Pacific/Chatham", "Europe/Amsterdam"}
OWN_WORDS = """slots => slots.map(slot => {
  const at = new Date(slot.replace(/(....)(..)(..)T(..)(..)(..)Z/, '$1-$2-$3T$4:$5:$6Z'));
  const two = number => String(number).padStart(2, '0'), off = -at.getTimezoneOffset();
  return { hour: `${two(at.getHours())}:${two(at.getMinutes())}`, date: at.getDate(),
    offset: `UTC${off < 0 ? '−' : '+'}${two(Math.floor(Math.abs(off) / 60))}:${two(Math.abs(off) % 60)}` };
})"""
"""What the browser's own clock says of the slots."""


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    """One browser for this file."""
    with chromium() as browser:
        yield browser


@pytest.fixture(name="stage")
def _stage(tmp_path: Path) -> Iterator[tuple[Stage, str]]:
    """A coach in Jakarta in March 2027, and the address of her site."""
    stage = Stage(tmp_path / "instance")
    stage.now = NOW
    with stage.served() as base:
        yield stage, base
    stage.close()


def agrees(page: Page, city: str) -> list[str]:
    """Assert that everything on the picker speaks of the browser's own zone; answers the slots."""
    chosen = page.locator("#tz").input_value()
    links = page.locator("main a[data-slot]")
    slots: list[str] = links.evaluate_all("x => x.map(one => one.dataset.slot)")
    assert slots
    own = page.evaluate(OWN_WORDS, slots)
    label = page.locator(".day-head .zone").inner_text()
    assert page.locator("#picker").get_attribute("data-tz") == chosen
    assert set(links.evaluate_all("x => x.map(one => new URL(one.href).searchParams.get('tz'))")) == {chosen}
    assert links.evaluate_all("x => x.map(one => one.lastChild.textContent.trim())") == [each["hour"] for each in own]
    assert {str(each["date"]) for each in own} == {re.findall(r"\b\d{1,2}\b", page.locator("#day").inner_text())[0]}
    assert city in label
    if label not in {"WIB", "WITA", "WIT"}:
        assert own[0]["offset"] in label
    return slots


@pytest.mark.parametrize("zone", ZONES)
def test_the_visitors_own_zone_is_the_same_everywhere(browser: Browser, stage: tuple[Stage, str], zone: str) -> None:
    house, base = stage
    city = ZONES[zone]
    window = Watched(browser, base, timezone_id=zone, locale="en-GB")
    page = window.page
    for day in DAYS if zone in CHANGING else DAYS[:1]:
        page.goto(f"/en/sari/sesi/?day={day}")
        wait_until(lambda: city in page.locator(".day-head .zone").inner_text(), what=f"the times in {zone}")
        slots = agrees(page, city)
        assert page.evaluate("document.activeElement.id") != "day"  # nobody asked for it, so the focus stays

    link = page.locator(f"main a[data-slot='{slots[-1]}']")
    hour = link.evaluate("one => one.lastChild.textContent.trim()")
    link.click()
    window.state("form")
    assert page.locator(".chosen .hours").inner_text().startswith(hour)
    assert city in page.locator(".chosen .zone").inner_text()
    page.locator("#name").fill("Budi")
    page.locator("#email").fill("budi@example.com")
    house.now += 5
    page.locator("form.details button[type=submit]").click()
    window.state("confirming")
    house.put_in_state("confirmed")
    page.goto(f"/en/manage?tz={zone}")

    assert page.locator(".ticket .hours").first.inner_text().startswith(hour)
    assert city in page.locator(".ticket .zone").first.inner_text()
    ics = page.evaluate("fetch('/en/manage/session.ics').then(answer => answer.text())")
    assert f"DTSTART:{slots[-1]}" in ics
    window.close()
    assert window.complaints == []


def test_another_zone_chosen_before_htmx_is_there_asks_for_the_whole_page(
    browser: Browser, stage: tuple[Stage, str]
) -> None:
    """A change that nobody hears would leave times of one zone under the name of another: an hour wrong."""
    window = Watched(browser, stage[1], timezone_id="Asia/Makassar", locale="en-GB")
    window.page.route("**/htmx.min.js", lambda route: route.abort())
    window.page.goto("/en/sari/sesi/?tz=Asia/Jakarta")

    window.page.locator("#tz").select_option("Asia/Makassar")

    window.page.wait_for_url("**tz=Asia%2FMakassar*")
    agrees(window.page, "WITA")
    window.close()


def test_a_restored_choice_never_contradicts_the_times(browser: Browser, stage: tuple[Stage, str]) -> None:
    window = Watched(browser, stage[1], timezone_id="Asia/Makassar", locale="en-GB")
    page = window.page
    page.goto("/en/sari/sesi/?tz=Asia/Makassar")
    page.evaluate("document.getElementById('tz').value = 'Asia/Tokyo'")

    page.evaluate("dispatchEvent(new PageTransitionEvent('pageshow', { persisted: true }))")  # as Back does

    agrees(page, "WITA")
    window.close()


def test_the_neighbouring_day_is_fetched_ahead_once_and_used(browser: Browser, stage: tuple[Stage, str]) -> None:
    window = Watched(browser, stage[1], timezone_id="Asia/Jakarta", locale="en-GB")
    page = window.page
    page.goto("/en/sari/sesi/?tz=Asia/Jakarta&day=2027-03-15")
    window.swaps()
    before = len(window.asked)
    day = page.locator(".days a:not([aria-current])").first

    with page.expect_request(lambda asked: "day=" in asked.url):
        day.hover()
    slots = window.slots()
    day.click()
    wait_until(lambda: window.slots() != slots, what="the other day")

    ahead = [each for each in window.asked[before:] if each.resource_type != "other"]  # but for the favicon
    assert [each.resource_type for each in ahead] == ["fetch"]
    assert ahead[0].headers["hx-request"] == "true"
    wait_until(lambda: page.evaluate("document.activeElement.id") == "day", what="the focus at the chosen day")
    window.close()
