"""The operator's settings: address, database, mail relay, calendars, secrets. Read once at start, then frozen.

Together with `credentials`, which finds the secrets, the only place that reads files and the environment at start.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated
from typing import Literal
from urllib.parse import urlsplit

import msgspec

from microsite import credentials
from microsite import toml_file
from microsite.core.people import Secret
from microsite.errors import SettingsError
from microsite.errors import StartRefused

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Contact = Annotated[str, msgspec.Meta(pattern=r"^(|mailto:[^\s@]+@[^\s@]+|https://\S+)$")]
HostName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?$")]
TOKEN_LENGTH = 24
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class _Discreet(msgspec.Struct, frozen=True):
    """Settings among which a secret may be: they print as nothing but their name."""

    def __repr__(self) -> str:
        return f"{type(self).__name__}(***)"

    __str__ = __repr__


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the site is reached, who runs it and where, whom to tell of a weakness, who may frame `/embed`.

    Several machines need one server key: each is handed the same (`server_key_file`).
    """

    address: str = ""
    name: str = ""
    operator: str = ""
    country: str = ""
    security_contact: Contact = ""
    embed_hosts: list[HostName] = []
    server_key_file: str = ""


class Database(_Discreet, frozen=True, forbid_unknown_fields=True):
    """Where bookings are kept; empty means an SQLite file in the instance folder."""

    url: str = ""
    url_file: str = ""


class Keyring(_Discreet, frozen=True, forbid_unknown_fields=True):
    """Where the keys of each day are kept: a PostgreSQL database of their own; empty means the instance folder."""

    url: str = ""
    url_file: str = ""


class Jobs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which engine runs the jobs; auto: procrastinate on PostgreSQL, the outbox on SQLite.

    `heartbeat`: seconds between two signs of life of a worker; when three did not come, others take its jobs.
    """

    engine: Literal["auto", "outbox", "procrastinate"] = "auto"
    heartbeat: Annotated[int, msgspec.Meta(ge=1, le=60)] = 10


class Mail(_Discreet, frozen=True, forbid_unknown_fields=True):
    """The relay that takes our letters."""

    host: str = ""
    port: Port = 587
    security: Literal["starttls", "tls", "none"] = "starttls"
    username: str = ""
    password: str = ""
    password_file: str = ""
    sender: str = ""
    provider: str = ""


class Calendars(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What calendar addresses are allowed."""

    embedded: bool = True
    allow_private_hosts: list[str] = []
    contained: bool = True
    provider: str = ""


class Google(_Discreet, frozen=True, forbid_unknown_fields=True):
    """The app that the operator registered for calendars that give no access by password.

    `published` says that its consent screen is «In production»: while it is in «Testing», permissions end after 7 days.
    The addresses are Google's own; `{user}` stands for the coach's address there.
    """

    client_id: str = ""
    client_secret: str = ""
    client_secret_file: str = ""
    published: bool = False
    authorize_url: str = "https://accounts.google.com/o/oauth2/v2/auth"
    token_url: str = "https://oauth2.googleapis.com/token"  # noqa: S105 - an address
    caldav_url: str = "https://apidata.googleusercontent.com/caldav/v2/{user}/user"
    scope: str = "https://www.googleapis.com/auth/calendar"
    redirect_uri: str = "http://127.0.0.1:53682/"


class Backup(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where `microsite backup` writes, and for how many days a copy is kept; 0: as long as the records in it."""

    folder: str = ""
    keep_days: Annotated[int, msgspec.Meta(ge=0, le=365)] = 0


class Limits(_Discreet, frozen=True, forbid_unknown_fields=True):
    """Rate limits; a mobile carrier puts thousands behind one address, so they are generous.

    Counted are bookings made, links that opened nothing, and knocks at the desk's door. `storage` is "memory://", or
    "redis://…" where several machines count together; `trusted_proxies` is how many of our own stand in front.
    """

    storage: str = "memory://"
    storage_file: str = ""
    bookings: str = "120 per hour"
    tokens: str = "60 per minute"
    sign_ins: str = "120 per hour"
    trusted_proxies: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0


class Logs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What goes to standard error, and how: lines for people or JSON for programs; `requests` adds a line for each."""

    form: Literal["lines", "json"] = "lines"
    level: Literal["info", "warning", "error"] = "info"
    requests: bool = False


class Metrics(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers at `/metrics` for Prometheus; without a token for programs on this machine only.

    `coaches` names coaches whose calendars fail; nothing about a booking is ever told by coach.
    """

    enabled: bool = False
    token: str = ""
    token_file: str = ""
    coaches: bool = False


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `config.toml`."""

    site: Site = Site()
    database: Database = Database()
    keyring: Keyring = Keyring()
    jobs: Jobs = Jobs()
    mail: Mail = Mail()
    calendars: Calendars = Calendars()
    google: Google = Google()
    limits: Limits = Limits()
    logs: Logs = Logs()
    metrics: Metrics = Metrics()
    backup: Backup = Backup()


class Config:
    """All operator settings of one process, checked. `instance` is the folder of everything made at run time."""

    def __init__(
        self,
        instance: Path,
        file: File,
        secrets: Mapping[str, Secret],
        port: int,
        configured: bool,
    ) -> None:
        self.instance, self.file, self.port, self.configured = instance, file, port, configured
        self._secrets = dict(secrets)

    @property
    def address(self) -> str:
        """The site's address without a trailing slash; every link in a letter begins with it."""
        return self.file.site.address.rstrip("/") or f"http://localhost:{self.port}"

    @property
    def host(self) -> str:
        """The host name of the address: the domain of UIDs and Message-IDs."""
        return urlsplit(self.address).hostname or "localhost"

    @property
    def https(self) -> bool:
        """Whether visitors come over TLS."""
        return self.address.startswith("https:")

    @property
    def trusted_hosts(self) -> list[str]:
        """The Host values that are answered; anything else is 400."""
        return sorted({self.host, *LOOPBACK} if self.host in LOOPBACK else {self.host})

    @property
    def database_url(self) -> str:
        """SQLAlchemy's URL of the store."""
        url = self._secret("database-url").reveal() or f"sqlite:///{self.instance / 'site.db'}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def on_postgres(self) -> bool:
        """Whether the store is PostgreSQL, which several machines can share."""
        return self.database_url.startswith("postgresql")

    @property
    def keyring_url(self) -> str:
        """SQLAlchemy's URL of the key database; empty where the day keys are in the instance folder."""
        return self._secret("keyring-url").reveal().replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def limits_storage(self) -> str:
        """Where limits are counted: "memory://" or the address of a Redis or Valkey."""
        return self._secret("limits-storage").reveal() or "memory://"

    @property
    def server_key(self) -> Secret:
        """The server key that was handed in, empty where it is a file of the instance folder."""
        return self._secret("server-key")

    @property
    def jobs_engine(self) -> str:
        """outbox or procrastinate."""
        chosen = self.file.jobs.engine
        if chosen != "auto":
            return chosen
        return "procrastinate" if self.on_postgres else "outbox"

    @property
    def mail_password(self) -> Secret:
        """The relay's password, empty where it wants none."""
        return self._secret("mail-password")

    @property
    def google_secret(self) -> Secret:
        """The secret of the registered app, empty where it has none."""
        return self._secret("google-secret")

    @property
    def metrics_token(self) -> Secret:
        """What a program on another machine shows to read the metrics; empty: none may."""
        return self._secret("metrics-token")

    @property
    def secrets_elsewhere(self) -> Mapping[str, Secret]:
        """The secrets that stand in no setting: given as a credential, by the environment, or in another file."""
        given = self._secrets.items()
        return {name: secret for name, secret in given if secret and secret != credentials.written(name, self.file)}

    @property
    def sender(self) -> str:
        """The From address of every letter."""
        return self.file.mail.sender or f"booking@{self.host}"

    @cached_property
    def dav_folder(self) -> Path:
        """Where the embedded calendar server keeps its collections."""
        return self.instance / "dav"

    def _secret(self, name: str) -> Secret:
        return self._secrets.get(name, Secret(""))

    def __repr__(self) -> str:
        return f"Config({self.address})"


def instance_folder(environ: Mapping[str, str]) -> Path:
    """Where everything lies that is made at run time."""
    return Path(environ.get("MICROSITE_INSTANCE") or "instance").absolute()


def load_config(environ: Mapping[str, str], instance: Path | None = None) -> Config:
    """Read and check the operator's settings; raises SettingsError or StartRefused, which say what to do."""
    if environ.get("PYTHON_CALDAV_COMMDUMP"):
        raise StartRefused(
            "PYTHON_CALDAV_COMMDUMP is set: it writes passwords into the temp folder. Unset it and start again."
        )
    instance = instance or instance_folder(environ)
    path = instance / "config.toml"
    file: File = toml_file.read(path, File)
    config = Config(instance, file, credentials.read(file, environ, path), _port(environ), path.exists())
    _check(config, str(path))
    return config


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT", "8000")
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError("the environment", "PORT", repr(text), "a port number from 1 to 65535")
    return int(text)


def _check(config: Config, where: str) -> None:
    address, mail = config.file.site.address, config.file.mail
    if config.configured and not address:
        raise SettingsError(where, "site.address", "nothing", "the site's address, such as https://book.example")
    parts = urlsplit(config.address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(where, "site.address", repr(address), "https:// and a host name, without a path")
    if parts.scheme == "http" and config.host not in LOOPBACK:
        raise SettingsError(where, "site.address", repr(address), "https:// (http only for localhost)")
    if config.jobs_engine == "procrastinate" and not config.on_postgres:
        raise SettingsError(where, "jobs.engine", "'procrastinate'", "auto or outbox: database.url is no PostgreSQL")
    if config.keyring_url and not config.keyring_url.startswith("postgresql+psycopg://"):
        raise SettingsError(where, "keyring.url", "another kind of address", "postgresql://user@host/name")
    if config.keyring_url and _same_place(config.keyring_url) == _same_place(config.database_url):
        allowed = "a database of its own: whatever copies the bookings would keep the day keys"
        raise SettingsError(where, "keyring.url", "the database of the bookings", allowed)
    if mail.host and mail.security == "none" and mail.host not in LOOPBACK:
        raise SettingsError(where, "mail.security", "'none'", "starttls or tls, unless the relay is on this machine")
    for name in ("authorize_url", "token_url", "caldav_url", "redirect_uri"):
        _check_secure(getattr(config.file.google, name), where, f"google.{name}")
    if config.metrics_token and len(config.metrics_token.reveal()) < TOKEN_LENGTH:
        raise SettingsError(where, "metrics.token", "a short one", f"{TOKEN_LENGTH} signs: openssl rand -hex 32")
    if mail.host and not mail.sender:
        raise SettingsError(where, "mail.sender", "nothing", "the address letters come from, such as halo@book.example")


def _same_place(url: str) -> tuple[str | None, int, str]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 5432, parts.path


def _check_secure(address: str, where: str, field: str) -> None:
    parts = urlsplit(address)
    if not parts.hostname or (parts.scheme != "https" and (parts.scheme, parts.hostname in LOOPBACK) != ("http", True)):
        raise SettingsError(where, field, repr(address), "https:// and a host name (http only for this machine)")
