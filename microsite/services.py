"""The composition root: builds store, calendars, mailer, sealer, jobs and clock once, and knows them all.

Rooms import their heavy libraries when they are first used, so a web process that only shows times stays small.
"""

import secrets
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from dataclasses import field
from pathlib import Path
from typing import TYPE_CHECKING

from flask import current_app

from .calendars import Calendars
from .config import Config
from .core import remedies
from .core.bounded import Bounded
from .core.courtesy import Courtesy
from .core.mirror import OAuthApp
from .core.people import Secret
from .errors import StartRefused
from .jobs import Engine
from .mail import Maildir
from .mail import Mailer
from .mail import Smtp
from .pictures import Pictures
from .sealing import FolderKeyring
from .sealing import Keyring
from .sealing import Sealer
from .sealing import ServerKey
from .sealing import ServerKeyFile
from .sealing import files as files
from .sealing import new_key
from .store import Store

if TYPE_CHECKING:
    from .calendars.embedded import Embedded
    from .work.seen import Seen

TEMPLATES = Path(__file__).parent.parent / "templates"
BRAND = "Janji Temu"
SEEN_BYTES = 6 * 1024 * 1024
"""What one process remembers of what decides about coaches' times: some 300 quiet ones, or 70 with 4,000 events."""
FILES = ("config.toml", "server.key", "site.db", "jobs.lock", "dav.htpasswd", "WELCOME.txt")
FOLDERS = ("day-keys", "dav", "mail")
RESTORING = "restoring"
"""A file that is there while a backup is being written into the instance folder."""


@dataclass(frozen=True)
class Services:
    """Everything the work modules act through. `clock` answers UTC seconds; `seen` is `work.seen`'s memory."""

    config: Config
    store: Store
    sealer: Sealer
    calendars: Calendars
    mailer: Mailer
    jobs: Engine
    clock: Callable[[], int]
    embedded: "Embedded | None" = field(default=None, repr=False)
    pictures: Pictures = field(default_factory=Pictures, repr=False)
    embedded_turn: Courtesy = field(default_factory=lambda: Courtesy(1.0), repr=False)
    """Who reads calendars of the embedded server: that takes no network, only this process's own interpreter."""
    place: str = ""
    """Which instance folder this is, wherever it is mounted; empty where the database says so by lying in it."""
    seen: "Bounded[str, Seen]" = field(
        default_factory=lambda: Bounded(SEEN_BYTES, lambda seen: seen.weight), repr=False
    )

    def close(self) -> None:
        """Stop the jobs and give files and connections back."""
        self.jobs.stop()
        self.calendars.close()
        self.store.close()
        close_keyring(self.sealer.keyring)


def clock() -> int:
    """The one place that reads the wall clock for the site."""
    return int(time.time())


def get_services() -> Services:
    """The services of the running application."""
    services: Services = current_app.extensions["microsite"]
    return services


def build(config: Config, now: Callable[[], int] = clock) -> Services:
    """Build everything for one process; makes the instance folder and the server key on the first start.

    Raises StartRefused where a secret lies open or the database is unfit.
    """
    _close_fresh(config.instance)
    if (config.instance / RESTORING).exists():
        raise StartRefused(f"a restore into {config.instance} was ended: empty that folder, then restore again")
    files.make_folder(config.instance)
    _check_kinds(config.instance)
    store = Store(config.database_url)
    sealer = Sealer(_server_key(config), _keyring(config))
    embedded = _embedded(config, lambda path: on_change(path)) if config.file.calendars.embedded else None
    services = Services(
        config=config,
        store=store,
        sealer=sealer,
        calendars=Calendars(
            embedded,
            frozenset(config.file.calendars.allow_private_hosts),
            config.file.calendars.contained,
            _app(config),
        ),
        mailer=_mailer(config),
        jobs=_jobs(config, store, now),
        clock=now,
        embedded=embedded,
        place=_place(config.instance) if config.on_postgres else "",
    )

    def on_change(path: str) -> None:
        # Imported late: work knows the types of this module.
        from .work.sync import on_embedded_change

        on_embedded_change(services, path)

    return services


def _jobs(config: Config, store: Store, now: Callable[[], int]) -> Engine:
    if config.jobs_engine == "procrastinate":
        from .jobs.procrastinate import Procrastinate

        address = config.database_url.replace("postgresql+psycopg://", "postgresql://", 1)
        return Procrastinate(store, address, now, beat=config.file.jobs.heartbeat)
    from .jobs.outbox import Outbox

    return Outbox(store, config.instance / "jobs.lock", now)


def _app(config: Config) -> OAuthApp | None:
    google = config.file.google
    if not google.client_id:
        return None
    return OAuthApp(
        client_id=google.client_id,
        client_secret=config.google_secret.reveal(),
        authorize_url=google.authorize_url,
        token_url=google.token_url,
        scope=google.scope,
        redirect_uri=google.redirect_uri,
    )


def _close_fresh(instance: Path) -> None:
    """A fresh clone brings the folder, open to all, with the example in it: nothing secret can have been read yet."""
    if instance.is_dir() and not {path.name for path in instance.iterdir()} - {"config.example.toml"}:
        instance.chmod(0o700)


def _check_kinds(instance: Path) -> None:
    """A folder where a file belongs (a container's mount of what was not there makes one), or the other way round."""
    for name in FILES:
        if (instance / name).is_dir():
            raise StartRefused(remedies.FOLDER.of(str(instance / name)))
    for name in FOLDERS:
        if (instance / name).exists() and not (instance / name).is_dir():
            raise StartRefused(remedies.NO_FOLDER.of(str(instance / name)))


def _server_key(config: Config) -> ServerKey:
    if config.server_key:
        return ServerKey.from_text(config.server_key)
    path = config.instance / "server.key"
    if not path.exists():
        with suppress(FileExistsError):  # another process was quicker: its key is the one
            files.create_secret(path, ServerKey.new().to_text())
    files.read_secret(path)  # refuses a file that others can read before anything is said of what is in it
    try:
        return ServerKeyFile(path)
    except StartRefused as error:
        lost = "with another one, calendar passwords must be entered again and the addresses in letters open nothing"
        raise StartRefused(f"{path} is damaged: {error}. First look for it in a backup: {lost}") from error


def _keyring(config: Config) -> Keyring:
    if not config.keyring_url:
        return FolderKeyring(config.instance / "day-keys")
    from .store.keyring import DatabaseKeyring

    return DatabaseKeyring(config.keyring_url, new_key)


def bring_day_keys(services: Services) -> int:
    """Move the keys from the instance folder into the keyring of these services; answers how many.

    Each is there before it is destroyed here, so whatever interrupts this, it can be done again.
    """
    folder, keyring = FolderKeyring(services.config.instance / "day-keys"), services.sealer.keyring
    days = folder.days()
    for day in days:
        keyring.put(day, folder.get(day))  # type: ignore[attr-defined]
        folder.destroy(day)
    return len(days)


def close_keyring(keyring: Keyring) -> None:
    """Give its connections back, where it has any."""
    if not isinstance(keyring, FolderKeyring):
        keyring.close()  # type: ignore[attr-defined]


def _place(instance: Path) -> str:
    path = instance / "place"
    with suppress(FileExistsError):
        files.create_secret(path, Secret(secrets.token_hex(8)))
    return path.read_text(encoding="ascii").strip()


def _embedded(config: Config, on_change: Callable[[str], None]) -> "Embedded":
    from .calendars.embedded import open_embedded

    return open_embedded(config.dav_folder, config.instance / "dav.htpasswd", on_change)


def _mailer(config: Config) -> Mailer:
    mail = config.file.mail
    delivery = (
        Smtp(mail.host, mail.port, mail.security, mail.username, config.mail_password, config.sender)
        if mail.host
        else Maildir(config.instance / "mail")
    )
    return Mailer(delivery, config.sender, config.file.site.name or BRAND, config.address, TEMPLATES / "mail")
