"""Every state × language × theme × width before the judges: `python -m tests.quality.every_state [PART OF A NAME]`.

One stage is set for each state and language; theme and width are changed under the open page. Nothing may be found.
"""

import logging
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

from playwright.sync_api import Browser
from playwright.sync_api import Page
from playwright.sync_api import Response

from tests.flow.browser import chromium
from tests.web.gallery import LANGUAGES
from tests.web.gallery import STATES
from tests.web.gallery import THEMES
from tests.web.gallery import Stage
from tests.web.gallery import Step

from . import judges
from . import pseudo

WIDTHS = (320, 360, 768, 1200)
HEIGHT = 800


def look(browser: Browser, step: Step, prefix: str, pages: Path, name: str) -> Iterator[str]:
    """Findings of axe and of the eye for what is too wide, in one state; its HTML is put aside for the others."""
    with TemporaryDirectory() as instance:
        stage = Stage(Path(instance) / "instance")
        with stage.served() as base:
            context = browser.new_context(viewport={"width": 360, "height": HEIGHT}, timezone_id="Asia/Jakarta")
            page = context.new_page()
            documents: list[Response] = []
            page.on("response", lambda answer: _keep(documents, answer))
            step(page, stage, base + prefix)
            (pages / f"{name}.html").write_text(documents[-1].text(), encoding="utf-8")
            for theme in THEMES:
                page.emulate_media(color_scheme=theme, reduced_motion="reduce")
                for width in WIDTHS:
                    page.set_viewport_size({"width": width, "height": HEIGHT})
                    yield from (f"{name}.{theme}.{width}: {said}" for said in _said(page))
            context.close()
        stage.close()


def listen(browser: Browser, step: Step, name: str) -> list[str]:
    """Texts of one state that were never translated, and words too long for the narrowest screen."""
    with TemporaryDirectory() as instance:
        stage = Stage(Path(instance) / "instance")
        with pseudo.spoken(stage.app), stage.served() as base:
            context = browser.new_context(viewport={"width": WIDTHS[0], "height": HEIGHT}, timezone_id="Asia/Jakarta")
            page = context.new_page()
            step(page, stage, base + LANGUAGES["en"])
            found = pseudo.untranslated(page) + judges.overflow(page)
            context.close()
        stage.close()
    return [f"{name}: {said}" for said in found]


def _keep(documents: list[Response], answer: Response) -> None:
    if answer.request.is_navigation_request() and not 300 <= answer.status < 400:
        documents.append(answer)


def _said(page: Page) -> list[str]:
    return judges.axe(page) + judges.overflow(page)


def every_state(only: str = "") -> tuple[str, list[str]]:
    """What was looked at, and all findings of all judges, over the states whose name holds `only`."""
    found: list[str] = []
    looks = 0
    with TemporaryDirectory() as folder, chromium() as browser:
        pages = Path(folder)
        for state, step in STATES.items():
            if only not in state:
                continue
            for language, prefix in LANGUAGES.items():
                found += look(browser, step, prefix, pages, f"{state}.{language}")
                looks += len(THEMES) * len(WIDTHS)
            found += listen(browser, step, f"{state}.pseudo")
        found += [f"html-validate: {said}" for said in judges.html_validate(pages)]
        found += [f"Nu checker: {said}" for said in judges.nu(pages)]
        looked = f"{len(list(pages.glob('*.html')))} pages, {looks} looks, {len(found)} findings"
    print(looked, flush=True)
    return looked, found


def main() -> None:
    """Look at everything, say what was found; exit with 1 where anything was."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    began = time.monotonic()
    _, found = every_state(sys.argv[1] if len(sys.argv) > 1 else "")
    print(*found, sep="\n", end="\n" if found else "")
    print(f"{time.monotonic() - began:.0f} s")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    main()
