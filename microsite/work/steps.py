"""Which job runs which step, and which jobs come round by themselves. Kinds lie in the database: never rename one."""

from functools import partial

from microsite.jobs import Every
from microsite.jobs import Work
from microsite.services import Services

from . import book
from . import letters
from . import purge
from . import stalled
from . import sweep
from . import sync

STEPS = {
    "book.check": book.check,
    "book.write": book.write,
    "book.verify": book.verify,
    "letter": letters.send,
    "sweep": sweep.sweep,
    "sync": sync.sync,
    "sync.due": sync.sync_due,
    "stalled": stalled.take_up,
    "purge": purge.purge,
}
EVERY = (Every(30, "sync.due"), Every(60, "stalled"), Every(3600, "purge"))


def work(services: Services) -> Work:
    """Everything a runner needs, bound to these services."""
    return Work({kind: partial(step, services) for kind, step in STEPS.items()}, EVERY)
