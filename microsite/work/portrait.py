"""A coach's portrait: made of the file she uploads, kept for every machine of the site, shown, taken away again."""

from microsite.core.happenings import SETTINGS_CHANGED
from microsite.core.portraits import Portrait
from microsite.core.portraits import Size
from microsite.errors import NotFound
from microsite.services import Services


def keep(services: Services, slug: str, upload: bytes) -> None:
    """Put the picture of an uploaded file in the place of the one there was. Raises PictureRefused, NotFound."""
    _put(services, slug, services.pictures.portrait(upload))


def take_away(services: Services, slug: str) -> None:
    """Let there be no portrait. Raises NotFound for a coach there is none of."""
    _put(services, slug, None)


def picture(services: Services, digest: str, size: Size) -> bytes:
    """A portrait by its name, as WebP; raises NotFound."""
    with services.store.read() as tx:
        found: bytes | None = tx.coaches.portrait(digest, size)
    if found is None:
        raise NotFound("no such picture")
    return found


def of_coach(services: Services, slug: str) -> bytes:
    """A coach's portrait in its large size; raises NotFound."""
    with services.store.read() as tx:
        row = tx.coaches.get(slug)
    if row is None or not row.portrait:
        raise NotFound(f"there is no portrait of a coach called {slug}")
    return picture(services, row.portrait, "large")


def _put(services: Services, slug: str, made: Portrait | None) -> None:
    with services.store.change(slug) as tx:
        tx.coaches.set_portrait(slug, made)
        tx.happenings.note(slug, "", services.clock(), SETTINGS_CHANGED)
