"""Confirmation modes: at once, after the address is proven, after the coach's word; and what silence does."""

from zoneinfo import ZoneInfo

import msgspec
import pytest

from microsite.core.hours import local_day
from microsite.core.settings import Offer
from microsite.errors import NotPossibleNow
from microsite.errors import SlotTaken
from microsite.work import answer
from microsite.work import manage
from tests.conftest import House

from .conftest import App


def set_offer(house: House, slug: str = "sesi", **values: object) -> Offer:
    """Change an offer in the coach's settings."""
    with house.services.store.change("sari") as tx:
        settings = tx.coaches.settings("sari")
        offers = [msgspec.structs.replace(o, **values) if o.slug == slug else o for o in settings.offers]
        tx.coaches.save_settings("sari", msgspec.structs.replace(settings, offers=offers))
    return house.offer(slug)


def test_an_unproven_address_holds_the_time_and_writes_nothing_into_the_calendar(house: House) -> None:
    set_offer(house, mode="email")
    placed = house.book()
    house.drain()
    booking = house.booking(placed.booking.id)
    assert (booking.state, booking.coach_href) == ("awaiting-email", "")
    assert house.letters(booking.id) == [("verify-address", "sent")]
    assert booking.start not in house.starts()


def test_the_button_behind_the_mailed_link_books_the_time(house: House) -> None:
    set_offer(house, mode="email")
    placed = house.book()
    house.drain()
    answer.confirm_address(house.services, placed.booking.id, placed.booking.ref)
    answer.confirm_address(house.services, placed.booking.id, placed.booking.ref)
    house.drain()
    assert house.booking(placed.booking.id).state == "confirmed"
    assert house.letters(placed.booking.id) == [("verify-address", "sent"), ("confirmed", "sent")]


def test_the_link_that_the_page_has_does_not_prove_the_address(house: House) -> None:
    set_offer(house, mode="email")
    placed = house.book()
    house.drain()
    assert manage.by_token(house.services, placed.token.reveal()).id == placed.booking.id
    assert not manage.proves_address(house.services, placed.token.reveal())


def test_a_hold_nobody_confirms_frees_its_time_and_forgets_the_address(house: House) -> None:
    set_offer(house, mode="email")
    placed = house.book()
    house.drain()
    house.now += 31 * 60
    house.drain()
    assert house.booking(placed.booking.id).state == "expired"
    assert placed.booking.start in house.starts()
    assert house.letters(placed.booking.id) == [("verify-address", "sent")]
    with house.services.store.read() as tx:
        assert tx.bookings.sealed(placed.booking.id).delivery is None
    assert answer.confirm_address(house.services, placed.booking.id, placed.booking.ref).state == "expired"


def test_a_request_waits_in_the_calendar_with_a_question_mark(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    assert house.booking(placed.booking.id).state == "awaiting-coach"
    event = app.read(placed.booking.id)
    assert f"SUMMARY:? Sesi · {placed.booking.ref}" in event
    assert "STATUS:TENTATIVE" in event
    assert house.letters(placed.booking.id) == [("request-received", "sent")]


def test_taking_the_mark_off_the_title_approves(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    app.edit(placed.booking.id, SUMMARY=f":Sesi · {placed.booking.ref}")
    house.drain()
    assert house.booking(placed.booking.id).state == "confirmed"
    assert house.letters(placed.booking.id)[-1] == ("confirmed", "sent")


def test_a_confirmed_status_alone_never_approves(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    app.edit(placed.booking.id, STATUS=":CONFIRMED")
    app.later()
    assert house.booking(placed.booking.id).state == "awaiting-coach"


def test_a_title_without_mark_and_without_reference_does_not_approve(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    app.edit(placed.booking.id, SUMMARY=":Makan siang")
    app.later()
    assert house.booking(placed.booking.id).state == "awaiting-coach"


def test_deleting_a_request_declines_it(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    app.delete(placed.booking.id)
    app.later()
    assert house.booking(placed.booking.id).state == "declined"
    assert house.letters(placed.booking.id)[-1] == ("declined", "sent")


def test_the_desk_approves_and_the_mark_leaves_the_calendar(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    answer.approve(house.services, "sari", placed.booking.id)
    app.later()
    event = app.read(placed.booking.id)
    assert f"SUMMARY:Sesi · {placed.booking.ref}" in event
    assert "STATUS:CONFIRMED" in event
    assert [kind for kind, _ in house.letters(placed.booking.id)] == ["request-received", "confirmed"]
    with pytest.raises(NotPossibleNow):
        answer.decline(house.services, "sari", placed.booking.id)


def test_the_desk_declines_and_the_event_goes(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    answer.decline(house.services, "sari", placed.booking.id)
    house.drain()
    assert app.gone(placed.booking.id)
    assert house.letters(placed.booking.id)[-1] == ("declined", "sent")


def test_a_request_without_an_answer_expires_never_later_than_its_start(house: House, app: App) -> None:
    set_offer(house, mode="coach")
    placed = house.book()
    house.drain()
    booking = house.booking(placed.booking.id)
    assert booking.hold_until is not None
    assert booking.hold_until <= booking.start
    house.now = booking.hold_until + 1
    house.drain()
    assert house.booking(booking.id).state == "expired"
    assert app.gone(booking.id)
    assert house.letters(booking.id)[-1] == ("expired", "sent")


def test_an_offer_without_mail_books_by_page_and_link_alone(house: House) -> None:
    set_offer(house, email="optional")
    placed = house.book(email="")
    house.drain()
    assert house.booking(placed.booking.id).state == "confirmed"
    assert house.letters(placed.booking.id) == []
    assert [kind for kind, _ in house.letters(placed.booking.id, "coach")] == ["new"]


def test_a_cap_of_one_a_day_closes_the_day(house: House) -> None:
    set_offer(house, per_day=1)
    placed = house.book()
    house.drain()
    zone = ZoneInfo("Asia/Jakarta")
    days = {local_day(start, zone) for start in house.starts()}
    assert local_day(placed.booking.start, zone) not in days
    with pytest.raises(SlotTaken):
        house.book(placed.booking.start + 4 * 3600)
