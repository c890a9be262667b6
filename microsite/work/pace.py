"""The pace at which calendars are asked, from how many an installation has; they are counted now and then only."""

from typing import Any
from weakref import WeakKeyDictionary

from microsite.core.polling import Pace
from microsite.core.polling import pace
from microsite.services import Services

COUNTED_AGAIN = 600
"""Seconds: a count of two hundred thousand is not for every look."""
_counted: "WeakKeyDictionary[Any, tuple[int, int]]" = WeakKeyDictionary()


def pace_of(services: Services, tx: Any) -> Pace:
    """The pace of this installation."""
    now = services.clock()
    at, calendars = _counted.get(services.store, (0, 0))
    if not 0 <= now - at < COUNTED_AGAIN:
        calendars = tx.mirror.count()
        _counted[services.store] = (now, calendars)
    return pace(calendars)
