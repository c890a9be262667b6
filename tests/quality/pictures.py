"""`make gallery`: draws every state of every page and every letter into build/gallery, with a page to leaf through.

State × language × theme × width; besides, each state on paper and in forced colours. `make gallery ONLY=desk` draws
those whose name holds the word; `WIDTHS=360` those widths only.
"""

import logging
import os
import sys
from collections.abc import Iterator
from html import escape
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser
from playwright.sync_api import Page

from microsite.core.letters import SUBJECTS
from microsite.mail.render import Templates
from tests.conftest import ROOT
from tests.flow.browser import chromium
from tests.mail import letterbox
from tests.web.gallery import LANGUAGES
from tests.web.gallery import STATES
from tests.web.gallery import THEMES
from tests.web.gallery import Stage
from tests.web.gallery import Step

from .every_state import WIDTHS

HEIGHT = {320: 568, 360: 640, 768: 1024, 1200: 800}
MODES: dict[str, dict[str, str]] = {
    "paper": {"media": "print", "color_scheme": "light"},
    "forced": {"forced_colors": "active", "color_scheme": "dark"},
}
"""Drawn at one width only."""
PLAIN: dict[str, str] = {"media": "screen", "forced_colors": "none", "reduced_motion": "reduce"}


def draw(browser: Browser, widths: tuple[int, ...], only: str, folder: Path) -> Iterator[str]:
    """Draw all states whose name holds the word; yields the name of each picture."""
    for state, step in STATES.items():
        for language, prefix in LANGUAGES.items():
            if only in state:
                yield from _draw_state(browser, step, prefix, f"{state}.{language}", widths, folder)


def _draw_state(
    browser: Browser, step: Step, prefix: str, name: str, widths: tuple[int, ...], folder: Path
) -> Iterator[str]:
    with TemporaryDirectory() as instance:
        stage = Stage(Path(instance) / "instance")
        with stage.served() as base:
            context = browser.new_context(viewport={"width": 360, "height": 640}, timezone_id="Asia/Jakarta")
            page = context.new_page()
            page.emulate_media(**PLAIN)  # type: ignore[arg-type]
            step(page, stage, base + prefix)
            page.evaluate("document.fonts.ready")
            yield from looks(page, name, widths, folder)
            context.close()
        stage.close()


def looks(page: Page, name: str, widths: tuple[int, ...], folder: Path) -> Iterator[str]:
    """One page in both themes and all widths, on paper and in forced colours."""
    for theme in THEMES:
        page.emulate_media(**{**PLAIN, "color_scheme": theme})  # type: ignore[arg-type]
        for width in widths:
            yield _keep(page, f"{name}.{theme}.{width}", width, folder)
    for mode, media in MODES.items():
        page.emulate_media(**{**PLAIN, **media})  # type: ignore[arg-type]
        yield _keep(page, f"{name}.{mode}.360", 360, folder)


def _keep(page: Page, name: str, width: int, folder: Path) -> str:
    page.set_viewport_size({"width": width, "height": HEIGHT[width]})
    page.screenshot(path=folder / f"{name}.png", full_page=True, animations="disabled")
    return name


def letters(browser: Browser, widths: tuple[int, ...], only: str, folder: Path) -> Iterator[str]:
    """Every letter as a mail program shows its HTML."""
    templates = Templates(letterbox.TEMPLATES)
    page = browser.new_page()
    for kind in SUBJECTS:
        for language in LANGUAGES:
            name = f"letter-{kind}"
            if only in name:
                order = letterbox.order_for(letterbox.a_booking(), kind, language)
                page.set_content(templates.write(order).html)
                yield from looks(page, f"{name}.{language}", widths, folder)
    page.close()


def album(names: list[str]) -> str:
    """A page that shows all pictures, grouped by state."""
    groups: dict[str, list[str]] = {}
    for name in names:
        groups.setdefault(name.split(".")[0], []).append(name)
    rows = "".join(
        f"<h2>{escape(group)}</h2><p>{''.join(map(_picture, members))}</p>" for group, members in groups.items()
    )
    style = "body{font:14px sans-serif;background:#888}p{display:flex;gap:8px;overflow-x:auto;align-items:start}"
    return f"<!DOCTYPE html><title>Gallery</title><style>{style}img{{height:480px}}</style>{rows}"


def _picture(name: str) -> str:
    return f'<a href="{name}.png"><img src="{name}.png" alt="{name}" title="{name}" loading="lazy"></a>'


def main() -> None:
    """Draw, and say where the pictures are."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "build" / "gallery"
    folder.mkdir(parents=True, exist_ok=True)
    only = os.environ.get("ONLY", "")
    widths = tuple(map(int, os.environ.get("WIDTHS", "").split())) or WIDTHS
    with chromium() as browser:
        names = [*draw(browser, widths, only, folder), *letters(browser, widths, only, folder)]
    (folder / "index.html").write_text(album(names), encoding="utf-8")
    print(f"{len(names)} pictures in {folder}")


if __name__ == "__main__":
    main()
