"""No request and no job ever waits on the site's own port, also when all its threads are busy booking."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from threading import Barrier

import pytest

from tests.conftest import Site
from tests.flow.coach import CalendarApp
from tests.flow.sockets import Watch
from tests.flow.sockets import can_be_seen
from tests.flow.visitor import Page
from tests.flow.visitor import Visitor
from tests.flow.visitor import at
from tests.flow.visitor import reference
from tests.flow.visitor import wait_like_a_person

SESSION = "/sari/sesi/"
SECONDS = 60.0
"""A site that waited on itself would sit out its own time-outs, fail the bookings, and never confirm."""


def slots_of_different_days(visitor: Visitor, count: int) -> list[str]:
    """One free slot of each of so many days, from a week away on."""
    found: list[str] = []
    day = datetime.now(UTC) + timedelta(days=7)
    while len(found) < count:
        slots = visitor.get(SESSION, day=f"{day:%Y-%m-%d}", tz="UTC").slots
        day = at(slots[-1]) + timedelta(days=1)
        found.append(slots[-1])
    return found


def book_at_once(site: Site, slots: list[str]) -> list[Page]:
    """As many visitors as slots, all pressing the button together; their pages once confirmed."""
    gate = Barrier(len(slots))

    def one(slot: str) -> Page:
        visitor = Visitor(site.base)
        form = visitor.form(SESSION, slot)
        wait_like_a_person(form.seen_at)
        gate.wait(SECONDS)
        visitor.arrive(visitor.send_at_once(form))
        return visitor.wait_for("confirmed", SECONDS)

    with ThreadPoolExecutor(len(slots)) as pool:
        return list(pool.map(one, slots))


@pytest.mark.parametrize("visitors", [4, 8])
def test_as_many_bookings_at_once_as_there_are_threads_and_twice_as_many_are_all_confirmed(
    site: Site, app: CalendarApp, visitors: int
) -> None:
    assert site.process is not None
    assert can_be_seen(site.port)
    slots = slots_of_different_days(Visitor(site.base), visitors)

    with Watch(site.port, site.process.pid) as watch:
        pages = book_at_once(site, slots)

    refs = {reference(page) for page in pages}
    assert len(refs) == visitors
    assert refs <= {str(each.icalendar_component["SUMMARY"])[-4:] for each in app.titled("·")}
    assert watch.looks > 10
    assert watch.seen == []
