"""Stopping between two steps, and letting something happen while a call to another machine is on its way."""

from collections.abc import Callable

from microsite.core.bookings import Booking

from .conftest import Bench
from .house import Home


def through(home: Home, *steps: str) -> None:
    """Run the due jobs until the named ones have run, in their order, and no further."""
    wanted = list(steps)
    while wanted:
        rows = home.claim(1)
        assert rows, f"{wanted} never became due"
        home.perform(rows[0])
        if rows[0].kind == wanted[0]:
            wanted.pop(0)


def held(bench: Bench, slug: str = "sesi", index: int = 40) -> Booking:
    """A booking whose jobs have not run."""
    return bench.home.book(bench.home.starts(slug)[index], slug).booking


def before(room: object, name: str, meanwhile: Callable[[], object]) -> None:
    """Let something happen while the next call to the calendar or the relay is still on its way there."""
    _around(room, name, first=meanwhile)


def after(room: object, name: str, meanwhile: Callable[[], object]) -> None:
    """Let something happen when the next call has done its work, and nobody here knows it yet."""
    _around(room, name, then=meanwhile)


def after_sending_to(address: str, home: Home, meanwhile: Callable[[], object]) -> None:
    """Let something happen when the next letter to this address is sent, and nobody here knows it yet.

    Letters to several people that are due in the same second are sent in any order.
    """
    _around(home.services.mailer, "send", then=meanwhile, when=lambda order: order.address.reveal() == address)


def _around(
    room: object,
    name: str,
    first: Callable[[], object] = lambda: None,
    then: Callable[[], object] = lambda: None,
    when: Callable[..., bool] = lambda *_args, **_kwargs: True,
) -> None:
    original = getattr(room, name)

    def wrapped(*args: object, **kwargs: object) -> object:
        if not when(*args, **kwargs):
            return original(*args, **kwargs)
        delattr(room, name)
        first()
        came = original(*args, **kwargs)
        then()
        return came

    setattr(room, name, wrapped)
