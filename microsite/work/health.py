"""Is the house well? Counts and words only, nothing about a person."""

from typing import NamedTuple

from microsite.services import Services


class Health(NamedTuple):
    """What `/healthz` tells: whether pages can be served, and how the jobs and calendars are."""

    ok: bool
    database: str
    jobs_waiting: int
    jobs_given_up: int
    calendars_failing: int


def health(services: Services) -> Health:
    """The state of the house now; raises whatever the database raises when it cannot be read."""
    with services.store.read() as tx:
        waiting, dead = services.jobs.counts(tx)
        rows = [row for coach in tx.coaches.all() for row in tx.mirror.calendars(coach.slug)]
    failing = sum(1 for row in rows if row.first_failed_at or not row.last_ok_at)
    return Health(True, "ok", waiting, dead, failing)
