"""What the coach does in her calendar app reaches the client once, correctly; the rest reaches nobody."""

import pytest

from microsite.errors import SlotTaken
from tests.conftest import House

from .conftest import App
from .conftest import confirmed


def test_a_dragged_event_moves_the_booking_and_tells_the_client_once(house: House, app: App) -> None:
    booking_id = confirmed(house)
    old, new = house.booking(booking_id).start, house.starts()[20]
    app.drag(booking_id, new)
    app.later()
    booking = house.booking(booking_id)
    assert (booking.state, booking.start, booking.client_seq) == ("confirmed", new, 1)
    assert house.letters(booking_id) == [("confirmed", "sent"), ("moved-by-coach", "sent")]
    assert old != new
    app.hear()
    app.later()
    assert len(house.letters(booking_id)) == 2


def test_a_drag_in_three_steps_sends_one_letter_with_the_last_time(house: House, app: App) -> None:
    booking_id = confirmed(house)
    steps = [house.starts()[index] for index in (10, 15, 20)]
    for step in steps:
        app.drag(booking_id, step)
        house.drain()
        house.now += 40
    app.later()
    app.later()
    assert house.booking(booking_id).start == steps[-1]
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed", "moved-by-coach"]


def test_a_drag_that_is_undone_within_the_grace_time_tells_nobody(house: House, app: App) -> None:
    booking_id = confirmed(house)
    start = house.booking(booking_id).start
    app.drag(booking_id, house.starts()[20])
    house.drain()
    house.now += 60
    app.drag(booking_id, start)
    app.later()
    app.later()
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]
    assert house.booking(booking_id).state == "confirmed"


def test_the_time_an_event_was_dragged_to_is_nobody_elses_while_it_is_not_believed_yet(house: House, app: App) -> None:
    booking_id = confirmed(house)
    old, new = house.booking(booking_id).start, house.starts()[20]
    app.drag(booking_id, new)
    house.drain()
    assert house.booking(booking_id).start == old
    assert new not in house.starts() and old not in house.starts()
    with pytest.raises(SlotTaken):
        house.book(new)
    app.drag(booking_id, old)
    house.drain()
    assert new in house.starts()
    assert house.book(new).booking.start == new


def test_a_deleted_event_cancels_the_booking_after_the_grace_time(house: House, app: App) -> None:
    booking_id = confirmed(house)
    app.delete(booking_id)
    house.drain()
    assert house.booking(booking_id).state == "confirmed"
    app.later()
    assert house.booking(booking_id).state == "cancelled"
    assert house.letters(booking_id) == [("confirmed", "sent"), ("cancelled-by-coach", "sent")]
    assert house.letters(booking_id, "coach")[-1][0] == "cancelled-in-calendar"


def test_a_deletion_that_is_undone_within_the_grace_time_tells_nobody(house: House, app: App) -> None:
    booking_id = confirmed(house)
    text = app.read(booking_id)
    app.delete(booking_id)
    house.drain()
    house.now += 60
    uid = house.booking(booking_id).coach_uid
    house.services.calendars.create(app.account(), uid, text.encode())
    app.hear()
    app.later()
    assert house.booking(booking_id).state == "confirmed"
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]


def test_a_cancelled_status_cancels_the_booking(house: House, app: App) -> None:
    booking_id = confirmed(house)
    app.edit(booking_id, STATUS=":CANCELLED")
    app.later()
    assert house.booking(booking_id).state == "cancelled"
    assert app.gone(booking_id)


def test_a_new_title_alarm_colour_or_note_tells_nobody_and_stays(house: House, app: App) -> None:
    booking_id = confirmed(house)
    app.edit(booking_id, SUMMARY=":Budi, jam 9", COLOR=":red", DESCRIPTION=":bawa buku")
    app.later()
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]
    assert "bawa buku" in app.read(booking_id)


def test_an_all_day_recurring_past_or_overlapping_event_freezes_and_asks_the_coach(house: House, app: App) -> None:
    cases = {
        "all-day": {"DTSTART": ";VALUE=DATE:20261201", "DTEND": ";VALUE=DATE:20261202"},
        "recurring": {"RRULE": ":FREQ=WEEKLY"},
        "past": {"DTSTART": ":20261120T020000Z", "DTEND": ":20261120T030000Z"},
    }
    for why, properties in cases.items():
        booking_id = confirmed(house)
        app.edit(booking_id, **properties)
        app.later()
        booking = house.booking(booking_id)
        assert (booking.state, booking.reason) == ("frozen", why)
        assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]
        assert house.letters(booking_id, "coach")[-1] == ("please-check", "sent")


def test_a_drag_onto_another_booking_freezes_it(house: House, app: App) -> None:
    first, second = confirmed(house), confirmed(house)
    app.drag(second, house.booking(first).start)
    app.later()
    assert house.booking(second).reason == "overlap"


def test_a_frozen_booking_thaws_when_the_event_is_as_it_was(house: House, app: App) -> None:
    booking_id = confirmed(house)
    before = app.read(booking_id)
    app.edit(booking_id, RRULE=":FREQ=WEEKLY")
    app.later()
    app.put(booking_id, before)
    app.later()
    assert house.booking(booking_id).state == "confirmed"
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]


def test_many_deletions_at_once_change_nothing_until_the_coach_agrees(house: House, app: App) -> None:
    from microsite.work.judge import release_brake

    ids = [confirmed(house, start=start) for start in house.starts()[::6][:5]]
    for booking_id in ids:
        app.delete(booking_id)
    app.later()
    app.later()
    assert {house.booking(booking_id).state for booking_id in ids} == {"confirmed"}
    release_brake(house.services, "sari")
    app.later()
    app.later()
    assert {house.booking(booking_id).state for booking_id in ids} == {"cancelled"}


def test_an_event_that_moved_to_another_calendar_is_followed(house: House, app: App) -> None:
    booking_id = confirmed(house)
    text, uid = app.read(booking_id), house.booking(booking_id).coach_uid
    app.delete(booking_id)
    house.services.calendars.create(app.account("private"), uid, text.encode())
    app.hear()
    app.later()
    app.later()
    booking = house.booking(booking_id)
    assert booking.state == "confirmed"
    assert "/private/" in booking.coach_href
