"""Several machines: what they must have in common, which of them the built-in calendar lives on, and who is running."""

import socket
from typing import Any

from microsite.core.spans import MINUTE
from microsite.errors import StartRefused
from microsite.errors import StoreUnreadable
from microsite.services import Services
from microsite.services import bring_day_keys

from .sync import EMBEDDED_HOST

BEAT = MINUTE
"""Between two signs of life of a process."""
SILENT = 3 * MINUTE
"""After so long without one it counts as ended."""


def check(services: Services) -> None:
    """Refuse to start where this machine and the others would not understand one another.

    On SQLite there are no others: the file is on one machine, and so is everything else.
    """
    if services.store.sqlite:
        return
    with services.store.write() as tx:
        tx.machines.lock_marks()
        known = tx.machines.mark("server-key")
        _check_server_key(services, known)
        tx.machines.set_mark("server-key", services.sealer.marks()[0])
        for name, mine, trouble in _places(services, tx):
            found = tx.machines.mark(name)
            if found and found != mine:
                raise StartRefused(trouble)
            tx.machines.set_mark(name, mine)


def check_worker(services: Services) -> None:
    """Refuse to run jobs where some of them would find no calendar."""
    if services.embedded is None and (coaches := _inside(services)):
        raise StartRefused(
            f"the calendars of «{'», «'.join(coaches)}» are on the built-in server of another machine, so jobs can only"
            " run there: start workers on that machine, or move her calendars to a CalDAV server all can reach"
        )


def take_calendars(services: Services) -> None:
    """From now on the built-in calendar server lives here: for after its folder was brought to another machine."""
    if services.embedded is None:
        raise StartRefused("the built-in calendar server is switched off here: set calendars.embedded = true first")
    with services.store.write() as tx:
        tx.machines.lock_marks()
        tx.machines.set_mark("dav", services.place)


def belong_here(services: Services, tx: Any) -> None:
    """After a restore: server key, day keys and built-in calendars are this machine's, whoever had them before."""
    if not services.store.sqlite:
        tx.machines.lock_marks()
        places = {"server-key": services.sealer.marks()[0], "day-keys": _key_place(services), "dav": services.place}
        for name, mine in places.items():
            tx.machines.set_mark(name, mine)


def new_server_key(services: Services, tx: Any) -> None:
    """The key was rotated: machines that start from now on must have the new one."""
    if not services.store.sqlite:
        tx.machines.lock_marks()
        tx.machines.set_mark("server-key", services.sealer.marks()[0])


def move_day_keys(services: Services) -> int:
    """Bring the day keys from this machine's folder into the key database; answers how many. Safe to repeat."""
    if not services.config.keyring_url:
        raise StartRefused("there is no key database to move to: set keyring.url (docs/several-machines.md)")
    moved = bring_day_keys(services)
    with services.store.write() as tx:
        tx.machines.lock_marks()
        tx.machines.set_mark("day-keys", _key_place(services))
    return moved


def seen(services: Services, process: str, kind: str) -> None:
    """This process lives. Only a sign: where it cannot be written down now, the next one comes in a minute."""
    now = services.clock()
    try:
        with services.store.write() as tx:
            tx.machines.forget_before(now - SILENT)
            tx.machines.seen(process, kind, socket.gethostname(), now)
    except StoreUnreadable:
        return


def gone(services: Services, process: str) -> None:
    """This process ends."""
    try:
        with services.store.write() as tx:
            tx.machines.gone(process)
    except StoreUnreadable:
        return


def running(services: Services) -> list[tuple[str, str]]:
    """(kind, machine) of each process that gave a sign of life lately."""
    with services.store.read() as tx:
        return [(row.kind, row.machine) for row in tx.machines.running(services.clock() - SILENT)]


def keys_are_destroyed(services: Services) -> bool:
    """Whether it may be said that a destroyed day key is gone for good."""
    try:
        return not services.sealer.key_doubts() and not key_database_is_shared(services)
    except StoreUnreadable:
        return False


def key_database_is_shared(services: Services) -> bool:
    """Whether the day keys lie on the very server that keeps the bookings, and so in its log and its copies."""
    return bool(services.config.keyring_url) and services.sealer.keyring.cluster() == services.store.cluster()


def _check_server_key(services: Services, known: str) -> None:
    if known and known not in services.sealer.marks():
        raise StartRefused(
            "this machine's server key is not the one that the database was made with: passwords of calendars could not"
            " be opened, and forms of another machine would be refused. Give every machine the same one"
            " (site.server_key_file, or the credential server-key); it is the file server.key of the first machine"
        )


KEYS_ELSEWHERE = (
    "the day keys of this installation are not where this machine's settings say (keyring.url): letters could not be"
    " addressed from here. Give every machine the same key database; where the first machine still has them in its"
    " folder, bring them over from there: microsite keyring move (docs/several-machines.md)"
)
CALENDARS_ELSEWHERE = (
    "the built-in calendar server of this installation lives on another machine: set calendars.embedded = false here,"
    " or, where its folder was brought here for good: microsite calendar host-here"
)


def _places(services: Services, tx: Any) -> list[tuple[str, str, str]]:
    """(what, where it is by this machine's settings, what to say where another machine has it elsewhere)."""
    found = [("day-keys", _key_place(services), KEYS_ELSEWHERE)]
    if services.embedded is not None and _inside_in(tx):
        found.append(("dav", services.place, CALENDARS_ELSEWHERE))
    return found


def _key_place(services: Services) -> str:
    return services.sealer.keyring.place() or services.place


def _inside(services: Services) -> list[str]:
    """The coaches who have calendars on the built-in server."""
    with services.store.read() as tx:
        return _inside_in(tx)


def _inside_in(tx: Any) -> list[str]:
    return sorted({row.coach for row in tx.mirror.at_host(EMBEDDED_HOST)})
