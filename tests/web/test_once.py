"""A form that arrives twice, and the way back after booking: on a slow network people press again and go back."""

from pathlib import Path

import pytest

from microsite.core.bookings import CANCELLED
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.services import Services
from microsite.work import look
from microsite.work.invite import invite

from .conftest import Pages
from .conftest import settings
from .test_visitor import state

BUDI = {"name": "Budi", "email": "budi@example.com", "note": "halo"}


def bookings(services: Services) -> int:
    """How many living bookings there are."""
    with services.store.read() as tx:
        return len(tx.bookings.live("sari"))


def test_a_form_that_arrives_twice_books_once_and_leads_to_its_booking_both_times(pages: Pages) -> None:
    fields = {**pages.form(), **BUDI}
    first, second = pages.send(fields), pages.send(fields)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first.headers["Location"].split("?")[0] == second.headers["Location"].split("?")[0]
    assert bookings(pages.services) == 1


def test_another_visitor_with_a_form_for_the_same_time_is_told_that_it_is_taken(pages: Pages) -> None:
    hers, his = pages.form(), pages.form()
    assert hers["once"] != his["once"]
    assert pages.send({**hers, **BUDI}).status_code == 303
    refused = pages.send({**his, **BUDI, "name": "Ayu"})
    assert refused.status_code == 409
    assert state(refused.text) == "taken"


@pytest.mark.parametrize("once", ["", "123", "a" * 43, "../../etc", "x" * 500])
def test_a_mark_that_no_form_carried_makes_no_link_that_others_could_guess(pages: Pages, once: str) -> None:
    first = pages.send({**pages.form(), **BUDI, "once": once})
    assert first.status_code == 303
    assert once == "" or once not in first.headers["Location"]


def test_a_form_whose_booking_was_cancelled_can_be_sent_again_and_makes_another(pages: Pages) -> None:
    fields = {**pages.form(), **BUDI}
    first = pages.send(fields)
    pages.put_in_state(CANCELLED)
    second = pages.send(fields)
    assert second.status_code == 303
    assert second.headers["Location"] != first.headers["Location"]


def test_whoever_goes_back_to_the_form_after_booking_sees_her_booking_and_no_alarm(pages: Pages) -> None:
    slot = pages.slots()[0]
    form = f"/sari/sesi/book?slot={slot}&tz=Asia/Makassar"
    pages.get(pages.book())
    back = pages.get(form)
    assert (back.status_code, back.headers["Location"]) == (303, "/manage?tz=Asia/Makassar")
    pages.client.delete_cookie("manage")
    assert pages.get(form).status_code == 409


def test_an_invitation_for_one_booking_does_not_stand_in_the_way_of_the_second_arrival(tmp_path: Path) -> None:
    offers = [Offer(slug="sesi", title=Words(id="Sesi", en="Session"), minutes=60, invited=True)]
    pages = Pages(tmp_path / "instance", coach=settings(offers=offers))
    try:
        link = invite(pages.services, look.house(pages.services, "sari"), "sesi", 1, 30, "")
        query = "&" + link.split("?")[1]
        slot = pages.slots(f"/sari/sesi/?{link.split('?')[1]}")[0]
        fields = {**pages.form(slot, query=query), **BUDI}
        first, second = pages.send(fields), pages.send(fields)
        assert (first.status_code, second.status_code) == (303, 303)
        assert first.headers["Location"].split("?")[0] == second.headers["Location"].split("?")[0]
    finally:
        pages.close()
