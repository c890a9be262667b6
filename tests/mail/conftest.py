"""Fixtures of the mail tests; what they are built from lies in letterbox."""

from collections.abc import Callable
from pathlib import Path

import pytest
from letterbox import Sent
from letterbox import a_booking
from letterbox import order_for

from microsite.core.bookings import Booking
from microsite.core.letters import LetterOrder


@pytest.fixture
def booking() -> Booking:
    return a_booking()


@pytest.fixture
def post(tmp_path: Path) -> Sent:
    return Sent(tmp_path / "mail")


@pytest.fixture
def order(booking: Booking) -> Callable[..., LetterOrder]:
    def build(kind: str, language: str = "id", **changes: object) -> LetterOrder:
        return order_for(booking, kind, language, **changes)

    return build
