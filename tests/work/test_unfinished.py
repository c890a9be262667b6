"""A first reading of a large calendar that ran out of time must not be taken for the whole calendar."""

import dataclasses

import pytest

from microsite.core.mirror import Account
from microsite.core.mirror import Known
from microsite.core.mirror import Pulled
from microsite.core.mirror import ReadingRules
from microsite.errors import CalendarBusy
from microsite.errors import TimesUnknown
from microsite.work import sync
from tests.conftest import House


class HalfRead:
    """A calendars room that never gets to the end of a calendar."""

    def pull(self, account: Account, known: Known, rules: ReadingRules, now: int, seconds: float) -> Pulled:
        """What a pull answers whose time ran out."""
        return Pulled(state="FULL")


def test_no_time_is_offered_from_a_calendar_that_was_only_half_read(house: House) -> None:
    half = dataclasses.replace(house.services, calendars=HalfRead())
    with house.services.store.write() as tx:
        tx.mirror.add_calendar("big", "sari", "https://calendars.example/big/", "Besar", {"busy"})
    with pytest.raises(CalendarBusy):
        sync.sync_calendar(half, "big", 5.0)
    with pytest.raises(TimesUnknown):
        house.starts()
    with house.services.store.read() as tx:
        assert tx.mirror.get("big").next_poll_at <= house.now
