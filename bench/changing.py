"""Coaches whose calendars change, and their pages when they are asked for the first time after it."""

import random
from collections.abc import Mapping
from datetime import UTC
from datetime import datetime

from microsite.core.mirror import Reading
from microsite.core.spans import DAY
from microsite.core.spans import MINUTE
from microsite.core.spans import Spans
from microsite.services import Services
from microsite.work import demo
from microsite.work.setup import add_coach

from .expected import View
from .expected import view
from .rounds import least_cpu
from .wsgi import Application
from .wsgi import call
from .wsgi import environ


class Appointments:
    """A coach moves two appointments of hers, one on the day that is shown, and a sync reads it: call it to do so.

    Chance has a seed. Hardly any two calls leave the same times, but single days come back to what they were: the more
    often it is called, the more pieces of a page are remembered.
    """

    def __init__(self, services: Services, shown: View, seed: int = 7) -> None:
        self._store, self._coach, self._dice = services.store, shown.coach, random.Random(seed)
        self._day = [_start(slot) for slot in shown.slots]
        with services.store.read() as tx:
            self._calendar = next(row.id for row in tx.mirror.calendars(self._coach) if row.roles == {"busy"})
        self._last = -1

    def __call__(self) -> None:
        """Move both."""
        self._last = self._dice.choice([number for number in range(len(self._day)) if number != self._last])
        here = self._day[self._last]
        there = self._dice.choice(self._day) + DAY * self._dice.randrange(1, 5)
        with self._store.change(self._coach) as tx:
            tx.mirror.put_readings(self._calendar, [self._event(1, here), self._event(2, there)])
            tx.mirror.merge(self._calendar)

    def _event(self, number: int, start: int) -> Reading:
        spans = Spans.of([(start, start + MINUTE * self._dice.randrange(5, 31))])
        return Reading(href=f"/bench-{number}.ics", etag='"1"', uid=f"bench-{number}@example", spans=spans.pack())


class Street:
    """So many coaches on one site, each with the demo's calendars; their pages are asked for in a row."""

    def __init__(self, services: Services, coaches: int) -> None:
        names = [f"neighbour-{number}" for number in range(coaches)]
        for name in names:
            _, recipient = services.sealer.new_identity()
            add_coach(services, name, demo.settings(), recipient)
            demo.fill_calendars(services, name)
        self.views = [view(services, slug=name) for name in names]
        self._changes = [Appointments(services, each, seed) for seed, each in enumerate(self.views)]

    def change(self) -> None:
        """Every one of them moves her appointments."""
        for move in self._changes:
            move()

    def least_cpu(self, application: Application, headers: Mapping[str, str], times: int) -> float:
        """CPU seconds of a page that is asked for the first time after a change, as are those before and after it."""
        asked = [environ(each.target, dict(headers)) for each in self.views]
        return least_cpu(lambda: [call(application, each) for each in asked], times, between=self.change) / len(asked)


def _start(slot: str) -> int:
    return int(datetime.strptime(slot, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC).timestamp())
