"""Draws static/card.png, the picture beside a shared link: the valley in the morning, no words and nobody's name."""

from playwright.sync_api import Page

from tests.conftest import ROOT
from tests.flow.browser import chromium

from .small_png import shrink

SIZE = {"width": 1200, "height": 630}
PAGE = """<!DOCTYPE html><html><body style="margin:0"><svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1200 630"
 width="1200" height="630" style="display:block"><rect width="1200" height="630" fill="#e4eef0"/>
<circle cx="330" cy="300" r="92" fill="#f6d788"/>
<path fill="#d5e2ea" d="M0 330C150 230 270 290 420 312S660 190 800 232s250 120 400 40v400H0z"/>
<path fill="#a9bfd3" d="M0 420c170-90 310-14 470-28s260-104 420-56 200 62 310 12v400H0z"/>
<path fill="#6f8bb4" d="M0 510c160-60 330-50 520-38s300-24 430-22 170 22 250 38v200H0z"/>
<g fill="none" stroke="#2a3f86" stroke-width="9" stroke-linejoin="round"><rect x="500" y="238" width="200" height="140"
 rx="10" fill="#fff"/><path d="m506 246 94 72 94-72"/></g><circle cx="600" cy="322" r="24" fill="#a8261b"/>
</svg></body></html>"""


def draw(page: Page) -> bytes:
    """The picture as PNG."""
    page.set_content(PAGE)
    return shrink(page.screenshot())


def main() -> None:
    """Draw it into the static folder."""
    with chromium() as browser:
        picture = draw(browser.new_page(viewport=SIZE))
    (ROOT / "static" / "card.png").write_bytes(picture)


if __name__ == "__main__":
    main()
