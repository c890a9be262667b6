"""What is known of calendar servers that differ from the standards: one profile each, chosen by name or by address.

Facts and their sources are in the project's calendar research; nothing here was invented. Where no profile fits, the
careful default is used, which is right for Radicale, Xandikos, SabreDAV, Nextcloud and Cyrus.
"""

from urllib.parse import urlsplit

import msgspec

_HOURS = 3600


class Profile(msgspec.Struct, frozen=True, kw_only=True):
    """How one kind of server behaves. Times are seconds.

    `checks_create` / `checks_delete`: does it obey `If-None-Match: *` and a stale `If-Match` on DELETE? If not, we look
    first. `tokens`: are its sync tokens worth anything? `hosts` are domain endings that tell the provider; `start` is
    where discovery begins for mail addresses of `domains`.
    """

    name: str
    checks_create: bool = True
    checks_delete: bool = True
    tokens: bool = True
    full_every: int = 24 * _HOURS
    batch: int = 50
    min_gap: float = 0.0
    hosts: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    start: str = ""
    app_password: bool = False
    bearer_only: bool = False


DEFAULT = Profile(name="default")
PROFILES = (
    DEFAULT,
    Profile(name="radicale"),
    Profile(name="xandikos"),
    Profile(name="nextcloud", app_password=True),
    Profile(
        name="fastmail",
        hosts=("fastmail.com",),
        domains=("fastmail.com", "fastmail.fm"),
        start="https://caldav.fastmail.com/dav/",
        app_password=True,
    ),
    Profile(
        name="icloud",
        hosts=("icloud.com",),
        domains=("icloud.com", "me.com", "mac.com"),
        start="https://caldav.icloud.com/",
        app_password=True,
    ),
    # OX: only a sliding window is visible, so what is missing from a listing is asked for by name (sync does).
    Profile(name="mailbox.org", hosts=("mailbox.org",), domains=("mailbox.org",), start="https://dav.mailbox.org/"),
    Profile(
        name="posteo",
        tokens=False,
        hosts=("posteo.de",),
        domains=("posteo.de", "posteo.net"),
        start="https://posteo.de:8443/",
    ),
    Profile(
        name="zoho",
        hosts=("zoho.com", "zoho.eu"),
        domains=("zoho.com", "zohomail.com"),
        start="https://calendar.zoho.com/caldav/",
        app_password=True,
    ),
    Profile(
        name="yandex",
        hosts=("yandex.ru", "yandex.com"),
        domains=("yandex.ru", "yandex.com", "ya.ru"),
        start="https://caldav.yandex.ru/",
        app_password=True,
    ),
    Profile(
        name="gmx",
        tokens=False,
        min_gap=2.0,
        hosts=("gmx.net", "gmx.com"),
        domains=("gmx.net", "gmx.de", "gmx.com"),
        start="https://caldav.gmx.net/",
    ),
    Profile(name="synology", full_every=6 * _HOURS),
    Profile(name="baikal"),
    Profile(name="sogo", checks_create=False, checks_delete=False, full_every=6 * _HOURS),
    Profile(name="davical", full_every=6 * _HOURS),
    Profile(name="cyrus"),
    Profile(
        name="google",
        checks_create=False,
        hosts=("googleusercontent.com", "google.com"),
        domains=("gmail.com", "googlemail.com"),
        start="https://apidata.googleusercontent.com/caldav/v2/",
        bearer_only=True,
    ),
)
_BY_NAME = {profile.name: profile for profile in PROFILES}


def choose(name: str, url: str) -> Profile:
    """The profile of this name, else the one whose host endings fit the address, else the default."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    host = urlsplit(url).hostname or ""
    path = urlsplit(url).path
    if path.startswith("/SOGo/"):
        return _BY_NAME["sogo"]
    if "/caldav.php/" in path:
        return _BY_NAME["davical"]
    for profile in PROFILES:
        if any(host == ending or host.endswith(f".{ending}") for ending in profile.hosts):
            return profile
    return DEFAULT


def of_domain(domain: str) -> Profile:
    """The profile of the provider that gives out mail addresses of this domain, else the default."""
    return next((profile for profile in PROFILES if domain.lower() in profile.domains), DEFAULT)
