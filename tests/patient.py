"""Calendars of a house whose clock stands still: there, seconds that this machine stands still do not count either."""

from collections.abc import Callable
from typing import Any

from microsite.calendars import Calendars
from microsite.core.mirror import Account
from microsite.services import Services

SECONDS = 90.0


class Patient(Calendars):
    """As the site's own, and waiting for longer: on the house's clock a call that was given up is not made again."""

    def _ask(self, account: Account, seconds: float, call: Callable[..., Any]) -> Any:
        return super()._ask(account, max(seconds, SECONDS), call)


def patient(services: Services) -> Services:
    """The same services, which wait for calendars for as long as a test would."""
    services.calendars.__class__ = Patient
    return services
