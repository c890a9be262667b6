"""Which job runs which step, and which jobs come round by themselves. Kinds lie in the database: never rename one."""

from functools import partial

from microsite.jobs import Every
from microsite.jobs import Work
from microsite.services import Services

from . import answer
from . import book
from . import judge
from . import letters
from . import move
from . import polls
from . import purge
from . import remind
from . import stalled
from . import sweep

STEPS = {
    "book.check": book.check,
    "book.write": book.write,
    "book.verify": book.verify,
    "expire": answer.expire,
    "judge": judge.judge,
    "letter": letters.send,
    "move.back": move.back,
    "move.check": move.check,
    "move.verify": move.verify,
    "move.write": move.write,
    "remind": remind.remind,
    "unmark": answer.unmark,
    "sweep": sweep.sweep,
    "sync": polls.sync,
    "sync.due": polls.sync_due,
    "stalled": stalled.take_up,
    "purge": purge.purge,
}
EVERY = (Every(30, "sync.due"), Every(60, "stalled"), Every(3600, "purge"))


def work(services: Services) -> Work:
    """Everything a runner needs, bound to these services."""
    return Work({kind: partial(step, services) for kind, step in STEPS.items()}, EVERY)
