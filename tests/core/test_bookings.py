"""Which state may follow which, and the deadlines of a booking."""

import pytest

from microsite.core import bookings
from microsite.core.bookings import ENDED
from microsite.core.bookings import FOLLOWS
from microsite.core.bookings import LINK_LETTERS
from microsite.core.bookings import LIVE
from microsite.core.bookings import PENDING
from microsite.core.bookings import cancel_deadline
from microsite.core.bookings import may_follow
from microsite.core.bookings import purge_at

from .conftest import utc

STEPS = [
    ("confirming", "confirmed", True, "the calendar has it"),
    ("confirming", "awaiting-coach", True, "the calendar has it, the coach decides"),
    ("confirming", "failed", True, "the calendar could not be reached"),
    ("awaiting-email", "confirmed", False, "never confirmed before it is in the calendar"),
    ("awaiting-email", "confirming", True, "the address was confirmed"),
    ("awaiting-email", "expired", True, "it was not"),
    ("awaiting-coach", "confirmed", True, "approved"),
    ("awaiting-coach", "declined", True, "declined"),
    ("confirmed", "confirmed", True, "moved"),
    ("confirmed", "cancelled", True, "cancelled"),
    ("confirmed", "frozen", True, "the coach is being asked"),
    ("confirmed", "declined", False, "what is confirmed can only be cancelled"),
    ("confirmed", "confirming", False, "no way back"),
    ("frozen", "confirmed", True, "the coach has answered"),
    ("cancelled", "confirmed", False, "a dead booking stays dead"),
    ("unheard-of", "confirmed", False, "no such state"),
]


@pytest.mark.parametrize(("state", "after", "allowed", "words"), STEPS, ids=[words for *_, words in STEPS])
def test_a_state_may_follow(state: str, after: str, allowed: bool, words: str) -> None:
    assert may_follow(state, after) is allowed, words


def test_nothing_follows_an_ended_booking() -> None:
    assert not any(may_follow(state, after) for state in ENDED for after in LIVE | ENDED)


def test_every_live_state_can_end_and_every_step_leads_to_a_state() -> None:
    assert set(FOLLOWS) == LIVE
    assert all(FOLLOWS[state] & ENDED for state in LIVE)
    assert all(after in LIVE | ENDED for follows in FOLLOWS.values() for after in follows)
    assert not LIVE & ENDED
    assert PENDING <= LIVE


def test_the_client_may_cancel_until_the_notice_window_begins() -> None:
    assert cancel_deadline(utc("2026-11-23T02:00"), 24 * 60) == utc("2026-11-22T02:00")
    assert cancel_deadline(utc("2026-11-23T02:00"), 0) == utc("2026-11-23T02:00")


def test_a_record_is_destroyed_days_after_the_session_ended() -> None:
    assert purge_at(utc("2026-11-23T03:00"), 30) == utc("2026-12-23T03:00")


def test_references_have_no_letter_that_is_misheard() -> None:
    assert not set(LINK_LETTERS) & set("IO01")
    assert len(set(LINK_LETTERS)) == 32
    assert bookings.HOLD > 0
