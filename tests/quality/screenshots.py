"""The pictures of the documentation: `python -m tests.quality.screenshots [FOLDER]`. A real site, a real browser.

The demo coach is started on a free port, three visitors book, and the coach opens her desk with the demo's own key.
"""

import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from playwright.sync_api import Browser
from playwright.sync_api import Page

from microsite.work import demo
from microsite.work import portrait
from tests import likeness
from tests.conftest import ROOT
from tests.conftest import Site
from tests.conftest import free_port
from tests.flow.backstage import backstage
from tests.flow.browser import Watched
from tests.flow.browser import chromium

from .small_png import shrink

OFFER, FIRST = "/sari/sesi/", "/sari/percakapan-pertama/"
PHONE, DESK, WIDE = (360, 720), (420, 860), (1040, 720)
SCALE = {PHONE: 2.0, DESK: 1.5, WIDE: 1.0}
CLIENTS = (
    ("Budi", "budi@example.com", "Tentang pekerjaan baru saya."),
    ("Ani", "ani@example.com", ""),
    ("Rani", "rani@example.com", "Boleh lebih pelan di awal?"),
)


class Camera(NamedTuple):
    """Takes pictures of one site into one folder."""

    browser: Browser
    site: Site
    folder: Path

    def window(self, size: tuple[int, int], theme: str = "light", locale: str = "id-ID") -> Watched:
        """A new, empty browser."""
        return Watched(
            self.browser,
            self.site.base,
            viewport={"width": size[0], "height": size[1]},
            device_scale_factor=SCALE[size],
            color_scheme=theme,
            locale=locale,
            timezone_id="Asia/Jakarta",
        )

    def keep(self, page: Page, name: str) -> None:
        """Write what the window shows, small."""
        page.evaluate("document.fonts.ready")
        page.mouse.move(0, 0)
        path = self.folder / f"{name}.png"
        path.write_bytes(shrink(page.screenshot(animations="disabled")))
        print(f"{path.name}: {path.stat().st_size / 1000:.0f} KB")


def picker(camera: Camera) -> None:
    """Choosing a time: on a phone by day and by night, and on a desk."""
    for name, size, theme, path in (
        ("offers", PHONE, "light", "/sari/"),
        ("picker-phone", PHONE, "light", OFFER),
        ("picker-phone-dark", PHONE, "dark", OFFER),
        ("picker-desktop", WIDE, "light", f"/en{OFFER}"),
    ):
        window = camera.window(size, theme)
        window.page.goto(path)
        camera.keep(window.page, name)
        window.close()


def booking(camera: Camera) -> None:
    """The form and what comes after it; and two more bookings, so that the desk has something to show."""
    for number, (name, email, note) in enumerate(CLIENTS):
        window = camera.window(PHONE)
        window.page.goto(OFFER if number else FIRST)
        if number:  # the first day may be nearly over; the coming week is whole
            window.page.goto(str(window.page.locator("#later").get_attribute("href")))
        window.page.locator("main a[data-slot]").nth(number).click()
        window.state("form")
        window.fill_in(name=name, email=email, note=note)
        if not number:
            window.page.locator("h1").click()
            camera.keep(window.page, "form")
        window.submit("/book")
        window.state("confirmed")
        if not number:
            camera.keep(window.page, "confirmed")
        window.close()


def desk(camera: Camera) -> None:
    """The coach's desk, with names and notes opened in her browser."""
    window = camera.window(DESK)
    page = window.page
    page.goto(camera.site.welcome["desk"])
    page.locator("main form button").click()
    window.state("desk")
    identity = (camera.site.instance / "demo-identity.txt").read_text().splitlines()[-1]
    page.locator("#vault summary").click()
    page.locator("#identity").fill(identity)
    page.locator("form[data-open='identity'] button").click()
    page.locator("[data-opened]:not([hidden])").first.wait_for()
    page.evaluate("window.scrollTo(0, 0)")
    camera.keep(page, "desk")
    page.goto("/desk/calendars")
    camera.keep(page, "desk-calendars")
    window.close()


def main() -> None:
    """Start the site, take the pictures, stop it."""
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "docs" / "images"
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory() as place, chromium() as browser:
        site = Site(Path(place) / "instance", free_port()).start()
        try:
            camera = Camera(browser, site, folder)
            with backstage(site) as services:
                portrait.keep(services, demo.SLUG, likeness.draw())
            picker(camera)
            booking(camera)
            desk(camera)
        finally:
            site.stop()


if __name__ == "__main__":
    main()
