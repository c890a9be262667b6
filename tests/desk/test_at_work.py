"""What the desk does to bookings, and what looking at it does not do."""

import hashlib

import pytest
from sqlalchemy import inspect
from sqlalchemy import text

from microsite.core.people import Secret
from microsite.errors import NotPossibleNow
from microsite.errors import TooOften
from microsite.work import demo
from microsite.work import desk
from microsite.work import keys
from microsite.work import look
from microsite.work import signin
from microsite.work.setup import add_coach
from tests.conftest import House

from .conftest import Pages
from .hands import Coach
from .hands import two_keys


def confirmed(house: House) -> str:
    """A booking that the calendar has."""
    placed = house.book()
    house.drain()
    return placed.booking.id


def test_asking_for_another_time_sends_one_letter_and_changes_nothing(house: House) -> None:
    booking_id = confirmed(house)
    before = house.booking(booking_id)
    coach = look.coach(house.services, demo.SLUG)
    desk.ask_to_move(house.services, coach, booking_id)
    house.drain()
    assert house.letters(booking_id)[-1] == ("move-asked", "sent")
    assert house.booking(booking_id) == before
    with pytest.raises(TooOften):
        desk.ask_to_move(house.services, coach, booking_id)


def test_a_session_that_is_over_cannot_be_asked_to_move(house: House) -> None:
    booking_id = confirmed(house)
    house.now = house.booking(booking_id).start
    with pytest.raises(NotPossibleNow):
        desk.ask_to_move(house.services, look.coach(house.services, demo.SLUG), booking_id)


def test_a_coach_has_no_booking_page_before_she_made_her_keys(pages: Pages) -> None:
    add_coach(pages.services, "wulan", look.coach(pages.services, "sari").settings)
    assert pages.get("/wulan/").status_code == 404
    link = f"/desk/{desk.new_link(pages.services, 'wulan').reveal()}"
    coach = Coach(pages)
    coach.client.post(link, data=pages.fields(pages.get(link)))
    assert pages.get("/desk").headers["Location"] == "/desk/keys/new"
    everyday, recovery = two_keys()
    one = str(everyday.to_public())
    for wrong in ({"everyday": one}, {"everyday": one, "recovery": one}, {"everyday": str(everyday), "recovery": one}):
        answer = coach.post("/desk/keys", **wrong)
        assert answer.status_code == 422
        assert str(everyday) not in answer.text
        assert pages.get("/wulan/").status_code == 404
    assert coach.post("/desk/keys", everyday=one, recovery=str(recovery.to_public())).status_code == 303
    assert pages.get("/wulan/").status_code == 200
    with pages.services.store.read() as tx:
        assert list(tx.coaches.recipients("wulan")) == [one, str(recovery.to_public())]


def test_a_record_that_the_client_changed_meanwhile_is_not_overwritten_by_an_old_one_sealed_anew(pages: Pages) -> None:
    pages.book()
    booking = pages.only_booking()
    services = pages.services
    link = desk.new_link(services, "sari")
    seated = signin.session(services, desk.consume_link(services, link.reveal()).reveal())
    ((_, sealed),) = keys.records(services, "sari")
    with services.store.write() as tx:
        tx.bookings.replace_record(booking.id, sealed, sealed + b"x")
    with pytest.raises(NotPossibleNow):
        keys.reseal(services, seated, booking.ref, hashlib.sha256(sealed).hexdigest(), sealed)


def rows(pages: Pages) -> dict[str, list[object]]:
    """Every row of every table."""
    with pages.services.store.read() as tx:
        names = inspect(tx.conn).get_table_names()
        return {name: sorted(map(repr, tx.conn.execute(text(f'select * from "{name}"')))) for name in names}


def test_looking_at_the_desk_changes_no_row(pages: Pages) -> None:
    pages.book()
    coach = Coach(pages)
    ref = pages.only_booking().ref
    paths = [
        "",
        "/invitations",
        "/settings",
        "/offers/sesi",
        "/offers/new",
        "/calendars",
        "/kept",
        "/keys",
        "/keys/new",
    ]
    paths += ["/records", f"/records/{ref}.age", "/x"]
    for seated in (False, True):
        if seated:
            coach.enter()
        before = rows(pages)
        for path in paths:
            for prefix in ("/desk", "/en/desk"):
                for _ in range(20):
                    pages.get(prefix + path)
                pages.client.head(prefix + path)
        assert rows(pages) == before


def test_a_sealed_record_can_be_downloaded_and_opened_without_us(house: House) -> None:
    placed = house.book()
    ((_, sealed),) = keys.records(house.services, demo.SLUG)
    record = house.services.sealer.open_record(sealed, [Secret(house.identity.reveal())])
    assert record.details.reveal().name == "Budi"
    assert placed.booking.ref
