"""Keeping step: read anew when a setting or the window asks for it; an empty calendar is believed when it lasts."""

from collections.abc import Callable
from typing import Any

import pytest

from microsite.core.mirror import Pulled
from microsite.core.mirror import Reading
from microsite.core.spans import DAY
from microsite.core.spans import Spans
from microsite.errors import CalendarUnreachable
from microsite.work import adjust
from microsite.work import look
from microsite.work import sync
from tests.conftest import House

from .conftest import App

COACH = "sari"


def calendar(house: House, name: str) -> Any:
    """A calendar of the demo coach by the last part of its address."""
    with house.services.store.read() as tx:
        return next(row for row in tx.mirror.calendars(COACH) if row.url.endswith(f"/{name}/"))


def spans(house: House, name: str) -> dict[str, Spans]:
    """What a calendar came to, by the offer it serves."""
    row = calendar(house, name)
    with house.services.store.read() as tx:
        return {each.serves: each.spans for each in tx.mirror.spans(COACH) if each.calendar == row.id}


def save(house: House, change: Callable[[dict[str, Any]], None]) -> None:
    """The coach changes her settings at the desk."""
    coach = look.coach(house.services, COACH)
    document = adjust.document(coach.settings)
    change(document)
    adjust.save(house.services, coach, document)
    house.drain()


def day_off(house: House, app: App) -> None:
    """A whole day without a zone, in the private calendar."""
    ics = (
        b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//app//EN\r\nBEGIN:VEVENT\r\nUID:off\r\nDTSTAMP:20261101T000000Z\r\n"
        b"DTSTART;VALUE=DATE:20270106\r\nSUMMARY:x\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    )
    house.services.calendars.create(app.account("private"), "off", ics)
    app.hear()
    house.drain()


def test_another_zone_moves_what_has_no_zone_of_its_own(house: House, app: App) -> None:
    day_off(house, app)
    before = spans(house, "private")[""]
    save(house, lambda document: document.update(zone="Asia/Jayapura"))
    after = spans(house, "private")[""]
    midnight = 1_799_168_400
    assert before.covers(midnight, midnight + DAY) and not after.covers(midnight, midnight + DAY)
    assert after.covers(midnight - 7200, midnight + DAY - 7200)


def test_open_hours_serve_an_offer_by_its_new_title(house: House, app: App) -> None:
    start = house.now + 300 * DAY + 16 * 3600
    app.add("open", "only", start, title="Perdana")
    house.drain()
    assert set(spans(house, "open")) == {""}

    def rename(document: dict[str, Any]) -> None:
        document["offers"][0]["title"] = {"id": "Perdana", "en": "First"}

    save(house, rename)
    served = spans(house, "open")
    slug = look.coach(house.services, COACH).settings.offers[0].slug
    assert served[slug].covers(start, start + 3600)
    assert not served[""].covers(start, start + 3600)


def test_a_setting_that_says_nothing_about_events_reads_nothing_anew(house: House) -> None:
    before = calendar(house, "private")
    save(house, lambda document: document.update(sentence={"id": "Halo", "en": "Hello"}))
    assert calendar(house, "private").version == before.version


class Slow:
    """A server that needs two turns to be read; it remembers what was known each time."""

    def __init__(self) -> None:
        self.known: list[dict[str, str]] = []

    def pull(self, account: Any, known: Any, rules: Any, now: int, seconds: float) -> Pulled:
        """The first object in the first turn, the second in the second."""
        self.known.append(dict(known.etags))
        there = {"/a": "1", "/b": "1"}
        wanted = [href for href in there if known.etags.get(href) != there[href]][:1]
        state = "IDLE" if len(self.known) != 1 else "FULL"
        span = Spans.of([(rules.start, rules.start + 60)]).pack()
        readings = [Reading(href=href, etag=there[href], uid=href, spans=span) for href in wanted]
        return Pulled(state=state, sync_token="t", full=state == "IDLE", readings=readings, present=sorted(there))


def test_reading_anew_goes_on_where_time_ran_out_and_keeps_the_old_times_until_then(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow, row = Slow(), calendar(house, "private")
    with house.services.store.write() as tx:
        tx.mirror.put_readings(row.id, [Reading(href="/b", etag="1", uid="/b", spans=b"")])
        tx.mirror.drop_resources(row.id, [href for href in tx.mirror.etags(row.id) if href != "/b"])
        tx.mirror.touch(row.id, window_end=0)
    monkeypatch.setattr(house.services.calendars, "pull", slow.pull)
    sync.sync_calendar(house.services, row.id, 20)
    assert slow.known == [{"/b": ""}, {"/b": "", "/a": "1"}]
    sync.sync_calendar(house.services, row.id, 0)
    assert slow.known[2] == {"/a": "1", "/b": "1"}
    with house.services.store.read() as tx:
        assert tx.mirror.get(row.id).window_end == house.now + sync.WINDOW_DAYS * DAY


def test_a_calendar_that_is_suddenly_empty_is_believed_after_an_hour(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = calendar(house, "private")
    known = [Reading(href=f"/{name}", etag="1", uid=name, spans=b"") for name in "abcd"]
    with house.services.store.write() as tx:
        tx.mirror.put_readings(row.id, known)
    monkeypatch.setattr(house.services.calendars, "pull", lambda *_: Pulled(state="IDLE", full=True))
    for _ in range(4):
        with pytest.raises(CalendarUnreachable):
            sync.sync_calendar(house.services, row.id, 20)
        house.now += 1190
    with house.services.store.read() as tx:
        assert len(tx.mirror.etags(row.id)) >= 4
    house.now += 1190
    assert sync.sync_calendar(house.services, row.id, 20)
    with house.services.store.read() as tx:
        assert tx.mirror.etags(row.id) == {}


@pytest.mark.parametrize("said", ["named as deleted", "few"])
def test_events_that_are_named_as_deleted_or_few_are_gone_at_once(
    house: House, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    row = calendar(house, "private")
    with house.services.store.write() as tx:
        tx.mirror.drop_resources(row.id, list(tx.mirror.etags(row.id)))
        names = "abc" if said == "few" else "abcdef"
        tx.mirror.put_readings(row.id, [Reading(href=f"/{name}", etag="1", uid=name, spans=b"") for name in names])
    pulled = Pulled(state="IDLE", full=said == "few", removed=[f"/{name}" for name in names])
    monkeypatch.setattr(house.services.calendars, "pull", lambda *_: pulled)
    sync.sync_calendar(house.services, row.id, 20)
    with house.services.store.read() as tx:
        assert tx.mirror.etags(row.id) == {}
