"""The operator's hands: the rooms of an instance opened beside the running site, with no job running here."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from microsite.config import load_config
from microsite.core.bookings import ENDED
from microsite.core.bookings import LIVE
from microsite.services import Services
from microsite.services import build
from tests.conftest import Site
from tests.conftest import wait_until


@contextmanager
def backstage(site: Site) -> Iterator[Services]:
    """The instance's services."""
    services = build(load_config(site.environ))
    try:
        yield services
    finally:
        services.close()


def change_offer(site: Site, coach: str, offer: str, **changes: object) -> None:
    """Give one of a coach's offers other rules."""
    with backstage(site) as services, services.store.change(coach) as tx:
        settings = tx.coaches.settings(coach)
        offers = [msgspec.structs.replace(each, **changes) if each.slug == offer else each for each in settings.offers]
        tx.coaches.save_settings(coach, msgspec.structs.replace(settings, offers=offers))


def states(site: Site, coach: str) -> list[str]:
    """The states of all bookings there ever were, in order of time."""
    with backstage(site) as services, services.store.read() as tx:
        found = tx.bookings.in_states(LIVE | ENDED)
    return [each.state for each in sorted(found, key=lambda each: each.start) if each.coach == coach]


def wait_until_all_is_told(site: Site) -> None:
    """Wait until no letter is queued: only then can be said that there is no second one."""
    with backstage(site) as services:

        def queued() -> list[str]:
            with services.store.read() as tx:
                return tx.letters.all_queued()

        wait_until(lambda: not queued(), what="every letter sent")
