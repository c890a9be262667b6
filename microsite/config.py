"""The operator's settings: address, database, mail relay, calendars, secrets. Read once at start, then frozen.

The only place that reads files and the environment at start. Secrets are looked for in this order: a systemd
credential, a file named in the settings, the environment (weaker: inherited and visible in dumps), the settings file.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from typing import Annotated
from typing import Any
from typing import Literal
from typing import get_args
from typing import get_type_hints
from urllib.parse import urlsplit

import msgspec

from microsite.core.people import Secret
from microsite.errors import SettingsError
from microsite.errors import StartRefused

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Contact = Annotated[str, msgspec.Meta(pattern=r"^(|mailto:[^\s@]+@[^\s@]+|https://\S+)$")]
HostName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?$")]
LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})


class Site(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where the site is reached, who runs it and where, whom to tell of a weakness, who may frame `/embed`."""

    address: str = ""
    name: str = ""
    operator: str = ""
    country: str = ""
    security_contact: Contact = ""
    embed_hosts: list[HostName] = []


class Database(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Where bookings are kept; empty means an SQLite file in the instance folder."""

    url: str = ""


class Jobs(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which engine runs the jobs; auto: procrastinate on PostgreSQL, the outbox on SQLite."""

    engine: Literal["auto", "outbox", "procrastinate"] = "auto"


class Mail(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


class Google(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
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


class Limits(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Rate limits; a mobile carrier puts thousands behind one address, so they are generous.

    Counted are bookings made, links that opened nothing, and knocks at the desk's door. `storage` is "memory://", or
    "redis://…" where several machines count together; `trusted_proxies` is how many of our own stand in front.
    """

    storage: str = "memory://"
    bookings: str = "120 per hour"
    tokens: str = "60 per minute"
    sign_ins: str = "120 per hour"
    trusted_proxies: Annotated[int, msgspec.Meta(ge=0, le=5)] = 0


class File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole of `config.toml`."""

    site: Site = Site()
    database: Database = Database()
    jobs: Jobs = Jobs()
    mail: Mail = Mail()
    calendars: Calendars = Calendars()
    google: Google = Google()
    limits: Limits = Limits()
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
        database: str = "",
    ) -> None:
        self.instance, self.file, self.port, self.configured = instance, file, port, configured
        self._secrets, self._database = dict(secrets), database

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
        url = self._database or self.file.database.url or f"sqlite:///{self.instance / 'site.db'}"
        return url.replace("postgresql://", "postgresql+psycopg://", 1)

    @property
    def jobs_engine(self) -> str:
        """outbox or procrastinate."""
        chosen = self.file.jobs.engine
        if chosen != "auto":
            return chosen
        return "procrastinate" if self.database_url.startswith("postgresql") else "outbox"

    @property
    def mail_password(self) -> Secret:
        """The relay's password, empty where it wants none."""
        return self._secrets.get("mail", Secret(""))

    @property
    def google_secret(self) -> Secret:
        """The secret of the registered app, empty where it has none."""
        return self._secrets.get("google", Secret(""))

    @property
    def secrets(self) -> Mapping[str, Secret]:
        """Every secret by its name, wherever it came from."""
        return self._secrets

    @property
    def sender(self) -> str:
        """The From address of every letter."""
        return self.file.mail.sender or f"booking@{self.host}"

    @cached_property
    def dav_folder(self) -> Path:
        """Where the embedded calendar server keeps its collections."""
        return self.instance / "dav"

    def __repr__(self) -> str:
        return f"Config({self.address})"


def load_config(environ: Mapping[str, str], instance: Path | None = None) -> Config:
    """Read and check the operator's settings; raises SettingsError or StartRefused, which say what to do."""
    if environ.get("PYTHON_CALDAV_COMMDUMP"):
        raise StartRefused(
            "PYTHON_CALDAV_COMMDUMP is set: it writes passwords into the temp folder. Unset it and start again."
        )
    instance = instance or Path(environ.get("MICROSITE_INSTANCE") or "instance").absolute()
    path = instance / "config.toml"
    file = _read(path)
    database = environ.get("MICROSITE_DATABASE_URL", "")
    config = Config(instance, file, _secrets(file, environ, path), _port(environ), path.exists(), database)
    _check(config, str(path))
    return config


def _read(path: Path) -> File:
    if not path.exists():
        return File()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), "the whole file", "something that is not TOML", str(error)) from error
    try:
        return msgspec.convert(document, File)
    except msgspec.ValidationError as error:
        raise _explained(str(path), document, str(error)) from error


def _explained(where: str, document: Any, text: str) -> SettingsError:
    """msgspec says «message - at `$.mail.port`»; what it leaves out is looked up: the value, and what may stand there.

    A whole table is never shown: a password may be in it.
    """
    message, _, path = text.partition(" - at `")
    field = path.rstrip("`").removeprefix("$").removeprefix(".")
    unknown = re.search("unknown field `(.+)`", message)
    if unknown:
        known = _kind(field).__struct_fields__
        return SettingsError(where, f"{field}.{unknown[1]}".lstrip("."), "an unknown name", ", ".join(known))
    if "enum value" in message:
        message = " or ".join(repr(each) for each in get_args(_kind(field)))
    return SettingsError(where, field or "the whole file", _found(document, field), message)


def _kind(field: str) -> Any:
    """The type of a field by its dotted name."""
    kind: Any = File
    for name in filter(None, field.split(".")):
        kind = get_type_hints(kind)[name]
    return kind


def _found(document: Any, field: str) -> str:
    for step in field.split("."):
        document = document.get(step, "nothing") if isinstance(document, Mapping) else document
    shown = isinstance(document, str | int | float) and not field.endswith(("password", "secret"))
    return repr(document) if shown else "a value of the wrong kind"


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT", "8000")
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError("the environment", "PORT", repr(text), "a port number from 1 to 65535")
    return int(text)


def _secrets(file: File, environ: Mapping[str, str], path: Path) -> dict[str, Secret]:
    mail, google, field = file.mail, file.google, "google.client_secret_file"
    return {
        "mail": _secret(environ, path, "mail-password", "mail.password_file", mail.password_file, mail.password),
        "google": _secret(environ, path, "google-secret", field, google.client_secret_file, google.client_secret),
    }


def _secret(environ: Mapping[str, str], path: Path, name: str, field: str, named: str, written: str) -> Secret:
    """A secret by the name of its credential, else from the file named in the settings, else as told or written."""
    credentials = environ.get("CREDENTIALS_DIRECTORY", "")
    if credentials and (found := Path(credentials) / name).exists():
        return Secret(found.read_text(encoding="utf-8").strip())
    if named:
        if not Path(named).is_file():
            raise SettingsError(str(path), field, repr(named), "a file that exists")
        return Secret(Path(named).read_text(encoding="utf-8").strip())
    return Secret(environ.get(f"MICROSITE_{name.upper().replace('-', '_')}") or written)


def _check(config: Config, where: str) -> None:
    address, mail = config.file.site.address, config.file.mail
    if config.configured and not address:
        raise SettingsError(where, "site.address", "nothing", "the site's address, such as https://book.example")
    parts = urlsplit(config.address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(where, "site.address", repr(address), "https:// and a host name, without a path")
    if parts.scheme == "http" and config.host not in LOOPBACK:
        raise SettingsError(where, "site.address", repr(address), "https:// (http only for localhost)")
    if config.jobs_engine == "procrastinate" and not config.database_url.startswith("postgresql"):
        raise SettingsError(where, "jobs.engine", "'procrastinate'", "auto or outbox: database.url is no PostgreSQL")
    if mail.host and mail.security == "none" and mail.host not in LOOPBACK:
        raise SettingsError(where, "mail.security", "'none'", "starttls or tls, unless the relay is on this machine")
    for name in ("authorize_url", "token_url", "caldav_url", "redirect_uri"):
        _check_secure(getattr(config.file.google, name), where, f"google.{name}")
    if mail.host and not mail.sender:
        raise SettingsError(where, "mail.sender", "nothing", "the address letters come from, such as halo@book.example")


def _check_secure(address: str, where: str, field: str) -> None:
    parts = urlsplit(address)
    if not parts.hostname or (parts.scheme != "https" and (parts.scheme, parts.hostname in LOOPBACK) != ("http", True)):
        raise SettingsError(where, field, repr(address), "https:// and a host name (http only for this machine)")
