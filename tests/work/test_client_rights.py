"""The client's rights: reading, correcting, taking along, leaving; and the address her calendar app follows."""

import json
import time

import pytest

from microsite.core.people import ClientDetails
from microsite.errors import NotFound
from microsite.errors import TooLate
from microsite.errors import TooOften
from microsite.errors import WrongBooking
from microsite.services import Services
from microsite.work import cancel
from microsite.work import erase
from microsite.work import look
from microsite.work import manage
from microsite.work import move
from microsite.work import rights
from microsite.work import wishes
from microsite.work.feed import feed
from tests.conftest import House

from .test_modes import set_offer

NEW = ClientDetails("Sri", "budi@example.com", "lain")
ELSEWHERE = ClientDetails("Budi", "ani@example.com", "halo")


def held(house: House, slug: str = "sesi") -> tuple[str, str, str]:
    """(booking's id, reference, first token) of a confirmed booking beyond every notice window."""
    placed = house.book(house.starts()[40], slug)
    house.drain()
    return placed.booking.id, house.booking(placed.booking.id).ref, placed.token.reveal()


def later_token(house: House, booking_id: str) -> str:
    """The token of a later letter."""
    token = house.services.sealer.new_token()
    with house.services.store.write() as tx:
        lookup = house.services.sealer.lookup(token)
        tx.links.add(lookup, "sari", booking_id, "manage", tx.links.longest(booking_id))
    return str(token.reveal())


def words(services: Services, token: str) -> tuple[str, str, str] | None:
    """What a link shows."""
    record = rights.written(services, token)
    return None if record is None else tuple(record.details.reveal())


def address(house: House, booking_id: str) -> str:
    """Where letters go now."""
    booking = house.booking(booking_id)
    with house.services.store.read() as tx:
        sealed = tx.bookings.sealed(booking_id).delivery
    return str(house.services.sealer.open_delivery(booking.delivery_day, booking_id, sealed).address.reveal())


def test_the_first_link_shows_what_was_written_and_later_ones_do_not(house: House) -> None:
    booking_id, _, token = held(house)
    assert words(house.services, token) == ("Budi", "budi@example.com", "halo")
    assert words(house.services, later_token(house, booking_id)) is None
    with pytest.raises(NotFound):
        rights.written(house.services, "x")


def test_a_correction_reaches_the_coachs_record_and_the_clients_copy(house: House) -> None:
    booking_id, ref, token = held(house)
    assert rights.correct(house.services, token, ref, NEW) is False
    assert words(house.services, token) == ("Sri", "budi@example.com", "lain")
    with house.services.store.read() as tx:
        record = tx.bookings.sealed(booking_id).record
    assert house.services.sealer.open_record(record, [house.identity]).details.reveal().name == "Sri"
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]


def test_what_a_later_link_writes_anew_it_can_read(house: House) -> None:
    booking_id, ref, first = held(house)
    later = later_token(house, booking_id)
    rights.correct(house.services, later, ref, NEW)
    assert words(house.services, later) == ("Sri", "budi@example.com", "lain")
    assert words(house.services, first) is None


def test_another_address_gets_a_letter_at_once_and_old_letters_open_nothing(house: House) -> None:
    booking_id, ref, token = held(house)
    old = later_token(house, booking_id)
    assert rights.correct(house.services, token, ref, ELSEWHERE) is True
    house.drain()
    assert address(house, booking_id) == "ani@example.com"
    assert house.letters(booking_id) == [("confirmed", "sent"), ("link-again", "sent")]
    manage.by_token(house.services, token)
    with pytest.raises(NotFound):
        manage.by_token(house.services, old)


def test_an_address_that_was_proven_proves_no_other_one(house: House) -> None:
    set_offer(house, mode="email")
    placed = house.book(house.starts()[40])
    token = house.services.sealer.new_token()
    with house.services.store.write() as tx:
        lookup = house.services.sealer.lookup(token)
        tx.links.add(lookup, "sari", placed.booking.id, "verify", placed.booking.end)
    assert manage.proves_address(house.services, token.reveal())
    rights.correct(house.services, token.reveal(), placed.booking.ref, ELSEWHERE)
    assert not manage.proves_address(house.services, token.reveal())
    house.drain()
    assert [kind for kind, _ in house.letters(placed.booking.id)] == ["verify-address", "verify-address"]


def test_letters_to_ever_new_addresses_come_to_an_end_and_nothing_is_changed_then(house: House) -> None:
    booking_id, ref, token = held(house)
    for number in range(4):
        rights.correct(house.services, token, ref, ClientDetails("Budi", f"a{number}@example.com"))
    with pytest.raises(TooOften):
        rights.correct(house.services, token, ref, ClientDetails("Budi", "a9@example.com"))
    assert address(house, booking_id) == "a3@example.com"
    assert words(house.services, token) == ("Budi", "a3@example.com", "")


def test_a_form_of_another_booking_corrects_and_exports_nothing(house: House) -> None:
    _, _, token = held(house)
    with pytest.raises(WrongBooking):
        rights.correct(house.services, token, "XXXX", NEW)
    with pytest.raises(WrongBooking):
        rights.export(house.services, token, "XXXX")
    assert words(house.services, token) == ("Budi", "budi@example.com", "halo")


def test_the_export_holds_all_that_is_kept_and_a_later_link_gets_no_words(house: House) -> None:
    booking_id, ref, token = held(house)
    document = json.loads(rights.export(house.services, token, ref))
    assert document["written"]["name"] == "Budi"
    assert document["mail"]["address"] == "budi@example.com"
    assert document["booking"]["reference"] == ref
    assert [each["what"] for each in document["happenings"]][-1] == "exported"
    later = rights.export(house.services, later_token(house, booking_id), ref)
    assert b"Budi" not in later
    assert b"budi@example.com" not in later


def test_erasing_is_done_at_once_in_less_than_a_second_of_work_and_the_last_file_cancels(house: House) -> None:
    booking_id, ref, token = held(house)
    file = rights.last_file(house.services, house.booking(booking_id))
    began = time.process_time()
    erase.erase(house.services, booking_id, ref)
    assert time.process_time() - began < 1
    assert b"STATUS:CANCELLED" in file
    assert b"SEQUENCE:1" in file
    with pytest.raises(NotFound):
        rights.written(house.services, token)


def test_a_calendar_app_follows_the_session_until_it_is_erased(house: House) -> None:
    booking_id, ref, _ = held(house)
    token = wishes.feed_address(house.services, booking_id, ref).split("/m/")[1].removesuffix("/feed.ics")
    file = feed(house.services, token)
    assert b"REFRESH-INTERVAL;VALUE=DURATION:PT1H" in file
    assert b"X-PUBLISHED-TTL:PT1H" in file
    assert b"STATUS:CONFIRMED" in file
    assert b"METHOD" not in file
    assert b"Budi" not in file
    cancel.cancel(house.services, booking_id, ref)
    assert b"STATUS:CANCELLED" in feed(house.services, token)
    erase.erase(house.services, booking_id, ref)
    with pytest.raises(NotFound):
        feed(house.services, token)


def test_a_link_to_the_page_is_no_feed_and_a_feed_opens_no_page(house: House) -> None:
    booking_id, ref, token = held(house)
    with pytest.raises(NotFound):
        feed(house.services, token)
    address = wishes.feed_address(house.services, booking_id, ref)
    with pytest.raises(NotFound):
        manage.by_token(house.services, address.split("/m/")[1].removesuffix("/feed.ics"))


def test_a_booking_may_move_to_times_that_overlap_only_itself(house: House) -> None:
    booking_id, _, _ = held(house)
    booking = house.booking(booking_id)
    times = move.times_for(house.services, booking)
    with house.services.store.read() as tx:
        coach = look.coach(house.services, "sari")
        others = look.sight(tx, "sari", coach.settings, house.offer(), house.now).times
    assert len(others.taken) - len(times.taken) == 1
    house.now = booking.start - 60
    with pytest.raises(TooLate):
        move.times_for(house.services, booking)


def test_a_move_is_known_as_one_and_a_change_of_title_is_not(house: House) -> None:
    booking_id, ref, _ = held(house)
    wishes.set_discreet(house.services, booking_id, ref, discreet=False)
    assert not manage.has_moved(house.services, house.booking(booking_id))
    moved = move.move(house.services, booking_id, ref, house.starts()[60])
    assert manage.on_its_way(moved)
    house.drain()
    assert not manage.on_its_way(house.booking(booking_id))
    assert manage.has_moved(house.services, house.booking(booking_id))
