"""The calendar servers of the simulation: a few that hold most calendars, many small ones, and what goes wrong there.

One answer in a hundred is a 5xx, one in two hundred a 429 with Retry-After; some are slow, some never come in time;
tokens are lost; small servers, and once a large one, answer nothing for a while.
"""

from collections.abc import Iterable
from random import Random
from typing import Any
from typing import NamedTuple

from .demand import DAY
from .demand import HOUR

LARGE = (("google", 0.50), ("icloud", 0.20), ("fastmail", 0.08), ("mailbox", 0.05))
"""Share of all calendars; the rest is on small servers."""
ON_SMALL = 20
"""Calendars on a small server."""
SERVER_ERROR, TOO_MANY, SLOW, NEVER, LOST_TOKEN = 0.01, 0.005, 0.01, 0.002, 0.0005
TIME_OUT = 20.0
EVENTS = 250
"""In a calendar: five hundred in a coach's two."""
BATCH = 50


class Said(NamedTuple):
    """One answer: seconds it took, requests it needed, and the problem if there was one (by our error's name)."""

    took: float
    requests: int
    problem: str = ""
    retry_after: int | None = None


class Host:
    """A server, what was asked of it by the minute, and when it answers nothing.

    `silent` are the calendars whose last questions it left unanswered, `latest` is the one it answered last: all that
    `core.polling.is_down` looks at, kept at hand because a large server has a hundred thousand.
    """

    def __init__(self, name: str, down: tuple[int, int] = (0, 0)) -> None:
        self.name, self.down = name, down
        self.silent: dict[int, Any] = {}
        self.latest: list[Any] = []
        self.asked = [0] * (2 * DAY // 60)

    def answer(self, now: int, changed: bool, dice: Random) -> Said:
        """A question about changes: one request, two where there are some, many where the token was lost."""
        said = self._said(now, changed, dice)
        self.asked[now // 60] += said.requests
        return said

    def _said(self, now: int, changed: bool, dice: Random) -> Said:
        if self.down[0] <= now < self.down[1]:
            return Said(TIME_OUT, 1, "CalendarUnreachable")
        chance = dice.random()
        if chance < SERVER_ERROR:
            return Said(dice.lognormvariate(-2.1, 0.5), 1, "CalendarUnreachable")
        if chance < SERVER_ERROR + TOO_MANY:
            return Said(0.05, 1, "CalendarBusy", dice.choice((30, 60, 120, 300)))
        if chance < SERVER_ERROR + TOO_MANY + NEVER:
            return Said(TIME_OUT, 1, "CalendarUnreachable")
        took = dice.uniform(1, 10) if dice.random() < SLOW else dice.lognormvariate(-2.1, 0.5)
        if dice.random() < LOST_TOKEN:
            return Said(took * 4, 2 + EVENTS // BATCH)
        return Said(took, 2 if changed else 1)


def hosts(calendars: int, dice: Random) -> Iterable[tuple[Host, int]]:
    """Servers, and how many calendars are on each."""
    noon = 12 * HOUR
    for name, share in LARGE:
        down = (noon, noon + 20 * 60) if name == "mailbox" else (0, 0)
        yield Host(name, down), round(calendars * share)
    small = calendars - sum(round(calendars * share) for _, share in LARGE)
    for number in range(0, small, ON_SMALL):
        begins = dice.randrange(DAY)
        lasts = int(dice.uniform(300, 4 * HOUR)) if dice.random() < 0.05 else 0
        yield Host(f"small-{number // ON_SMALL}", (begins, begins + lasts)), min(ON_SMALL, small - number)
