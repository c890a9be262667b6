"""Deciding letters: in the transaction of a happening, its letters become rows and its word enters the list.

A row holds what a letter says about time and version; whom it goes to and how it reads is found when it is sent.
"""

import secrets
from typing import Any

import msgspec

from microsite.core.bookings import Booking
from microsite.core.events import Counter
from microsite.core.events import next_counter
from microsite.core.letters import ASKED_AGAIN
from microsite.core.letters import Letter
from microsite.core.letters import letters_for
from microsite.core.letters import message_id
from microsite.errors import TryAgain
from microsite.services import Services

ENDINGS = frozenset({"cancelled", "cancelled-by-coach", "cancelled-by-client", "cancelled-in-calendar"})


class NewLetter(msgspec.Struct, frozen=True, kw_only=True):
    """A letter row about to be stored (see store.letters.LetterRow)."""

    kind: str
    recipient: str
    message_id: str
    seq: int = 0
    dtstamp: int = 0
    old_start: int = 0


def tell(services: Services, tx: Any, booking: Booking, happening: str, old_start: int = 0) -> Booking:
    """Note a happening of a booking and queue its letters; answers the booking with its counters moved on.

    Must run under the coach's lock, in the transaction that makes the happening true.
    """
    tx.happenings.note(booking.coach, booking.ref, services.clock(), happening)
    has_address = tx.bookings.sealed(booking.id).delivery is not None
    for letter in letters_for(happening, booking, has_address):
        if not _owed(tx, booking, letter):
            continue
        if letter.with_ics:
            booking = _count_on(services, tx, booking, changed=happening != ASKED_AGAIN)
        first = letter.to == "client" and not tx.letters.of(booking.id)
        new = NewLetter(
            kind=letter.kind,
            recipient=letter.to,
            message_id=booking.first_message_id if first else new_message_id(services),
            seq=booking.client_seq,
            dtstamp=booking.client_dtstamp if letter.with_ics else 0,
            old_start=old_start,
        )
        queue(services, tx, booking.coach, booking, new)
    return booking


def tell_coach(services: Services, tx: Any, coach: str, happening: str) -> None:
    """Queue the coach's letter of a happening that belongs to no single booking."""
    tx.happenings.note(coach, "", services.clock(), happening)
    for letter in letters_for(happening):
        new = NewLetter(kind=letter.kind, recipient=letter.to, message_id=new_message_id(services))
        queue(services, tx, coach, None, new)


def queue(services: Services, tx: Any, coach: str, booking: Booking | None, new: NewLetter) -> None:
    """Store one letter and ask for it to be sent."""
    row = tx.letters.add(
        secrets.token_hex(12),
        coach,
        booking.id if booking else None,
        start=booking.start if booking else 0,
        end=booking.end if booking else 0,
        **msgspec.structs.asdict(new),
    )
    services.jobs.enqueue(tx, "letter", row.id)


def new_message_id(services: Services) -> str:
    """A random Message-ID on the site's own host."""
    return message_id(secrets.token_hex(16), services.config.host)


def _owed(tx: Any, booking: Booking, letter: Letter) -> bool:
    """Whether this letter says anything: the end of a booking is told to those who were told that there is one.

    An address that was asked for its word and never gave it is not written to again.
    """
    if letter.kind not in ENDINGS:
        return True
    before = {row.kind for row in tx.letters.of(booking.id) if row.recipient == letter.to}
    return bool(before - {"verify-address"}) or (letter.to == "client" and not before)


def _count_on(services: Services, tx: Any, booking: Booking, changed: bool) -> Booking:
    last = Counter(booking.client_seq, booking.client_dtstamp) if booking.client_dtstamp else None
    counter = next_counter(last, services.clock(), changed)
    counted: Booking | None = tx.bookings.change(booking, client_seq=counter.sequence, client_dtstamp=counter.stamp)
    if counted is None:
        raise TryAgain(1)
    return counted
