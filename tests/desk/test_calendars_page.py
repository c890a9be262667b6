"""The coach sees in plain words which of her events cannot be taken as they stand, and which calendar is closed."""

import html

import pytest

from microsite.core.mirror import Reading
from microsite.core.oddities import ODDITIES
from microsite.core.oddities import WITHDRAWN
from microsite.core.spans import Spans

from .conftest import Pages
from .hands import Coach


@pytest.mark.parametrize("code", ODDITIES)
def test_an_odd_event_is_told_at_the_desk(pages: Pages, code: str) -> None:
    soon = Spans.of([(pages.now + 86_400, pages.now + 90_000)]).pack()
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("one", "sari", "https://cal.example/one/", "Kerja", {"busy"})
        tx.mirror.touch("one", last_ok_at=pages.now)
        tx.mirror.put_readings("one", [Reading(href="/a", etag="1", uid="a", spans=soon, warning=code)])
    coach = Coach(pages)
    coach.enter()
    page = html.unescape(coach.client.get("/desk/calendars").text)
    assert ODDITIES[code].id in page or ODDITIES[code].en in page


def test_a_withdrawn_permission_is_told_at_the_desk(pages: Pages) -> None:
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("one", "sari", "https://cal.example/one/", "Kerja", {"busy"}, profile="google")
        tx.mirror.touch("one", last_ok_at=pages.now - 600, first_failed_at=pages.now - 300, problem="CalendarRefused")
    coach = Coach(pages)
    coach.enter()
    page = html.unescape(coach.client.get("/desk/calendars").text)
    assert 'class="trouble"' in page and "Kerja" in page
    assert WITHDRAWN.id in page or WITHDRAWN.en in page
