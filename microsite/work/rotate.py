"""Another server key: what the old one sealed is sealed anew, what it signed goes on holding. Day keys are not touched.

Three steps, each whole or not at all: the new key is put before the old ones, passwords are sealed anew and the status
pages get a second address in one transaction, keys that nothing needs any more are dropped. Ended anywhere, the file
holds every key that the database needs; the running site reads it anew by itself.
"""

from pathlib import Path
from typing import Any
from typing import NamedTuple

from microsite.errors import BackupError
from microsite.errors import CannotOpen
from microsite.services import Services
from microsite.services import files

from . import machines
from .status import add_status_link

KEPT = 2
"""The key in use and the one before it, for forms that are open in a browser just now."""


class Rotated(NamedTuple):
    """Passwords sealed anew, calendars whose password no key opens, status pages readdressed, earlier keys kept."""

    passwords: int
    unreadable: list[str]
    pages: int
    earlier: int


def rotate(services: Services) -> Rotated:
    """Make another server key and use it from now on, in the running site as well."""
    path = _file_of(services)
    with files.alone_in(services.config.instance):
        files.replace_secret(path, services.sealer.server_key.rotated().to_text())
        with services.store.write() as tx:
            passwords, unreadable = _reseal(services, tx)
            pages = _readdress(services, tx)
            machines.new_server_key(services, tx)
        kept = services.sealer.server_key.newest(KEPT)
        files.replace_secret(path, kept.to_text())
    return Rotated(passwords, unreadable, pages, KEPT - 1)


def drop_earlier(services: Services) -> int:
    """Take every key but the one in use out of its file; answers how many. Raises BackupError while one is needed."""
    path = _file_of(services)
    with files.alone_in(services.config.instance):
        newest = services.sealer.server_key.newest(1)
        with services.store.read() as tx:
            needed = [key for key, sealed in tx.mirror.secrets() if not _opens(newest, key, sealed)]
        if needed:
            raise BackupError("an earlier key still opens a stored password: microsite rotate-keys seals it anew first")
        dropped = len(services.sealer.server_key.reveal()) - 1
        files.replace_secret(path, newest.to_text())
    return dropped


def _file_of(services: Services) -> Path:
    """The key's own file; raises BackupError where the key is handed in, which only its giver can change."""
    if services.config.server_key:
        raise BackupError(
            "the server key is handed in (site.server_key_file or a credential): put a new line before the old one"
            " there, on every machine, and start them again; nothing was changed"
        )
    return services.config.instance / "server.key"


def _reseal(services: Services, tx: Any) -> tuple[int, list[str]]:
    passwords, unreadable = 0, []
    for calendar, sealed in tx.mirror.secrets():
        try:
            plain = services.sealer.open_secret(sealed, f"calendar/{calendar}")
        except CannotOpen:
            row = tx.mirror.get(calendar)
            unreadable.append(f"{row.coach}: {row.name or row.id}")
            continue
        tx.mirror.touch(calendar, secret=services.sealer.seal_secret(plain, f"calendar/{calendar}"))
        passwords += 1
    return passwords, unreadable


def _readdress(services: Services, tx: Any) -> int:
    """Files of a booking that are written from now on carry another address of its status page; the old one stays."""
    bookings = tx.bookings.all()
    for booking in bookings:
        add_status_link(services, tx, booking, tx.links.longest(booking.id))
    return len(bookings)


def _opens(key: Any, calendar: str, sealed: bytes) -> bool:
    try:
        key.open_secret(sealed, f"calendar/{calendar}")
    except CannotOpen:
        return False
    return True
