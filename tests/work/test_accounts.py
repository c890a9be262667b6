"""A coach's calendars after they were connected: another password, another use, taken away; and a coach who leaves."""

from typing import Any

import pytest

from microsite.core.mirror import Account
from microsite.core.people import Secret
from microsite.errors import CalendarRefused
from microsite.errors import NotFound
from microsite.errors import NotPossibleNow
from microsite.errors import TimesUnknown
from microsite.work import accounts
from microsite.work import leave
from microsite.work.sync import account_of
from tests.conftest import House

FAR = "https://cal.example/"


class Door:
    """A server that lets one password in."""

    def __init__(self, password: str) -> None:
        self.password = password

    def check(self, account: Account, *_: Any) -> None:
        """What a look at the collection answers."""
        if account.password != self.password:
            raise CalendarRefused("wrong password")


@pytest.fixture(name="far")
def _far(house: House, monkeypatch: pytest.MonkeyPatch) -> House:
    """Two calendars of one account elsewhere, and one of another account at the same server."""
    with house.services.store.write() as tx:
        for key, user in (("one", "sari"), ("two", "sari"), ("other", "dewi")):
            sealed = house.services.sealer.seal_secret(Secret("old"), f"calendar/{key}")
            tx.mirror.add_calendar(key, "sari", f"{FAR}{key}/", key, {"busy"}, username=user, secret=sealed)
            tx.mirror.touch(key, last_ok_at=house.now, backoff_until=house.now + 9999)
    monkeypatch.setattr(house.services.calendars, "check", Door("new").check)
    return house


def passwords(house: House) -> dict[str, str]:
    """What each calendar elsewhere is entered with."""
    with house.services.store.read() as tx:
        rows = [row for row in tx.mirror.calendars("sari") if row.url.startswith(FAR)]
    return {row.id: account_of(house.services, row).password for row in rows}


def own(house: House, name: str) -> str:
    """The id of a calendar on the built-in server, by the last part of its address."""
    with house.services.store.read() as tx:
        return next(row.id for row in tx.mirror.calendars("sari") if row.url.endswith(f"/{name}/"))


def test_a_new_password_serves_every_calendar_of_the_account_and_no_other(far: House) -> None:
    assert accounts.new_password(far.services, "sari", "one", Secret("new")) == 2
    assert passwords(far) == {"one": "new", "two": "new", "other": "old"}
    with far.services.store.read() as tx:
        assert [tx.mirror.get(key).backoff_until for key in ("one", "two")] == [0, 0]


def test_a_password_that_the_server_refuses_leaves_the_old_one(far: House) -> None:
    with pytest.raises(CalendarRefused):
        accounts.new_password(far.services, "sari", "one", Secret("guess"))
    assert set(passwords(far).values()) == {"old"}


def test_a_calendar_of_somebody_else_is_not_found(far: House) -> None:
    with pytest.raises(NotFound):
        accounts.new_password(far.services, "sari", "nobodys", Secret("new"))
    with pytest.raises(NotPossibleNow):
        accounts.new_password(far.services, "sari", own(far, "private"), Secret("new"))


def test_what_blocked_time_never_opens_it_before_it_was_read_for_that(house: House) -> None:
    house.drain()
    accounts.use_for(house.services, "sari", own(house, "private"), "hours")
    with house.services.store.read() as tx:
        assert not any(row.calendar == own(house, "private") for row in tx.mirror.spans("sari"))
    with pytest.raises(TimesUnknown):
        house.starts()
    house.drain()
    assert house.starts()


def test_another_calendar_takes_the_bookings_from_now_on(house: House) -> None:
    old, new = own(house, "bookings"), own(house, "private")
    accounts.use_for(house.services, "sari", new, "bookings")
    with house.services.store.read() as tx:
        assert tx.mirror.get(old).roles == {"busy"}
        assert tx.mirror.get(new).roles == {"bookings", "busy"}
    house.drain()
    booking = house.booking(house.book().booking.id)
    house.drain()
    assert house.booking(booking.id).coach_calendar == new


def test_the_calendar_of_the_bookings_is_neither_taken_away_nor_used_otherwise(house: House) -> None:
    for attempt in (
        lambda: accounts.remove(house.services, "sari", own(house, "bookings")),
        lambda: accounts.use_for(house.services, "sari", own(house, "bookings"), "busy"),
    ):
        with pytest.raises(NotPossibleNow):
            attempt()


def test_a_calendar_with_coming_sessions_stays_until_they_are_over(house: House) -> None:
    booking = house.book().booking
    house.drain()
    old = own(house, "bookings")
    accounts.use_for(house.services, "sari", own(house, "private"), "bookings")
    with pytest.raises(NotPossibleNow):
        accounts.remove(house.services, "sari", old)
    house.now = booking.end + 1
    accounts.remove(house.services, "sari", old)
    with house.services.store.read() as tx:
        assert tx.mirror.get(old) is None
        assert tx.mirror.etags(old) == {}


def test_a_coach_leaves_only_when_nobody_counts_on_her_and_takes_everything_along(house: House) -> None:
    booking = house.book().booking
    house.drain()
    with pytest.raises(NotPossibleNow, match="1 sessions"):
        leave.remove(house.services, "sari")
    house.now = booking.end + 1
    folder = house.services.config.dav_folder
    assert list(folder.rglob("*.ics"))
    leave.remove(house.services, "sari")
    assert not list(folder.rglob("*.ics"))
    assert "sari:" not in (house.services.config.instance / "dav.htpasswd").read_text()
    assert leave.everybody(house.services) == []
    with house.services.store.read() as tx:
        for table in ("booking", "calendar", "resource", "key", "letter", "link", "happening"):
            assert tx.conn.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() == 0, table
    with pytest.raises(NotFound):
        leave.remove(house.services, "sari")
