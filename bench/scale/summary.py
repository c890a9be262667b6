"""What a simulated day came to, as numbers with units; rates and counts are for all 100,000 coaches."""

from collections import Counter
from collections.abc import Iterable
from itertools import pairwise
from typing import Any
from typing import NamedTuple

from microsite.core.availability import Taken
from microsite.work.polls import WAITING_JOBS

from .demand import HOUR
from .demand import POPULATION
from .fleet import LARGE
from .simulation import Simulation
from .simulation import viewed_within


class Summary(NamedTuple):
    """Values by name, the unit of each, and sentences."""

    values: dict[str, float]
    units: dict[str, str]
    remarks: list[str]

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return {"values": self.values, "units": self.units, "remarks": self.remarks}


def summarize(run: Simulation, bytes_per_booking: float) -> Summary:
    """Count up a run that has ended."""
    scenario, tally = run.scenario, run.tally
    seconds = scenario.hours * HOUR
    scale = POPULATION / scenario.coaches
    per_second = scale / seconds
    polls, bookings = (
        sorted(seconds / HOUR * scale for seconds in each[: scenario.hours])
        for each in (tally.waited_by_polls, tally.waited_by_bookings)
    )
    usual = polls[len(polls) // 2]
    found: list[tuple[str, float, str]] = [
        ("polls_per_second", tally.poll_requests * per_second, "1/s"),
        ("booking_requests_per_second", tally.booking_requests * per_second, "1/s"),
        ("polls_asked_by_looks", 100 * tally.refreshes / max(tally.polls, 1), "%"),
        ("age_seen_p50", tally.seen_age.percentile(0.5), "s"),
        ("age_seen_p99", tally.seen_age.percentile(0.99), "s"),
        ("change_unseen_p50", tally.change_age.percentile(0.5), "s"),
        ("change_unseen_p99", tally.change_age.percentile(0.99), "s"),
        ("polls_in_flight", usual, ""),
        ("polls_in_flight_worst_hour", polls[-1], ""),
        ("booking_steps_in_flight", bookings[len(bookings) // 2], ""),
        ("booking_steps_in_flight_worst_hour", bookings[-1], ""),
        ("workers_for_polls", -(-usual // WAITING_JOBS), ""),
        ("jobs_per_second", tally.jobs * per_second, "1/s"),
        ("most_due_at_once", tally.most_due * scale, ""),
        ("hot_coaches", 100 * _hot(run), "%"),
        ("bookings", tally.bookings["confirmed"] * scale, ""),
        ("bookings_refused", (tally.bookings["taken meanwhile"] + tally.bookings["released"]) * scale, ""),
        ("bookings_failed", tally.bookings["failed, no answer"] * scale, ""),
        ("nothing_free", tally.bookings["nothing free"] * scale, ""),
        ("double_bookings", sum(doubles(coach.confirmed) for coach in run.coaches), ""),
        ("bytes_per_booking", bytes_per_booking, "B"),
        ("storage_mb_a_day", tally.bookings["confirmed"] * scale * 24 / scenario.hours * bytes_per_booking / 1e6, "MB"),
    ]
    found += _by_host(run, seconds, scale)
    return Summary(
        {name: round(value, 4) for name, value, _ in found},
        {name: unit for name, _, unit in found},
        [
            f"{scenario.coaches} of {POPULATION} coaches for {scenario.hours} hours, seed {scenario.seed},"
            f" Zipf {scenario.exponent}, policy {scenario.policy}",
        ],
    )


def doubles(taken: Iterable[Taken]) -> int:
    """How many begin before an earlier one has ended."""
    ordered = sorted((each.start, each.end) for each in taken)
    return sum(later[0] < earlier[1] for earlier, later in pairwise(ordered))


def _hot(run: Simulation) -> float:
    """The share of coaches at whose page somebody looked within the last hour, over the day."""
    return sum(viewed_within(coach.demand.views, HOUR) for coach in run.coaches) / len(run.coaches)


def _by_host(run: Simulation, seconds: int, scale: float) -> list[tuple[str, float, str]]:
    """Requests a second at each large server, polls and bookings together; and at the busiest small one."""
    large = {name for name, _ in LARGE}
    found = []
    whole: Counter[str] = Counter()
    for host in run.hosts:
        if host.name in large:
            found.append((f"requests_{host.name}", sum(host.asked) * scale / seconds, "1/s"))
            found.append((f"requests_{host.name}_busiest_minute", max(host.asked) * scale / 60, "1/s"))
        else:
            whole[host.name] = sum(host.asked)
    if whole:
        found.append(("requests_busiest_small_server", whole.most_common(1)[0][1] / seconds, "1/s"))
    return found
