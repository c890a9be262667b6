"""Refusals to htmx: a page's content is replaced, never a page put inside a page."""

from .conftest import Pages
from .test_visitor import HTMX


def test_a_refusal_under_htmx_takes_the_place_of_the_content(pages: Pages) -> None:
    for path, status in (("/nobody/x/", 404), ("/manage", 404), ("/sari/sesi/book?slot=x", 404)):
        answer = pages.get(path, headers=HTMX)
        assert answer.status_code == status
        assert answer.text.strip().startswith("<main")
        assert "<html" not in answer.text
        assert answer.headers["HX-Retarget"] == "#main"
        assert answer.headers["HX-Reswap"] == "outerHTML"
        assert answer.headers["HX-Push-Url"] == "false"


def test_an_unread_calendar_answers_htmx_with_the_picker_in_that_state(pages: Pages) -> None:
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("c1", "sari", "https://dav.example/", "Sesi", {"busy"}, username="sari")
    answer = pages.get("/sari/sesi/", headers=HTMX)
    assert answer.status_code == 503
    assert answer.text.strip().startswith('<section id="picker"')
    assert "HX-Retarget" not in answer.headers
