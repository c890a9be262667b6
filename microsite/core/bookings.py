"""A booking, its states, and what may follow what. Times are UTC seconds."""

import msgspec

from .spans import DAY
from .spans import MINUTE

CONFIRMING = "confirming"
"""Held; the calendar has not confirmed it yet."""
AWAITING_EMAIL = "awaiting-email"
AWAITING_COACH = "awaiting-coach"
CONFIRMED = "confirmed"
FROZEN = "frozen"
"""The coach did something to the event that we do not guess about; she is being asked."""
DECLINED = "declined"
EXPIRED = "expired"
FAILED = "failed"
CANCELLED = "cancelled"

LIVE = frozenset({CONFIRMING, AWAITING_EMAIL, AWAITING_COACH, CONFIRMED, FROZEN})
"""States that hold their time."""
PENDING = frozenset({AWAITING_EMAIL, AWAITING_COACH})
ENDED = frozenset({DECLINED, EXPIRED, FAILED, CANCELLED})

FOLLOWS: dict[str, frozenset[str]] = {
    CONFIRMING: frozenset({CONFIRMED, AWAITING_COACH, FAILED, CANCELLED}),
    AWAITING_EMAIL: frozenset({CONFIRMING, EXPIRED, CANCELLED}),
    AWAITING_COACH: frozenset({CONFIRMED, DECLINED, EXPIRED, CANCELLED, FROZEN}),
    CONFIRMED: frozenset({CONFIRMED, CANCELLED, FROZEN}),
    FROZEN: frozenset({CONFIRMED, CANCELLED, AWAITING_COACH, DECLINED}),
}
"""What may follow a state; the ended ones are followed by nothing."""

HOLD = 5 * MINUTE
"""How long an unreachable calendar may keep a hold before the booking fails."""
LINK_LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"
"""Letters of a reference: no I, O, 0, 1, which are read wrongly over a telephone."""
SWEEPS = (MINUTE, 10 * MINUTE, 60 * MINUTE, DAY)
"""When a released event is looked for again: a PUT that timed out may still land."""


class Booking(msgspec.Struct, frozen=True, kw_only=True):
    """One booking as the store keeps it; the sealed parts are read only by those who need them.

    `client_*` belongs to the visitor's ICS, `coach_*` to the event in the coach's calendar: two UIDs, so that nothing
    joins the two calendars. `reminded_for` is the instant that the last reminder stood for.
    """

    id: str
    coach: str
    ref: str
    offer: str
    start: int
    end: int
    state: str
    language: str
    created_on: str
    purge_on: str
    before: int = 0
    after: int = 0
    pending_start: int | None = None
    pending_end: int | None = None
    hold_until: int | None = None
    reason: str = ""
    coach_calendar: str = ""
    coach_uid: str = ""
    coach_href: str = ""
    coach_etag: str = ""
    coach_seq: int = 0
    client_uid: str = ""
    client_seq: int = 0
    client_dtstamp: int = 0
    delivery_day: str = ""
    discreet: bool = True
    first_message_id: str = ""
    reminded_for: int = 0
    version: int = 0

    @property
    def live(self) -> bool:
        """Whether it holds its time."""
        return self.state in LIVE

    @property
    def requested(self) -> bool:
        """Whether it waits for the coach's word, also while it is frozen: only a request then has a deadline."""
        return self.state == AWAITING_COACH or (self.state == FROZEN and self.hold_until is not None)


def may_follow(state: str, after: str) -> bool:
    """Whether a booking in `state` may become `after`."""
    return after in FOLLOWS.get(state, frozenset())


def cancel_deadline(start: int, notice_minutes: int) -> int:
    """Until when (UTC seconds, exclusive) the client may cancel or move."""
    return start - notice_minutes * MINUTE


def answer_deadline(start: int, now: int, request_minutes: int) -> int:
    """Until when (UTC seconds) a request waits for the coach: never beyond its start."""
    return min(start, now + request_minutes * MINUTE)


def purge_at(end: int, retention_days: int) -> int:
    """When the record of a session that ends at `end` is destroyed."""
    return end + retention_days * DAY
