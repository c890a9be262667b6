"""Which letter for which happening, and the counters of the files they carry."""

import string
from itertools import pairwise

import msgspec
import pytest

from microsite.core import letters
from microsite.core.bookings import Booking
from microsite.core.events import MAX_SEQUENCE
from microsite.core.events import Counter
from microsite.core.events import next_counter
from microsite.core.letters import letters_for
from microsite.core.people import Address
from microsite.core.people import Secret

TABLE = [
    (letters.BOOKED, "confirmed", {"confirmed:client:PUBLISH", "new:coach:"}),
    (letters.ADDRESS_ASKED, "awaiting-email", {"verify-address:client:"}),
    (letters.REQUESTED, "awaiting-coach", {"request-received:client:", "new-request:coach:"}),
    (letters.APPROVED, "awaiting-coach", {"confirmed:client:PUBLISH"}),
    (letters.REQUEST_DECLINED, "declined", {"declined:client:"}),
    (letters.REQUEST_EXPIRED, "expired", {"expired:client:"}),
    (letters.HOLD_EXPIRED, "expired", set()),
    (letters.BOOKING_FAILED, "failed", {"failed:client:"}),
    (letters.MOVED_BY_CLIENT, "confirmed", {"moved:client:PUBLISH", "moved-by-client:coach:"}),
    (letters.MOVED_BY_COACH, "confirmed", {"moved-by-coach:client:PUBLISH"}),
    (letters.MOVED_BY_COACH, "awaiting-coach", {"moved-by-coach:client:"}),
    (letters.MOVE_ASKED, "confirmed", {"move-asked:client:"}),
    (letters.MOVE_ASKED, "awaiting-coach", {"move-asked:client:"}),
    (letters.CANCELLED_BY_CLIENT, "confirmed", {"cancelled:client:CANCEL", "cancelled-by-client:coach:"}),
    (letters.CANCELLED_BY_CLIENT, "awaiting-coach", {"cancelled:client:", "cancelled-by-client:coach:"}),
    (letters.CANCELLED_AT_DESK, "confirmed", {"cancelled-by-coach:client:CANCEL"}),
    (letters.CANCELLED_IN_CALENDAR, "confirmed", {"cancelled-by-coach:client:CANCEL", "cancelled-in-calendar:coach:"}),
    (letters.ASKED_AGAIN, "confirmed", {"link-again:client:PUBLISH"}),
    (letters.ASKED_AGAIN, "awaiting-email", {"link-again:client:"}),
    (letters.REMINDER_DUE, "confirmed", {"reminder:client:"}),
    (letters.BREACH_SEALED, "confirmed", {"breach-sealed:client:"}),
    (letters.BREACH_ADDRESSES, "confirmed", {"breach-addresses:client:"}),
    (letters.BREACH_OPEN, "confirmed", {"breach-open:client:"}),
    (letters.ERASED, "cancelled", set()),
    (letters.RETITLED, "confirmed", set()),
    (letters.BOOKING_FROZEN, "frozen", {"please-check:coach:"}),
    (letters.CALENDAR_UNREACHABLE, "confirmed", {"calendar-unreachable:coach:"}),
    (letters.LETTER_REFUSED, "confirmed", {"mail-refused:coach:"}),
    (letters.BRAKED, "confirmed", {"brake:coach:"}),
]


@pytest.mark.parametrize(("happening", "state", "expected"), TABLE)
def test_each_happening_has_its_letters(booking: Booking, happening: str, state: str, expected: set[str]) -> None:
    told = state in {"awaiting-coach", "awaiting-email"}
    about = msgspec.structs.replace(booking, state=state, client_dtstamp=0 if told else booking.client_dtstamp)
    found = letters_for(happening, about)
    assert {f"{letter.kind}:{letter.to}:{letter.with_ics}" for letter in found} == expected


def test_the_table_knows_every_happening_and_every_kind() -> None:
    assert {row[0] for row in TABLE} == letters.HAPPENINGS
    kinds = {letter.split(":")[0] for row in TABLE for letter in row[2]}
    assert kinds == set(letters.SUBJECTS)


def test_a_client_without_an_address_gets_nothing_and_the_coach_is_still_told(booking: Booking) -> None:
    assert [letter.kind for letter in letters_for(letters.BOOKED, booking, has_address=False)] == ["new"]


def test_a_cancelled_booking_that_was_told_once_gets_the_cancelling_file(booking: Booking) -> None:
    gone = msgspec.structs.replace(booking, state="cancelled")
    assert letters_for(letters.CANCELLED_BY_CLIENT, gone)[0].with_ics == "CANCEL"
    untold = msgspec.structs.replace(gone, client_dtstamp=0)
    assert letters_for(letters.CANCELLED_BY_CLIENT, untold)[0].with_ics == ""


@pytest.mark.parametrize("state", ["awaiting-coach", "awaiting-email"])
def test_a_waiting_booking_never_gets_a_file_whatever_its_counters_say(booking: Booking, state: str) -> None:
    waiting = msgspec.structs.replace(booking, state=state, client_dtstamp=1)
    for happening in (letters.MOVED_BY_COACH, letters.CANCELLED_BY_CLIENT, letters.ASKED_AGAIN):
        assert letters_for(happening, waiting)[0].with_ics == ""


def test_an_unknown_happening_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="no such happening"):
        letters_for("retold")


def test_the_method_of_a_stored_letter_follows_from_its_row() -> None:
    assert letters.file_method("confirmed", 1) == "PUBLISH"
    assert letters.file_method("cancelled", 1) == "CANCEL"
    assert letters.file_method("cancelled", 0) == ""
    assert letters.file_method("reminder", 1) == ""


@pytest.mark.parametrize("kind", letters.SUBJECTS)
def test_a_subject_is_plain_words_in_each_language(kind: str) -> None:
    for language in ("id", "en"):
        text = letters.subject(kind, language)
        assert set(text) <= set(string.ascii_letters + " ")
        assert 5 < len(text) < 40


def test_each_kind_goes_to_one_of_two() -> None:
    assert {letters.recipient(kind) for kind in letters.CLIENT_KINDS} == {"client"}
    assert {letters.recipient(kind) for kind in letters.COACH_KINDS} == {"coach"}


def test_an_order_shows_neither_address_nor_link_when_printed() -> None:
    order = letters.LetterOrder(
        kind="confirmed",
        language="id",
        address=Address("klien@example.org"),
        message_id=letters.message_id("0123456789abcdef", "book.example"),
        sent_at=1,
        link=Secret("https://book.example/m/token"),
    )
    assert "klien" not in repr(order)
    assert "token" not in repr(order)
    assert order.message_id == "<0123456789abcdef@book.example>"


def test_counters_rise_over_book_move_move_cancel_and_a_second_sending() -> None:
    clock = [1000, 1000, 999, 2000, 2000]
    changes = [True, True, False, True, True]
    chain: list[Counter] = []
    for now, changed in zip(clock, changes, strict=True):
        chain.append(next_counter(chain[-1] if chain else None, now, changed))
    assert [counter.sequence for counter in chain] == [0, 1, 1, 2, 3]
    assert all(earlier < later for earlier, later in pairwise(chain))
    stamps = [counter.stamp for counter in chain]
    assert stamps == sorted(set(stamps))


def test_a_counter_never_leaves_31_bits() -> None:
    with pytest.raises(ValueError, match="31 bits"):
        next_counter(Counter(MAX_SEQUENCE, 1), 2)
    assert next_counter(Counter(MAX_SEQUENCE, 1), 2, changed=False) == Counter(MAX_SEQUENCE, 2)
