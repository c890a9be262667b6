"""A day of 100,000 coaches and a million bookings on a virtual clock: what our own scheduling asks of the world.

`python -m bench.scale --coaches 1000` takes seconds; all 100,000 take minutes. The same seed gives the same day.
"""

from bench.figures import Outcome
from bench.figures import Size
from bench.figures import single

from .demand import POPULATION
from .simulation import Scenario
from .simulation import Simulation
from .storage import bytes_per_booking
from .summary import Summary
from .summary import summarize


def simulate(scenario: Scenario) -> Summary:
    """Run one day; what a booking takes in the database is measured beside it."""
    run = Simulation(scenario)
    run.run()
    return summarize(run, bytes_per_booking())


def measure(size: Size) -> Outcome:
    """The part: a sample of the coaches in the short forms; what is counted by the second is for all of them."""
    found = simulate(Scenario(coaches=size.of(200, 2000, POPULATION), hours=size.of(6, 24, 24)))
    figures = [single(f"scale.{name}", value, found.units[name], "count") for name, value in found.values.items()]
    return Outcome(figures, found.remarks)
