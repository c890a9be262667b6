"""What the client does on her page: moves, cancels, erases, is reminded, and asks for small things."""

import pytest

from microsite.core.bookings import cancel_deadline
from microsite.errors import NotFound
from microsite.errors import NotPossibleNow
from microsite.errors import SlotTaken
from microsite.errors import TooLate
from microsite.errors import TooOften
from microsite.errors import WrongBooking
from microsite.work import cancel
from microsite.work import erase
from microsite.work import invite
from microsite.work import look
from microsite.work import manage
from microsite.work import move
from microsite.work import purge
from microsite.work import wishes
from tests.conftest import House

from .conftest import App
from .conftest import confirmed
from .conftest import stamp
from .test_modes import set_offer


def far(house: House) -> int:
    """A start beyond every notice window."""
    return house.starts()[40]


def test_moving_keeps_reference_and_uid_and_raises_the_sequence(house: House, app: App) -> None:
    booking_id = confirmed(house, start=far(house))
    before = house.booking(booking_id)
    new = house.starts()[60]
    held = move.move(house.services, booking_id, before.ref, new)
    assert (held.start, held.pending_start) == (before.start, new)
    assert before.start not in house.starts()
    assert new not in house.starts()
    house.drain()
    after = house.booking(booking_id)
    assert (after.start, after.pending_start, after.state) == (new, None, "confirmed")
    assert (after.ref, after.client_uid, after.client_seq) == (before.ref, before.client_uid, before.client_seq + 1)
    assert f"DTSTART:{stamp(new)}" in app.read(booking_id)
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed", "moved"]
    assert before.start in house.starts()


def test_a_move_keeps_what_the_coach_wrote_into_the_event(house: House, app: App) -> None:
    booking_id = confirmed(house, start=far(house))
    app.edit(booking_id, COLOR=":red", DESCRIPTION=":bawa buku")
    house.drain()
    move.move(house.services, booking_id, house.booking(booking_id).ref, house.starts()[60])
    house.drain()
    assert "bawa buku" in app.read(booking_id)
    assert "COLOR:red" in app.read(booking_id)


def test_a_move_onto_time_the_coach_just_filled_leaves_everything_as_it_was(house: House, app: App) -> None:
    booking_id = confirmed(house, start=far(house))
    before, new = house.booking(booking_id), house.starts()[60]
    move.move(house.services, booking_id, before.ref, new)
    app.add("private", "surprise@app", new)
    house.drain()
    after = house.booking(booking_id)
    assert (after.start, after.pending_start, after.reason) == (before.start, None, "move-failed")
    assert f"DTSTART:{stamp(before.start)}" in app.read(booking_id)
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]


def test_a_move_to_a_time_that_is_not_offered_is_refused(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    ref = house.booking(booking_id).ref
    with pytest.raises(SlotTaken):
        move.move(house.services, booking_id, ref, house.starts()[60] + 60)
    with pytest.raises(WrongBooking):
        move.move(house.services, booking_id, "XXXX", house.starts()[60])


def test_cancelling_frees_the_time_at_once_and_takes_the_event_away(house: House, app: App) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    cancel.cancel(house.services, booking_id, booking.ref)
    assert booking.start in house.starts()
    house.drain()
    assert app.gone(booking_id)
    assert house.letters(booking_id) == [("confirmed", "sent"), ("cancelled", "sent")]
    assert house.booking(booking_id).client_seq == 1
    with house.services.store.read() as tx:
        assert tx.bookings.sealed(booking_id).delivery is None


def test_inside_the_notice_window_neither_cancelling_nor_moving_is_possible(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    house.now = cancel_deadline(booking.start, house.offer().cancel_notice)
    with pytest.raises(TooLate):
        cancel.cancel(house.services, booking_id, booking.ref)
    with pytest.raises(TooLate):
        move.move(house.services, booking_id, booking.ref, house.starts()[60])


def test_a_reminder_comes_a_day_before_with_the_true_time_and_without_a_file(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    house.now = booking.start - 86400 + 1
    house.drain()
    house.drain()
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed", "reminder"]
    with house.services.store.read() as tx:
        assert tx.letters.of(booking_id)[-1].dtstamp == 0


def test_a_moved_booking_is_reminded_once_for_its_new_time(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    new = house.starts()[-20]
    move.move(house.services, booking_id, booking.ref, new)
    house.drain()
    house.now = booking.start - 3600
    house.drain()
    assert "reminder" not in [kind for kind, _ in house.letters(booking_id)]
    house.now = new - 3600
    house.drain()
    assert [kind for kind, _ in house.letters(booking_id)].count("reminder") == 1


def test_a_client_who_wants_no_reminder_gets_none(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    assert wishes.chosen_reminders(house.services, booking) == (24 * 60,)
    wishes.set_reminders(house.services, booking_id, booking.ref, ())
    house.now = booking.start - 3600
    house.drain()
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]


def test_a_client_who_wants_three_reminders_gets_each_once(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    wishes.set_reminders(house.services, booking_id, booking.ref, {2, 24, 48})
    counts = []
    for hours in (49, 48, 47, 24, 23, 2, 1):
        house.now = booking.start - hours * 3600
        house.drain()
        house.drain()
        counts.append([kind for kind, _ in house.letters(booking_id)].count("reminder"))
    assert counts == [0, 1, 1, 2, 2, 3, 3]


def test_a_reminder_added_late_is_not_sent_for_a_time_that_is_past(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    wishes.set_reminders(house.services, booking_id, booking.ref, ())
    house.now = booking.start - 20 * 3600
    house.drain()
    wishes.set_reminders(house.services, booking_id, booking.ref, {48, 24})
    house.drain()
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed"]
    wishes.set_reminders(house.services, booking_id, booking.ref, {24, 2})
    house.now = booking.start - 2 * 3600
    house.drain()
    assert [kind for kind, _ in house.letters(booking_id)] == ["confirmed", "reminder"]


def test_the_mail_can_be_had_again_three_times_with_the_same_sequence(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    ref = house.booking(booking_id).ref
    for _ in range(3):
        wishes.send_again(house.services, booking_id, ref)
        house.drain()
    with pytest.raises(TooOften):
        wishes.send_again(house.services, booking_id, ref)
    with house.services.store.read() as tx:
        rows = [row for row in tx.letters.of(booking_id) if row.recipient == "client"]
    assert {row.seq for row in rows} == {0}
    stamps = [row.dtstamp for row in rows]
    assert stamps == sorted(set(stamps))


def test_the_discreet_title_is_the_default_and_can_be_changed(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    assert b"SUMMARY:Sesi\r\n" in manage.client_ics(house.services, booking)
    wishes.set_discreet(house.services, booking_id, booking.ref, discreet=False)
    assert b"SUMMARY:Sesi coaching" in manage.client_ics(house.services, house.booking(booking_id))


def test_erasing_leaves_no_row_no_link_and_no_event_and_sends_nothing(house: House, app: App) -> None:
    placed = house.book(far(house))
    house.drain()
    booking = house.booking(placed.booking.id)
    account, href = app.account(), booking.coach_href
    erase.erase(house.services, booking.id, booking.ref)
    with pytest.raises(NotFound):
        manage.by_token(house.services, placed.token.reveal())
    house.drain()
    assert house.services.calendars.read(account, href) is None
    assert booking.start in house.starts()


def test_an_invitation_opens_its_offer_as_often_as_it_says(house: House) -> None:
    set_offer(house, invited=True, listed=False)
    coach = look.coach(house.services, "sari")
    address = invite.invite(house.services, coach, "sesi", uses=1, days=7)
    token = address.split("invite=")[1]
    with pytest.raises(NotFound):
        house.book()
    assert invite.invited(house.services, "sari", "sesi", token)
    house.book(invitation=token)
    assert not invite.invited(house.services, "sari", "sesi", token)
    with pytest.raises(NotFound):
        house.book(invitation=token)


def test_purging_destroys_envelope_key_and_record_in_their_order(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    house.now = booking.end + 86400
    assert purge.purge_now(house.services, dry_run=True).envelopes == 1
    purge.purge_now(house.services)
    with house.services.store.read() as tx:
        sealed = tx.bookings.sealed(booking_id)
    assert (sealed.delivery, sealed.record is None) == (None, False)
    house.now = booking.end + 2 * 86400
    purge.purge_now(house.services)
    assert booking.delivery_day not in house.services.sealer.key_days()
    house.now = booking.end + 31 * 86400
    assert purge.purge_now(house.services).records == 1
    with pytest.raises(NotFound):
        house.booking(booking_id)


def test_an_ended_booking_grants_no_wishes(house: House) -> None:
    booking_id = confirmed(house, start=far(house))
    booking = house.booking(booking_id)
    cancel.cancel(house.services, booking_id, booking.ref)
    house.drain()
    for wish in (
        lambda: wishes.send_again(house.services, booking_id, booking.ref),
        lambda: wishes.set_reminders(house.services, booking_id, booking.ref, {24}),
        lambda: wishes.feed_address(house.services, booking_id, booking.ref),
    ):
        with pytest.raises(NotPossibleNow):
            wish()
