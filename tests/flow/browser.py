"""Chromium, watched: everything it asks for, complains about, or keeps."""

import glob
import os
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Locator
from playwright.sync_api import Page
from playwright.sync_api import Request
from playwright.sync_api import Response
from playwright.sync_api import sync_playwright

from tests.flow.visitor import host_of
from tests.flow.visitor import wait_like_a_person
from tests.waiting import PATIENCE
from tests.waiting import wait_until

FLAGS = (
    "--headless=new --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking"
    " --disable-component-update --disable-sync"
).split()
MISSING = (
    "There is no Chromium for the browser tests. Install it with the system's package manager (apt-get install"
    " chromium), or run: .venv/bin/python -m playwright install chromium"
)
KEPT = """async () => ({
  local: localStorage.length, session: sessionStorage.length, cookies: document.cookie,
  databases: (await indexedDB.databases()).length, caches: (await caches.keys()).length,
  workers: (await navigator.serviceWorker.getRegistrations()).length,
})"""
NOTHING = {"local": 0, "session": 0, "cookies": "", "databases": 0, "caches": 0, "workers": 0}


def executable() -> str:
    """The browser of the machine, else the one Playwright brought; without either the test fails and says so."""
    own = sorted(glob.glob(os.path.expanduser("~/.cache/ms-playwright/chromium*/chrome-linux*/chrome")))
    found = shutil.which("chromium") or shutil.which("chromium-browser") or (own[-1] if own else None)
    if found is None:
        pytest.fail(MISSING, pytrace=False)
    return found


@contextmanager
def chromium() -> Iterator[Browser]:
    """A running browser."""
    path = executable()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS)
        yield browser
        browser.close()


class Watched:
    """One window of one person, and what was seen while she used it."""

    def __init__(self, browser: Browser, base: str, **options: Any) -> None:
        self.base = base
        self.context = browser.new_context(base_url=base, **{"locale": "id-ID", **options})
        self.context.set_default_timeout(PATIENCE * 1000)
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.asked: list[Request] = []
        self.answers: list[Response] = []
        self.page.on("console", lambda said: self._heard(said.type, said.text))
        self.page.on("pageerror", lambda error: self.complaints.append(f"page error: {error}"))
        self.page.on("requestfailed", self._failed)
        self.page.on("request", lambda request: self.asked.append(request))
        self.page.on("response", lambda answer: self.answers.append(answer))

    def _heard(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"}:
            self.complaints.append(f"{kind}: {text}")

    def _failed(self, request: Request) -> None:
        if request.failure != "net::ERR_ABORTED":  # left before it was there
            self.complaints.append(f"failed: {request.url}")

    @property
    def foreign(self) -> list[str]:
        """Every address asked for that is not the site's."""
        here = host_of(self.base)
        return [each.url for each in self.asked if host_of(each.url) != here and not each.url.startswith("data:")]

    @property
    def kept(self) -> dict[str, object]:
        """What the browser stores for this site, cookies apart."""
        found: dict[str, object] = self.page.evaluate(KEPT)
        return found

    def days(self) -> Locator:
        """The links to other days and weeks than the one that is shown."""
        return self.page.locator("main a[href*='day=']:not([aria-current]):visible")

    def slots(self) -> list[str]:
        """The slots on the page."""
        found: list[str] = self.page.locator("main a[data-slot]").evaluate_all(
            "links => links.map(link => link.dataset.slot)"
        )
        return found

    def swaps(self) -> None:
        """Wait until the page swaps in place: htmx comes after the first paint, until then links are links."""
        # Asked from here: what the page would evaluate again by itself, its own policy forbids.
        wait_until(lambda: self.page.evaluate("Boolean(window.htmx)"), what="htmx")
        self.page.evaluate("new Promise(done => setTimeout(() => done(true), 20))")

    def state(self, name: str) -> Locator:
        """The page's main part in that state, once it is there."""
        found = self.page.locator(f"main[data-state='{name}']")
        found.wait_for()
        return found

    def fill_in(self, **typed: str) -> None:
        """Type into the form as a person does: not faster than one."""
        shown_at = time.time()
        for name, text in typed.items():
            self.page.locator(f"form [name='{name}']").fill(text)
        wait_like_a_person(shown_at)

    def submit(self, action: str) -> None:
        """Press the button of the form that posts there, opening what hides it."""
        form = self.page.locator(f"form[method='post'][action*='{action}']")
        button = form.locator("button[type='submit']")
        if not button.is_visible():
            self.page.locator("details", has=form).locator("summary").click()
        button.click()

    def close(self) -> None:
        """Close the window."""
        self.context.close()
