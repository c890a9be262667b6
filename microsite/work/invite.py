"""Invitations: links to an offer that not everybody may book, for one or several bookings, until a date."""

from typing import Any

from microsite.core.people import Secret
from microsite.core.spans import DAY
from microsite.errors import NotFound
from microsite.errors import NotInvited
from microsite.services import Services

from .look import Coach

LONGEST_DAYS = 365


def invite(services: Services, coach: Coach, offer: str, uses: int, days: int, label: str = "") -> str:
    """The address of a new invitation; raises NotFound for no such offer. `uses` and `days` are at least 1."""
    if coach.settings.offer(offer) is None:
        raise NotFound("no such offer")
    token: Secret = services.sealer.new_token()
    expires = services.clock() + min(max(days, 1), LONGEST_DAYS) * DAY
    lookup = services.sealer.lookup(token)
    with services.store.write() as tx:
        tx.invitations.add(services.store.invitation(lookup, coach.slug, offer, max(uses, 1), expires, label))
    return f"{services.config.address}/{coach.slug}/{offer}/?invite={token.reveal()}"


def invited(services: Services, coach: str, offer: str, token: str) -> bool:
    """Whether the invitation may still be used; looking does not spend it."""
    with services.store.read() as tx:
        lookup = services.sealer.lookup(Secret(token))
        return tx.invitations.get(lookup, coach, offer, services.clock()) is not None


def spend(services: Services, tx: Any, coach: str, offer: str, token: str) -> None:
    """Use an invitation once, in the booking's own transaction; raises NotInvited where it is spent or expired."""
    if not tx.invitations.use(services.sealer.lookup(Secret(token)), coach, offer, services.clock()):
        raise NotInvited("no such invitation")
