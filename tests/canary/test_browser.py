"""In a real browser: no address, referrer, cookie, storage or history entry holds what was typed, nor the link."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Request

from tests.conftest import Site
from tests.flow.browser import NOTHING
from tests.flow.browser import Watched
from tests.flow.browser import chromium
from tests.flow.coach import Mailbox

from . import sinks
from .life import LINK
from .life import OFFER
from .life import ZONE
from .life import ZONE_MARKERS
from .life import Words
from .places import BROWSER_PLACES
from .places import unmet
from .places import unplaced
from .sinks import Found
from .sinks import Piece
from .sinks import search

pytestmark = pytest.mark.browser
MEMORY = """() => JSON.stringify([location.href, document.referrer, document.title, history.state, window.name,
  performance.getEntries().map(entry => entry.name)])"""


def exchanges(window: Watched) -> Iterator[Piece]:
    """Every request of the window as it went over the wire, with what came back."""
    for request in window.asked:
        if request.url.startswith("data:"):
            continue
        answer = request.response()
        assert answer is not None, request.url
        headers = [(each["name"], each["value"]) for each in answer.headers_array()]
        yield from sinks.exchange("client", request.method, request.url, _sent(request), answer.status, headers, b"")


def _sent(request: Request) -> dict[str, str]:
    found = request.all_headers()
    return {"Referer": found["referer"]} if "referer" in found else {}


@pytest.fixture(scope="module", name="seen")
def _seen(site: Site) -> Iterator[tuple[list[Found], list[Piece], dict[str, object]]]:
    """A booking from the picker to «confirmed», then the link of the mail in a window that was elsewhere before."""
    words = Words.new()
    with chromium() as browser:
        window = Watched(browser, site.base, timezone_id=ZONE)
        page = window.page
        page.goto(f"{OFFER}?tz={ZONE}")
        page.locator("main a[data-slot]").last.click()
        window.state("form")
        window.fill_in(**words.typed)
        kept = window.kept
        window.submit("/book")
        window.state("confirmed")
        link = LINK.search(Mailbox(site.instance / "mail").wait(words.typed["email"], 1)[0].text)
        assert link is not None
        pieces = [Piece("browser", urlsplit(page.url).path, page.evaluate(MEMORY).encode())]
        page.goto(f"/sari/privacy?{'x' * 9}")
        page.goto(link[0])
        pieces += [Piece("browser", urlsplit(page.url).path, page.evaluate(MEMORY).encode())]
        pieces += [Piece("browser", "storage", json.dumps(window.kept).encode())]
        pieces += exchanges(window)
        window.close()
    markers: sinks.Markers = {
        "name": [words.name],
        "e-mail": [words.email],
        "note": [words.note],
        "zone": list(ZONE_MARKERS),
        "manage link": [link[1]],
    }
    yield search(pieces, markers), pieces, kept


Seen = tuple[list[Found], list[Piece], dict[str, object]]


def test_a_browser_shows_words_and_links_in_their_places_only(seen: Seen) -> None:
    assert "\n".join(map(str, unplaced(seen[0], BROWSER_PLACES))) == ""


def test_every_named_place_of_a_browser_was_met(seen: Seen) -> None:
    assert "\n".join(map(str, unmet(seen[0], BROWSER_PLACES))) == ""


def test_nothing_was_stored_before_the_form_was_sent(seen: Seen) -> None:
    assert seen[2] == NOTHING


def test_referrers_were_sent_and_seen(seen: Seen) -> None:
    """Else the search for words in them proves nothing."""
    assert sum(piece.sink == "referrer" for piece in seen[1]) > 3
