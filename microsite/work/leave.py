"""Who is here, and a coach who leaves: everything of hers is erased, once nobody counts on a session with her."""

from microsite.core.bookings import LIVE
from microsite.errors import NotFound
from microsite.errors import NotPossibleNow
from microsite.services import Services

from .accounts import has_embedded
from .look import Coach
from .look import house


def everybody(services: Services) -> list[Coach]:
    """Every coach, whether her page is open or not."""
    with services.store.read() as tx:
        slugs = tx.coaches.slugs()
    return [house(services, slug) for slug in slugs]


def remove(services: Services, slug: str) -> None:
    """Erase a coach with all that hangs on her; on other calendar servers nothing is changed.

    Raises NotFound, and NotPossibleNow while sessions are to come: their clients must be told first.
    """
    embedded = has_embedded(services, slug)
    with services.store.change(slug) as tx:
        coming = tx.bookings.coming(slug, LIVE, services.clock())
        if coming:
            raise NotPossibleNow(
                f"{len(coming)} sessions of «{slug}» are to come; cancel them at the desk first, so that their clients"
                " are told. Nothing was erased"
            )
        if not tx.coaches.remove(slug):
            raise NotFound(f"no coach «{slug}»")
    services.store.truncate_log()
    if embedded:
        services.calendars.remove_embedded_user(services.config.instance / "dav.htpasswd", slug)
