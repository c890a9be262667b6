"""The operator's settings: address, database, mail relay, calendars, secrets. Read once at start, then frozen.

Together with `credentials`, which finds the secrets, the only place that reads files and the environment at start.
What may stand in the file is `file`'s; what is refused although it has the right form, `checks`'.
"""

from collections.abc import Mapping
from functools import cached_property
from pathlib import Path
from urllib.parse import urlsplit

from microsite import credentials
from microsite import toml_file
from microsite.core.people import Secret
from microsite.errors import SettingsError
from microsite.errors import StartRefused

from .checks import LOOPBACK
from .checks import check
from .checks import check_address
from .checks import check_security
from .checks import check_sender
from .file import Backup
from .file import Calendars
from .file import Database
from .file import File
from .file import Google
from .file import Jobs
from .file import Keyring
from .file import Limits
from .file import Logs
from .file import Mail
from .file import Metrics
from .file import Site

__all__ = [
    "Backup",
    "Calendars",
    "Config",
    "Database",
    "File",
    "Google",
    "Jobs",
    "Keyring",
    "Limits",
    "Logs",
    "Mail",
    "Metrics",
    "Site",
    "check_address",
    "check_security",
    "check_sender",
    "instance_folder",
    "load_config",
]


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
    check(config, str(path))
    return config


def _port(environ: Mapping[str, str]) -> int:
    text = environ.get("PORT", "8000")
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise SettingsError("the environment", "PORT", repr(text), "a port number from 1 to 65535")
    return int(text)
