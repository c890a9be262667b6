"""What may stand in `config.toml`, table by table, with what holds where nothing stands."""

from typing import Annotated
from typing import Literal

import msgspec

Port = Annotated[int, msgspec.Meta(ge=1, le=65535)]
Contact = Annotated[str, msgspec.Meta(pattern=r"^(|mailto:[^\s@]+@[^\s@]+|https://\S+)$")]
HostName = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9-]+(\.[a-z0-9-]+)+(:[0-9]+)?$")]


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
