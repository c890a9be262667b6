"""The privacy page's content of today, its version, and the versions of before. Looking changes nothing.

A version is written down when settings are saved, at a start, and at a booking at the latest: so what a record names
can be shown as long as anybody keeps that record.
"""

from typing import NamedTuple

from microsite.core.settings import RETENTION
from microsite.core.settings import CoachSettings
from microsite.core.terms import Site
from microsite.core.terms import Terms
from microsite.core.terms import decode
from microsite.core.terms import encode
from microsite.core.terms import terms
from microsite.errors import NotFound
from microsite.services import Services

from .retime import date_of

SUCCESSOR = "successor"


class Version(NamedTuple):
    """A version and since which day it is in force."""

    version: str
    since: str


class Page(NamedTuple):
    """What the page shows: the content, its version, whether it is the one in force, and the others, newest first."""

    terms: Terms
    version: Version
    current: bool
    others: list[Version]


def current(services: Services, slug: str, settings: CoachSettings | None = None) -> Terms:
    """What the page says today; raises NotFound."""
    with services.store.read() as tx:
        settings = settings or tx.coaches.settings(slug)
        successor = any(row.kind == SUCCESSOR for row in tx.keys.living(slug))
    return terms(settings, site(services), successor)


def site(services: Services) -> Site:
    """What the operator's settings say on every coach's page."""
    config = services.config
    file = config.file
    return Site(
        address=config.address if config.configured else "",
        operator=file.site.operator,
        country=file.site.country,
        mail=bool(file.mail.host),
        mail_provider=file.mail.provider,
        calendar_here=file.calendars.embedded,
        calendar_provider=file.calendars.provider,
        backup_days=promised_days(services),
    )


def promised_days(services: Services) -> int:
    """For how many days a backup may be kept: the operator's word, else as long as the first records live."""
    named = services.config.file.backup.keep_days
    if named:
        return named
    with services.store.read() as tx:
        return min(tx.coaches.retentions(), default=RETENTION)


def record(services: Services, slug: str) -> str:
    """Write the version of today down, if it is a new one; answers it."""
    found = current(services, slug)
    with services.store.read() as tx:
        rows = tx.terms.of(slug)
    if not rows or rows[-1].version != found.version:
        # Under her lock: two bookings at once may both be the first under a new version.
        with services.store.change(slug) as tx:
            tx.terms.put(slug, found.version, date_of(services.clock()), encode(found))
    return found.version


def record_all(services: Services) -> None:
    """The same for every coach: at a start the operator's settings may be others."""
    with services.store.read() as tx:
        slugs = tx.coaches.slugs()
    for slug in slugs:
        record(services, slug)


def shown(services: Services, slug: str, version: str) -> str:
    """The version that a form named, if it is one of this coach's; else the one in force."""
    with services.store.read() as tx:
        known = {row.version for row in tx.terms.of(slug)}
    return version if version in known else record(services, slug)


def page(services: Services, slug: str, version: str = "") -> Page:
    """The page of a version, or of today; raises NotFound for a version that cannot be shown."""
    now = current(services, slug)
    with services.store.read() as tx:
        rows = tx.terms.of(slug)
    known = {row.version: Version(row.version, row.since) for row in rows}
    known.setdefault(now.version, Version(now.version, date_of(services.clock())))
    asked = version or now.version
    others = [known[row.version] for row in reversed(rows) if row.version != asked]
    if asked == now.version:
        return Page(now, known[asked], True, others)
    found = next((decode(row.facts) for row in rows if row.version == asked), None)
    if found is None:
        raise NotFound("no such version")
    return Page(found, known[asked], False, others)
