"""The virtual clock: polls by turns, looks, bookings; every decision is the site's own.

`core.polling` says when a calendar is asked, `core.availability` says what may be booked and whether it still may. What
the work modules do around these (the order of a booking's steps, the periodic job) is done here without a database.
"""

import heapq
from collections.abc import Callable
from random import Random
from typing import NamedTuple

from microsite.core import polling
from microsite.core.availability import Taken
from microsite.core.availability import obstacles
from microsite.core.availability import offered
from microsite.core.bookings import HOLD
from microsite.work.book import CHECK_SECONDS
from microsite.work.sync import SYNC_SECONDS

from .demand import CURVE
from .demand import DAY
from .demand import HOUR
from .demand import MEAN
from .demand import POPULATION
from .demand import demands
from .demand import next_event
from .demand import poisson
from .demand import rate_at
from .fleet import Host
from .fleet import hosts
from .tally import Tally
from .world import BEGAN
from .world import Calendar
from .world import Coach
from .world import ask_for
from .world import coaches

TICK = 30
"""Seconds between two runs of the periodic job (`sync.due` in work/steps.py)."""
FIXED = 300
"""Seconds between two questions by the policy that others have, for comparison."""
CHURN = 2.5
"""Changes a day in one calendar: one in a hundred of its events."""
PATIENCE = 5
"""Seconds after which a booking's step asks a calendar again that did not answer."""


class Scenario(NamedTuple):
    """What is simulated."""

    coaches: int
    hours: int = 24
    seed: int = 1
    exponent: float = 1.0
    bookings: float = 1_000_000
    most: float = 16
    policy: str = "ours"


class Wish(NamedTuple):
    """A booking on its way; `held` is what it holds once it is made."""

    coach: Coach
    start: int
    held: Taken | None = None
    until: int = 0


class Simulation:
    """One run."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.dice = Random(scenario.seed)
        self.tally = Tally()
        self.end = scenario.hours * HOUR
        wanted = demands(scenario.coaches, scenario.exponent, scenario.bookings, scenario.most)
        self.coaches = coaches(wanted, self.dice)
        self.hosts = self._place_calendars()
        # A smaller run is a sample of the whole, and keeps the whole's pace.
        self.pace = polling.pace(2 * POPULATION)
        self._ticks: list[list[Calendar]] = [[] for _ in range(self.end // TICK + 1)]
        self._looks: list[list[Calendar]] = [[] for _ in range(self.end + 1)]
        self._queue: list[tuple[float, int, Callable[[int, Wish], None], Wish]] = []
        self._number = 0
        self._took = 0.0

    def run(self) -> Tally:
        """From the first second to the last."""
        for each in self.calendars:
            # As if the site had been running: read at some time before, to be read at some time to come.
            each.interval = self.dice.randint(polling.HOT, self.pace.quiet if self.scenario.policy == "ours" else FIXED)
            each.last_ok_at = each.told_at = -self.dice.randrange(each.interval)
            self._plan(each, self.dice.randrange(each.interval), 0)
        for coach in self.coaches:
            self._next_visitor(coach, 0)
        for second in range(self.end):
            if second % TICK == 0:
                self._periodic(second)
            for each in self._looks[second]:
                if each.look_at == second:
                    self._look(each, second)
            self._looks[second] = []
            while self._queue and self._queue[0][0] < second + 1:
                _, _, step, wish = heapq.heappop(self._queue)
                step(second, wish)
        self._close_ages()
        return self.tally

    def _place_calendars(self) -> list[Host]:
        """Two for each coach, spread over the servers by chance."""
        self.calendars: list[Calendar] = []
        made: list[Host] = []
        places: list[Host] = []
        for host, count in hosts(2 * len(self.coaches), self.dice):
            made.append(host)
            places += [host] * count
        self.dice.shuffle(places)
        for number, host in enumerate(places):
            coach = self.coaches[number // 2]
            self.calendars.append(Calendar(number, coach, host))
            coach.calendars.append(self.calendars[-1])
        return made

    # Polls

    def _plan(self, one: Calendar, at: int, now: int) -> None:
        """Its next turn, and the next look that would not wait for it."""
        one.next_poll_at = at
        tick = max(-(-at // TICK), now // TICK + 1)
        if tick < len(self._ticks):
            self._ticks[tick].append(one)
        self._next_look(one, now)

    def _next_look(self, one: Calendar, now: int) -> None:
        """When somebody will look for whom this calendar would be read."""
        one.look_at = -1
        if self.scenario.policy != "ours":
            return
        begins, ends = polling.look_asks(one, self.pace)
        begins, ends = max(begins, now + 1), min(ends, self.end)
        if begins < ends:
            one.look_at = next_event(one.coach.demand.views, one.coach.offset, begins, ends, self.dice)
            if one.look_at >= 0:
                self._looks[one.look_at].append(one)

    def _periodic(self, now: int) -> None:
        """The job that comes round: what is due is asked, of a host that is down one for all."""
        due = [each for each in self._ticks[now // TICK] if each.next_poll_at <= now and each.backoff_until <= now]
        self._ticks[now // TICK] = []
        by_host: dict[Host, list[Calendar]] = {}
        for each in dict.fromkeys(due):
            by_host.setdefault(each.host, []).append(each)
        asked: list[Calendar] = []
        for host, waiting in by_host.items():
            chosen = waiting
            if host.silent and polling.is_down([*host.silent.values(), *host.latest]):
                chosen = [min(waiting, key=lambda each: each.last_ok_at)]
                for each in waiting:
                    if each is not chosen[0]:
                        self._plan(each, now + max(each.interval, 60), now)
            asked += chosen
        self.tally.most_due = max(self.tally.most_due, len(asked))
        self.tally.jobs += len(asked)
        for each in asked:
            self.tally.polls += 1
            self.tally.poll_requests += self._read(each, now)

    def _look(self, one: Calendar, now: int) -> None:
        """A visitor looked at times that are old: the calendar is read at once."""
        self.tally.refreshes += 1
        self.tally.jobs += 1
        self.tally.polls += 1
        self.tally.poll_requests += self._read(one, now)

    def _read(self, one: Calendar, now: int, own: bool = False, booking: bool = False) -> int:
        """Ask one calendar; how many requests that took. `own` says that an event of ours is new there."""
        found = poisson(CHURN * (now - one.told_at) / DAY, self.dice)
        said = one.host.answer(now, found > 0 or own, self.dice)
        self._took = said.took
        self._wait(said.took, booking, now)
        if said.problem:
            self._failed(one, said.problem, said.retry_after, now)
            return said.requests
        for _ in range(found):
            at = self.dice.randrange(one.told_at, now) if now > one.told_at else now
            self.tally.change_age.add(now - at)
            begins = BEGAN + now + self.dice.randrange(14 * 24 * 4) * 900
            one.added.append((begins, begins + self.dice.randint(1, 6) * 900))
        one.told_at = now
        self._count_age(one, now)
        self._answered(one, found > 0 or own, now)
        return said.requests

    def _wait(self, seconds: float, booking: bool, now: int) -> None:
        """Somebody waits for an answer: a poll for up to twenty seconds, a booking's step for five."""
        waited = self.tally.waited_by_bookings if booking else self.tally.waited_by_polls
        waited[now // HOUR] += min(seconds, CHECK_SECONDS if booking else SYNC_SECONDS)

    def _answered(self, one: Calendar, changed: bool, now: int) -> None:
        came_back = one.problem in polling.SILENT
        one.host.silent.pop(one.number, None)
        one.host.latest[:] = [one]
        one.last_ok_at, one.failures, one.first_failed_at, one.backoff_until, one.problem = now, 0, 0, 0, ""
        if self.scenario.policy == "fixed":
            self._plan(one, now + FIXED, now)
            return
        poll = polling.after_success(one.interval, changed, self.dice.random(), self.pace.quiet)
        one.interval = poll.interval
        self._plan(one, now + poll.wait, now)
        if came_back:
            for place, other in enumerate(list(one.host.silent.values())):
                at = now + polling.wait_after_outage(place * POPULATION // self.scenario.coaches)
                if other.next_poll_at > at:
                    other.backoff_until = at
                    self._plan(other, at, now)

    def _failed(self, one: Calendar, problem: str, retry_after: int | None, now: int) -> None:
        self.tally.problems[problem] += 1
        one.failures, one.problem = one.failures + 1, problem
        one.first_failed_at = one.first_failed_at or now
        if problem in polling.SILENT and one.failures >= polling.TRIES:
            one.host.silent[one.number] = one
        poll = polling.after_failure(one.failures, retry_after, self.dice.random())
        one.backoff_until = now + poll.wait
        self._plan(one, now + poll.wait, now)

    # Bookings

    def _after(self, seconds: float, now: int, step: "Callable[[int, Wish], None]", wish: Wish) -> None:
        self._number += 1
        heapq.heappush(self._queue, (now + seconds, self._number, step, wish))

    def _next_visitor(self, coach: Coach, now: int) -> None:
        at = next_event(coach.demand.bookings, coach.offset, now, self.end, self.dice)
        if at >= 0:
            self._after(at - now, now, self._choose, Wish(coach, 0))

    def _choose(self, now: int, wish: Wish) -> None:
        """A visitor picks a time and begins to type."""
        self._next_visitor(wish.coach, now + 1)
        start = ask_for(wish.coach.times(now), self.dice)
        if start < 0:
            self.tally.bookings["nothing free"] += 1
            return
        self._after(self.dice.uniform(20, 300), now, self._book, Wish(wish.coach, start))

    def _book(self, now: int, wish: Wish) -> None:
        """Her POST: the time is held if it would be offered now."""
        coach, start = wish.coach, wish.start
        if not offered(coach.times(now), start):
            self.tally.bookings["taken meanwhile"] += 1
            return
        rules = coach.rules
        held = Taken(start, start + rules.minutes * 60, rules.before, rules.after, True)
        coach.live.append(held)
        self.tally.jobs += 1
        self._after(0.1, now, self._check, wish._replace(held=held, until=now + HOLD))

    def _check(self, now: int, wish: Wish) -> None:
        """Step 1: the calendars anew."""
        self._step(now, wish, self._write, own=False)

    def _write(self, now: int, wish: Wish) -> None:
        """Step 2: the event into her calendar, by the name of its own identity."""
        calendar = wish.coach.calendars[0]
        said = calendar.host.answer(now, False, self.dice)
        self.tally.booking_requests += said.requests
        self._wait(said.took, True, now)
        if said.problem:
            self._again(now, wish, self._write, said.took)
        else:
            self.tally.jobs += 1
            self._after(max(said.took, 0.1), now, self._verify, wish)

    def _verify(self, now: int, wish: Wish) -> None:
        """Step 3: once more, and only then is it confirmed."""
        self._step(now, wish, self._confirm, own=True)

    def _confirm(self, now: int, wish: Wish) -> None:
        if wish.held is not None:
            wish.coach.confirmed.append(wish.held)
            self.tally.jobs += 2
            self.tally.bookings["confirmed"] += 1

    def _step(self, now: int, wish: Wish, then: "Callable[[int, Wish], None]", own: bool) -> None:
        """Read every calendar; go on where the time is still free, else give it back."""
        for each in wish.coach.calendars:
            self.tally.booking_requests += self._read(each, now, own and each is wish.coach.calendars[0], True)
            if each.problem:
                self._again(now, wish, self._verify if own else self._check, self._took)
                return
        if obstacles(wish.coach.times(now, wish.held), wish.start):
            self._release(wish, "released")
        elif own:
            then(now, wish)
        else:
            self.tally.jobs += 1
            self._after(0.3, now, then, wish)

    def _again(self, now: int, wish: Wish, step: "Callable[[int, Wish], None]", took: float) -> None:
        if now >= wish.until:
            self._release(wish, "failed, no answer")
        else:
            self._after(min(took, CHECK_SECONDS) + PATIENCE, now, step, wish)

    def _release(self, wish: Wish, why: str) -> None:
        self.tally.bookings[why] += 1
        if wish.held is not None:
            wish.coach.live.remove(wish.held)

    # Ages

    def _count_age(self, one: Calendar, now: int) -> None:
        """Everybody who looked since the last reading saw times of some age: all at once, by how many they were."""
        since = max(one.last_ok_at, 0)
        if now > since:
            rate = rate_at(one.coach.demand.views, (since + now) // 2, one.coach.offset)
            self.tally.seen_age.add_range(now - one.last_ok_at, rate)

    def _close_ages(self) -> None:
        for each in self.calendars:
            self._count_age(each, self.end)


def viewed_within(demanded: float, seconds: int) -> float:
    """The share of the day in which a page with so many looks a day was looked at within so many seconds."""
    import math

    hours = [1 - math.exp(-demanded / DAY * weight * MEAN * seconds) for weight in CURVE]
    return sum(hours) / len(hours)
