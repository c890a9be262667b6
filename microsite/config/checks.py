"""What is refused although it has the right form: settings that contradict one another, or would leave a door open."""

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from microsite.core.signs import like_an_address
from microsite.errors import SettingsError

if TYPE_CHECKING:
    from . import Config

LOOPBACK = frozenset({"localhost", "127.0.0.1", "::1"})
TOKEN_LENGTH = 24


def check(config: "Config", where: str) -> None:
    """Raise SettingsError for the first setting that cannot be used as it is."""
    if config.configured and not config.file.site.address:
        raise SettingsError(where, "site.address", "nothing", "the site's address, such as https://book.example")
    check_address(config.address, where)
    _check_databases(config, where)
    _check_mail(config, where)
    for name in ("authorize_url", "token_url", "caldav_url", "redirect_uri"):
        _check_secure(getattr(config.file.google, name), where, f"google.{name}")
    if config.metrics_token and len(config.metrics_token.reveal()) < TOKEN_LENGTH:
        raise SettingsError(where, "metrics.token", "a short one", f"{TOKEN_LENGTH} signs: openssl rand -hex 32")


def check_address(address: str, where: str, field: str = "site.address") -> None:
    """Raise SettingsError unless a site can be reached there, over TLS or on this machine."""
    parts = urlsplit(address)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.path.strip("/"):
        raise SettingsError(where, field, repr(address), "https:// and a host name, without a path")
    if parts.scheme == "http" and parts.hostname not in LOOPBACK:
        raise SettingsError(where, field, repr(address), "https:// (http only for localhost)")


def check_sender(address: str, where: str, field: str = "mail.sender") -> None:
    """Raise SettingsError unless letters can come from there."""
    if not address.isascii() or not like_an_address(address):
        raise SettingsError(where, field, repr(address), "one plain mail address, such as halo@book.example")


def check_security(security: str, host: str, where: str, field: str = "mail.security") -> None:
    """Raise SettingsError where letters would travel to another machine in the clear."""
    if security == "none" and host not in LOOPBACK:
        raise SettingsError(where, field, "'none'", "starttls or tls, unless the relay is on this machine")


def _check_databases(config: "Config", where: str) -> None:
    if config.jobs_engine == "procrastinate" and not config.on_postgres:
        raise SettingsError(where, "jobs.engine", "'procrastinate'", "auto or outbox: database.url is no PostgreSQL")
    if config.keyring_url and not config.keyring_url.startswith("postgresql+psycopg://"):
        raise SettingsError(where, "keyring.url", "another kind of address", "postgresql://user@host/name")
    if config.keyring_url and _same_place(config.keyring_url) == _same_place(config.database_url):
        allowed = "a database of its own: whatever copies the bookings would keep the day keys"
        raise SettingsError(where, "keyring.url", "the database of the bookings", allowed)


def _check_mail(config: "Config", where: str) -> None:
    mail = config.file.mail
    if not mail.host:
        return
    check_security(mail.security, mail.host, where)
    if not mail.sender:
        raise SettingsError(where, "mail.sender", "nothing", "the address letters come from, such as halo@book.example")


def _same_place(url: str) -> tuple[str | None, int, str]:
    parts = urlsplit(url)
    return parts.hostname, parts.port or 5432, parts.path


def _check_secure(address: str, where: str, field: str) -> None:
    parts = urlsplit(address)
    if not parts.hostname or (parts.scheme != "https" and (parts.scheme, parts.hostname in LOOPBACK) != ("http", True)):
        raise SettingsError(where, field, repr(address), "https:// and a host name (http only for this machine)")
