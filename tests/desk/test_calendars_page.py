"""The coach sees in plain words which of her events cannot be taken as they stand, and which calendar is closed."""

import html
import re
from pathlib import Path
from typing import Any

import pytest

from microsite.config import File
from microsite.core.mirror import Account
from microsite.core.mirror import Reading
from microsite.core.oddities import ODDITIES
from microsite.core.oddities import WITHDRAWN
from microsite.core.people import Secret
from microsite.core.spans import Spans
from microsite.errors import CalendarError
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable
from microsite.work import setup
from microsite.work.sync import account_of

from .conftest import Pages
from .hands import Coach


@pytest.mark.parametrize("code", ODDITIES)
def test_an_odd_event_is_told_at_the_desk(pages: Pages, code: str) -> None:
    soon = Spans.of([(pages.now + 86_400, pages.now + 90_000)]).pack()
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("one", "sari", "https://cal.example/one/", "Kerja", {"busy"})
        tx.mirror.touch("one", last_ok_at=pages.now)
        tx.mirror.put_readings("one", [Reading(href="/a", etag="1", uid="a", spans=soon, warning=code)])
    coach = Coach(pages)
    coach.enter()
    page = html.unescape(coach.client.get("/desk/calendars").text)
    assert ODDITIES[code].id in page or ODDITIES[code].en in page


def test_a_withdrawn_permission_is_told_at_the_desk(pages: Pages) -> None:
    with pages.services.store.write() as tx:
        tx.mirror.add_calendar("one", "sari", "https://cal.example/one/", "Kerja", {"busy"}, profile="google")
        tx.mirror.touch("one", last_ok_at=pages.now - 600, first_failed_at=pages.now - 300, problem="CalendarRefused")
    coach = Coach(pages)
    coach.enter()
    page = html.unescape(coach.client.get("/desk/calendars").text)
    assert 'class="trouble"' in page and "Kerja" in page
    assert WITHDRAWN.id in page or WITHDRAWN.en in page


class Door:
    """A server that lets one password in, or answers nobody."""

    def __init__(self, password: str, trouble: CalendarError) -> None:
        self.password, self.trouble = password, trouble

    def check(self, account: Account, *_: Any) -> None:
        """What a look at the collection answers."""
        if account.password != self.password:
            raise self.trouble


@pytest.fixture(name="locked")
def _locked(pages: Pages) -> Coach:
    """A coach at her desk, whom a server does not let in any more."""
    sealed = pages.services.sealer.seal_secret(Secret("old"), "calendar/one")
    with pages.services.store.write() as tx:
        url = "https://cal.example/one/"
        tx.mirror.add_calendar("one", "sari", url, "Kerja", {"busy"}, username="sari", secret=sealed)
        tx.mirror.touch("one", last_ok_at=1, first_failed_at=pages.now - 300, problem="CalendarRefused")
    coach = Coach(pages)
    coach.enter()
    return coach


def test_the_coach_gives_a_new_app_password_herself(locked: Coach, monkeypatch: pytest.MonkeyPatch) -> None:
    services = locked.pages.services
    monkeypatch.setattr(services.calendars, "check", Door("new", CalendarRefused("no")).check)
    refused = locked.post("/desk/calendars/password", calendar="one", password="guess")
    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.text and "guess" not in refused.text
    assert locked.post("/desk/calendars/password", calendar="one", password="new").status_code == 303
    with services.store.read() as tx:
        assert account_of(services, tx.mirror.get("one")).password == "new"


def test_a_password_that_could_not_be_tried_is_not_kept(locked: Coach, monkeypatch: pytest.MonkeyPatch) -> None:
    services = locked.pages.services
    monkeypatch.setattr(services.calendars, "check", Door("new", CalendarUnreachable("no answer")).check)
    assert locked.post("/desk/calendars/password", calendar="one", password="other").status_code == 422
    with services.store.read() as tx:
        assert account_of(services, tx.mirror.get("one")).password == "old"


def test_a_calendar_of_another_coach_takes_no_password_from_this_one(locked: Coach) -> None:
    assert locked.post("/desk/calendars/password", calendar="nobodys", password="new").status_code == 404


def test_a_new_password_for_her_calendar_app_is_shown_once_and_ends_the_old_one(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "instance", File())
    coach, services = Coach(pages), pages.services
    coach.enter()
    setup.add_embedded_calendars(services, "sari", {"bookings": ("Sesi", {"bookings", "busy"})})
    before = (services.config.instance / "dav.htpasswd").read_text()
    shown = coach.post("/desk/calendars/app")
    password = re.search(r"<dt>(?:Kata sandi|Password)</dt><dd><code>([\w-]+)</code>", shown.text)
    assert password is not None
    assert (services.config.instance / "dav.htpasswd").read_text() != before
    assert password[1] not in coach.client.get("/desk/calendars").text

    def answers(given: str) -> int:
        return coach.client.open(
            "/dav/sari/bookings/", method="PROPFIND", headers={"Depth": "0"}, auth=("sari", given)
        ).status_code

    assert answers(password[1]) == 207
    assert answers("another") == 401
    services.close()
