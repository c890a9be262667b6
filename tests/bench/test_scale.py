"""A simulated day: the same for the same seed, nobody doubly booked, polite to calendar servers, able to fail."""

from bench.figures import percentile
from bench.goals import load
from bench.scale.demand import POPULATION
from bench.scale.demand import demands
from bench.scale.simulation import Scenario
from bench.scale.simulation import Simulation
from bench.scale.simulation import Wish
from bench.scale.storage import bytes_per_booking
from bench.scale.summary import doubles
from bench.scale.summary import summarize
from bench.scale.tally import Ages
from microsite.core.availability import Taken

DAY = Scenario(coaches=300, hours=24)
BUSY = Scenario(coaches=20, hours=12, most=400, bookings=POPULATION * 400)
"""Few coaches, and far more who want a time than there are times."""
LIMITS = {goal.figure: goal.at_most for goal in load()}


def test_a_day_is_the_same_for_the_same_seed_and_another_for_another() -> None:
    short = Scenario(coaches=60, hours=8)
    first, second, other = (summarize(_ran(each), 1.0) for each in (short, short, short._replace(seed=2)))
    assert first == second
    assert first.values != other.values


def test_a_day_asks_no_more_of_calendar_servers_than_planned_and_books_nobody_twice() -> None:
    found = summarize(_ran(DAY), 1.0).values
    fixed = summarize(_ran(DAY._replace(policy="fixed")), 1.0).values
    limit = LIMITS["scale.polls_per_second"]
    assert limit is not None
    assert 40 < found["polls_per_second"] < limit < fixed["polls_per_second"]
    assert found["age_seen_p50"] <= 15 * 60
    assert found["bookings"] > 900_000
    assert found["double_bookings"] == 0


def test_when_many_want_the_same_times_each_is_given_once() -> None:
    run = _ran(BUSY)
    confirmed = sum(len(coach.confirmed) for coach in run.coaches)
    assert run.tally.bookings["confirmed"] == confirmed > 500
    assert run.tally.bookings["taken meanwhile"] > 50
    assert sum(doubles(coach.confirmed) for coach in run.coaches) == 0


def test_a_site_that_did_not_look_again_would_be_found_out() -> None:
    class Careless(Simulation):
        """Books what was free when the visitor looked, and confirms it."""

        def _book(self, now: int, wish: Wish) -> None:
            held = Taken(wish.start, wish.start + 1800, 0, 10, True)
            wish.coach.live.append(held)
            self._confirm(now, wish._replace(held=held))

    run = Careless(BUSY)
    run.run()
    assert sum(doubles(coach.confirmed) for coach in run.coaches) > 30


def test_looks_follow_zipf_and_bookings_follow_looks_as_far_as_a_coach_has_time() -> None:
    wanted = demands(1000, 1.0, 1_000_000, 16)
    assert abs(sum(each.bookings for each in wanted) - 10_000) < 1
    assert max(each.bookings for each in wanted) <= 16
    assert wanted[0].views > 100 * wanted[-1].views
    assert abs(sum(each.views for each in wanted) - 500_000) < 1


def test_ages_that_are_added_by_ranges_are_those_that_are_added_one_by_one() -> None:
    ranges, singles = Ages(), Ages()
    for longest, weight in ((10, 1.0), (100, 0.5), (3, 2.0)):
        ranges.add_range(longest, weight)
        for age in range(longest + 1):
            singles.add(age, weight)
    for share in (0.1, 0.5, 0.9, 0.99):
        assert ranges.percentile(share) == singles.percentile(share)
    assert ranges.percentile(1.0) <= 100 == percentile([100], 1)


def test_what_a_booking_takes_in_the_database_is_measured_on_a_real_one() -> None:
    assert 500 < bytes_per_booking() < 50_000


def _ran(scenario: Scenario) -> Simulation:
    run = Simulation(scenario)
    run.run()
    return run
