"""Setting up: the database brought up to date, a coach with her key and calendars, and the checks before a start."""

import secrets

from microsite.core.mirror import Account
from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.core.settings import check_slug
from microsite.errors import StartRefused
from microsite.services import Services

from . import machines
from .sync import SIGN_IN
from .sync import embedded_url


def add_coach(services: Services, slug: str, settings: CoachSettings, recipient: str = "", demo: bool = False) -> None:
    """A new coach; raises SettingsError for a bad slug.

    Without a public key to seal to, her page takes no bookings: it opens when she has made her keys at the desk.
    """
    check_slug(slug, "the coach", "slug")
    with services.store.write() as tx:
        if tx.coaches.get(slug) is not None:
            raise StartRefused(f"a coach «{slug}» is there already; nothing was changed")
        tx.coaches.add(slug, settings, demo=demo, open_=bool(recipient))
        if recipient:
            tx.coaches.add_key(secrets.token_hex(8), slug, recipient, "everyday", services.clock())


def add_embedded_calendars(services: Services, slug: str, names: dict[str, tuple[str, set[str]]]) -> Secret:
    """Make calendars on the embedded server: name -> (title, roles). Answers the new CalDAV password of the user."""
    password = give_embedded_password(services, slug)
    for name, (title, _) in names.items():
        services.calendars.make_embedded(slug, name, title)
    with services.store.write() as tx:
        for name, (title, roles) in names.items():
            url = embedded_url(f"{slug}/{name}")
            tx.mirror.add_calendar(secrets.token_hex(8), slug, url, title, roles, username=slug)
    return password


def give_embedded_password(services: Services, slug: str) -> Secret:
    """A new password on the embedded server, in place of any old one; raises StartRefused where there is no server."""
    if services.embedded is None:
        raise StartRefused("the embedded calendar server is switched off (calendars.embedded)")
    password = Secret(secrets.token_urlsafe(12))
    services.calendars.add_embedded_user(services.config.instance / "dav.htpasswd", slug, password)
    return password


def add_calendar(
    services: Services,
    slug: str,
    url: str,
    name: str,
    roles: set[str],
    username: str,
    password: Secret,
    profile: str = "",
) -> str:
    """A calendar on another server; raises CalendarError where it cannot be read now. Answers its id.

    With a profile of `SIGN_IN`, `password` is the lasting permission that the sign-in came to.
    """
    calendar_id = secrets.token_hex(8)
    signed_in = profile in SIGN_IN
    account = Account(
        calendar=calendar_id,
        url=url,
        username="" if signed_in else username,
        password="" if signed_in else password.reveal(),
        refresh=password.reveal() if signed_in else "",
        profile=profile,
        feed="feed" in roles,
    )
    services.calendars.check(account)
    sealed = services.sealer.seal_secret(password, f"calendar/{calendar_id}") if password else None
    with services.store.write() as tx:
        tx.mirror.add_calendar(calendar_id, slug, url, name, roles, username=username, secret=sealed, profile=profile)
    return calendar_id


def renew_permission(services: Services, slug: str, profile: str, username: str, permission: Secret) -> int:
    """Put a new permission in place of the one that was withdrawn; answers for how many calendars."""
    with services.store.write() as tx:
        rows = [row for row in tx.mirror.calendars(slug) if (row.profile, row.username) == (profile, username)]
        for row in rows:
            sealed = services.sealer.seal_secret(permission, f"calendar/{row.id}")
            tx.mirror.touch(row.id, secret=sealed, backoff_until=0, next_poll_at=0)
            services.jobs.enqueue(tx, "sync", row.id)
    return len(rows)


def check_start(services: Services) -> None:
    """Refuse to start where machines would not understand one another, or a real coach's clients get no letters."""
    machines.check(services)
    if services.config.file.mail.host:
        return
    with services.store.read() as tx:
        rows = tx.coaches.all()
    for row in rows:
        if not row.demo and any(offer.email == "required" for offer in row.settings.offers):
            raise StartRefused(
                f"{services.config.instance / 'config.toml'}: mail.host: nothing is set, but «{row.slug}» has offers"
                " that send letters. Set [mail] host, sender and the rest, or make e-mail optional for every offer."
            )
