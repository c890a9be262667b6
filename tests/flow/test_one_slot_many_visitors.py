"""Never two people in one slot: 32 visitors in four processes press the button at the same moment."""

import time
from datetime import datetime
from datetime import timedelta

from tests.conftest import Site
from tests.flow.backstage import change_offer
from tests.flow.backstage import states
from tests.flow.backstage import wait_until_all_is_told
from tests.flow.coach import CalendarApp
from tests.flow.coach import Mailbox
from tests.flow.crowd import Outcome
from tests.flow.crowd import all_at_once
from tests.flow.crowd import typed
from tests.flow.visitor import TYPED
from tests.flow.visitor import Visitor
from tests.flow.visitor import at
from tests.flow.visitor import reference
from tests.flow.visitor import slot_of
from tests.flow.visitor import slots_from
from tests.waiting import PATIENCE

FIRST, SESSION = "/sari/percakapan-pertama/", "/sari/sesi/"


def _overlapping(site: Site) -> list[tuple[str, str]]:
    """Four wishes of two offers and two steps that all want the same quarter of an hour."""
    change_offer(site, "sari", "percakapan-pertama", step=15)
    visitor = Visitor(site.base)
    minutes = {(SESSION, 0): 60, (SESSION, 30): 60, (FIRST, 30): 30, (FIRST, 45): 30}
    start = _start_of_all(visitor, list(minutes))
    for one, length in minutes.items():
        for other in minutes:
            assert one[1] < other[1] + minutes[other] and other[1] < one[1] + length
    wishes = [(offer, slot_of(start + timedelta(minutes=late))) for offer, late in minutes]
    for offer, slot in wishes:
        assert visitor.form(offer, slot).status == 200
    return wishes


def _start_of_all(visitor: Visitor, wishes: list[tuple[str, int]]) -> datetime:
    """The first start for which each of the wishes (offer, minutes later) is free: on some days hours are too short."""
    for days in range(4, 14):
        free = {offer: set(slots_from(visitor, offer, days)) for offer, _ in wishes}
        for slot in sorted(free[SESSION]):
            if all(slot_of(at(slot) + timedelta(minutes=late)) in free[offer] for offer, late in wishes):
                return at(slot)
    raise AssertionError("no start is good for all of them")


def test_of_32_visitors_who_want_overlapping_times_exactly_one_gets_hers(fresh_site: Site) -> None:
    wishes = _overlapping(fresh_site)

    outcomes = all_at_once(fresh_site.base, wishes)

    (winner,) = [each for each in outcomes if each.status == 303]
    losers = [each for each in outcomes if each.status != 303]
    assert {(each.status, each.state) for each in losers} == {(409, "taken")}
    for each in losers:
        assert {name: each.kept[name] for name in TYPED} == typed(each.number)
        assert len(each.fresh) == 3
        assert not each.cookies
    _one_booking_one_event_one_letter(fresh_site, winner)


def _one_booking_one_event_one_letter(site: Site, winner: Outcome) -> None:
    visitor = Visitor(site.base)
    page = visitor.ask("GET", winner.own_page, headers={"Cookie": f"manage={winner.cookies['manage']}"})
    deadline = time.monotonic() + PATIENCE
    while page.state != "confirmed":
        assert time.monotonic() < deadline, page.state
        page = visitor.ask("GET", winner.own_page, headers={"Cookie": f"manage={winner.cookies['manage']}"})
    assert states(site, "sari") == ["confirmed"]
    app = CalendarApp.of(site.welcome)
    (event,) = app.calendars["bookings"].get_events()
    assert reference(page) in str(event.icalendar_component["SUMMARY"])
    app.close()
    wait_until_all_is_told(site)
    assert sorted(letter.to for letter in Mailbox(site.instance / "mail").letters()) == [
        "sari@example.org",
        f"tamu-{winner.number}@example.com",
    ]


def test_a_visitor_who_came_too_late_chooses_another_time_in_the_same_form(site: Site) -> None:
    late, quick = Visitor(site.base), Visitor(site.base)
    slot = slots_from(late, SESSION, 10)[0]
    form = late.form(SESSION, slot)
    quick.book(SESSION, slot)

    refused = late.send(form, **typed(1))

    assert (refused.status, refused.state) == (409, "taken")
    again = refused.post_form()
    assert {name: again.fields[name] for name in TYPED} == typed(1)
    answer = late.post(again.action, {**again.fields, again.choices[0]["name"]: again.choices[0]["value"]})
    late.arrive(answer)
    assert late.wait_for("confirmed").status == 200
    assert quick.wait_for("confirmed").status == 200
