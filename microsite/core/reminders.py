"""When a client is reminded. Pure; instants are UTC seconds, lengths ahead of the start are minutes.

An offer says how long before a session its client is reminded; a client may choose otherwise for her own. Whatever was
missed (a booking made or moved later than a reminder was due) is not made up for: one letter covers all that is due.
"""

from collections.abc import Iterable
from typing import NamedTuple

from .spans import HOUR
from .spans import MINUTE

CHOICES = (48, 24, 2)
"""Hours ahead that a client may choose from, any of them or none."""


class Turn(NamedTuple):
    """The reminder that is due now (the instant it stands for, 0 for none), and when the next one is (0: none)."""

    due: int
    next: int


def ahead(chosen: tuple[int, ...] | None, offered: int) -> tuple[int, ...]:
    """How many minutes ahead she is reminded, longest first: her own choice in hours, else what the offer says."""
    if chosen is None:
        return (offered,) if offered else ()
    return tuple(sorted((hours * HOUR // MINUTE for hours in chosen), reverse=True))


def turn(start: int, minutes: Iterable[int], reminded: int, now: int) -> Turn:
    """What is due at `now`, after the reminder that stood for `reminded` was sent."""
    instants = sorted(start - each * MINUTE for each in minutes)
    due = [at for at in instants if reminded < at <= now < start]
    return Turn(due[-1] if due else 0, next((at for at in instants if at > now), 0))


def earliest(start: int, offered: int, now: int) -> int:
    """The first instant from `now` on at which a reminder could be due, whatever she chooses; 0 where there is none."""
    return turn(start, (*ahead(CHOICES, 0), *ahead(None, offered)), 0, now).next
