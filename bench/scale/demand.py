"""Who looks, who books, and what changes: Zipf over the coaches, a daily curve over the hours, chance over the rest."""

import math
from collections.abc import Sequence
from random import Random
from typing import NamedTuple

DAY = 86400
HOUR = 3600
POPULATION = 100_000
"""Coaches that the numbers below are about; a smaller run takes every so-manieth of them."""
VIEWS = 50
"""Looks for each booking."""
CURVE = (
    0.2,
    0.1,
    0.1,
    0.1,
    0.2,
    0.4,
    0.7,
    1.0,
    1.3,
    1.5,
    1.5,
    1.4,
    1.4,
    1.4,
    1.4,
    1.4,
    1.4,
    1.4,
    1.5,
    1.7,
    1.7,
    1.4,
    0.9,
    0.4,
)
"""How busy each local hour is."""
INDONESIA = (("Asia/Jakarta", 7), ("Asia/Makassar", 8), ("Asia/Jayapura", 9))
ZONES = (*INDONESIA, ("Europe/Berlin", 1), ("America/New_York", -5))
"""Where coaches live, and hours from UTC in November; most live in the first three."""
SHARES = (0.40, 0.15, 0.05, 0.25, 0.15)


class Demand(NamedTuple):
    """What one coach's page sees in a day: looks and wishes to book."""

    views: float
    bookings: float


def demands(coaches: int, exponent: float, bookings_a_day: float, most: float) -> list[Demand]:
    """Zipf looks; bookings follow them as far as a coach has time for `most` a day. For the ranks of a smaller run."""
    step = POPULATION / coaches
    weights = [((number + 0.5) * step) ** -exponent for number in range(coaches)]
    whole = sum(weights)
    bookings = bookings_a_day * coaches / POPULATION
    shares = [weight / whole for weight in weights]
    booked = filled(shares, bookings, most)
    return [Demand(VIEWS * bookings * share, own) for share, own in zip(shares, booked, strict=True)]


def filled(shares: Sequence[float], total: float, most: float) -> list[float]:
    """The total handed out by shares, nobody more than `most`; what is over goes to the others (water-filling)."""
    if total >= most * len(shares):
        return [most] * len(shares)
    low, high = 0.0, most / min(shares)
    for _ in range(100):
        middle = (low + high) / 2
        if sum(min(most, share * middle) for share in shares) < total:
            low = middle
        else:
            high = middle
    return [min(most, share * high) for share in shares]


def rate_at(a_day: float, at: int, offset: int) -> float:
    """What happens so often a day, per second, at a moment, where the clock is so many hours ahead."""
    return a_day / DAY * CURVE[(at // HOUR + offset) % 24] * MEAN


def next_event(a_day: float, offset: int, start: int, end: int, dice: Random) -> int:
    """When the next of them happens in [start, end); -1 if none does."""
    patience, at = dice.expovariate(1), start
    while at < end:
        rate, edge = rate_at(a_day, at, offset), min((at // HOUR + 1) * HOUR, end)
        if rate * (edge - at) > patience:
            return int(at + patience / rate)
        patience -= rate * (edge - at)
        at = edge
    return -1


def poisson(mean: float, dice: Random) -> int:
    """How many happen where so many do on average (small means)."""
    limit, count, product = math.exp(-mean), 0, dice.random()
    while product > limit:
        count += 1
        product *= dice.random()
    return count


MEAN = 24 / sum(CURVE)
