"""The operator's hands: the rooms of an instance opened beside the running site, with no job running here."""

from collections.abc import Iterator
from contextlib import contextmanager

import msgspec

from microsite.config import load_config
from microsite.core.letters import CLIENT
from microsite.services import Services
from microsite.services import build
from tests.conftest import Site


@contextmanager
def backstage(site: Site) -> Iterator[Services]:
    """The instance's services."""
    environ = {"MICROSITE_INSTANCE": str(site.instance), "PORT": str(site.port)}
    services = build(load_config(environ))
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
    from microsite.core.bookings import ENDED
    from microsite.core.bookings import LIVE

    with backstage(site) as services, services.store.read() as tx:
        found = tx.bookings.in_states(LIVE | ENDED)
    return [each.state for each in sorted(found, key=lambda each: each.start) if each.coach == coach]


def told(site: Site, ref: str, coach: str) -> list[str]:
    """The kinds of all letters to the client of a booking, in order."""
    with backstage(site) as services, services.store.read() as tx:
        booking = tx.bookings.by_ref(coach, ref)
        return [row.kind for row in tx.letters.of(booking.id) if row.recipient == CLIENT]
