"""The recovery sheet on paper: read back with a slip, and years later typed into another phone, with another slip."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.conftest import Site
from tests.conftest import free_port

from .window import CoachWindow

pytestmark = pytest.mark.browser
PHONE = {"viewport": {"width": 360, "height": 640}}


@pytest.fixture(name="home")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    running = Site(tmp_path_factory.mktemp("sheet") / "instance", free_port()).start()
    yield running
    running.stop()


def test_a_slip_is_named_and_costs_nothing_else_that_was_typed(chromium: Browser, home: Site) -> None:
    coach = CoachWindow(chromium, home, **PHONE)
    coach.enter()
    coach.page.goto("/desk/keys/new")
    groups = _up_to_the_sheet(coach, (home.instance / "demo-identity.txt").read_text())
    for number, group in enumerate(groups[-4:]):
        coach.page.locator(".groups-back input").nth(number).fill("not this" if number == 2 else group)
    coach.page.locator("form[data-go=finish] button[type=submit]").click()
    coach.page.locator("[data-step=back] [data-wrong]").wait_for()
    marked = coach.page.locator(".groups-back input[aria-invalid=true]")
    assert [each.get_attribute("id") for each in marked.all()] == ["group-11"]
    marked.fill(groups[-2])
    coach.page.locator("form[data-go=finish] button[type=submit]").click()
    coach.state("desk")
    coach.close()

    other = CoachWindow(chromium, home, passkeys=False, **PHONE)
    other.page.goto("/desk")
    other.page.locator("summary", has_text="lembar pemulihan").click()
    other.page.locator("form[action$='/desk/key'] button").click()
    other.state("desk-key")
    typed = other.page.locator("#identity")
    slip = " ".join(groups).replace(groups[0].split()[0], "qwertz", 1)
    typed.fill(slip)
    other.page.locator("[data-open=identity] button").click()
    wrong = other.page.locator("#key [data-wrong]")
    wrong.wait_for()
    assert "qwertz" in wrong.inner_text()
    assert typed.input_value() == slip
    typed.fill(" ".join(groups))
    other.page.locator("[data-open=identity] button").click()
    other.state("desk")
    assert other.complaints == []
    other.close()


def _up_to_the_sheet(coach: CoachWindow, earlier: str) -> list[str]:
    page = coach.page
    first = page.locator("[data-step=earlier]")
    if first.is_visible():
        if not first.locator("#identity").is_visible():
            first.locator("summary", has_text="pemulihan").click()
        first.locator("#identity").fill(earlier)
        first.locator("[data-open=identity] button").click()
    page.locator("[data-go=passphrase]").click()
    words = page.locator("#words")
    words.wait_for()
    page.locator("#again").fill(words.inner_text())
    page.locator("form[data-go=make-keys] button[type=submit]").click()
    page.locator("#sheet").wait_for()
    groups = page.locator("#sheet .groups li").all_inner_texts()
    page.locator("button[data-go=back]").click()
    return groups
