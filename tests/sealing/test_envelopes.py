"""Delivery envelopes: the running server opens them, for their own booking, until their day's key is destroyed."""

import dataclasses
import shutil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite import sealing
from microsite.core.people import Address
from microsite.core.people import Delivery
from microsite.core.people import Secret
from microsite.core.people import SecretBytes
from microsite.errors import CannotOpen
from microsite.sealing import ciphers
from microsite.sealing import envelopes
from microsite.sealing.envelopes import open_delivery
from microsite.sealing.envelopes import seal_delivery

DAY, NEXT_DAY = "2026-11-25", "2026-11-26"


def everything(delivery):
    """All that an envelope says, as plain values."""
    token = delivery.first_token and delivery.first_token.reveal()
    return (delivery.address.reveal(), delivery.language, delivery.zone, token, delivery.reminders)


def test_what_was_sealed_comes_back(keyring, delivery):
    assert everything(open_delivery(keyring, DAY, "b1", seal_delivery(keyring, DAY, "b1", delivery))) == everything(
        delivery
    )


def test_the_first_token_can_be_left_out_and_reminders_declined(keyring, delivery):
    later = dataclasses.replace(delivery, first_token=None, reminders=())
    opened = open_delivery(keyring, DAY, "b1", seal_delivery(keyring, DAY, "b1", later))
    assert opened.first_token is None and opened.reminders == ()


@given(address=st.text(max_size=254), language=st.text(max_size=10), zone=st.text(max_size=40))
def test_any_text_comes_back_unchanged(address, language, zone):
    delivery = Delivery(Address(address), language, zone)
    assert everything(envelopes._read(envelopes._write(delivery))) == everything(delivery)


@pytest.mark.parametrize("token", [None, Secret("T" * 43)])
@pytest.mark.parametrize("zone", ["UTC", "America/Argentina/ComodRivadavia"])
@pytest.mark.parametrize("address", ["a@b.id", "x" * 90])
@pytest.mark.parametrize("reminders", [None, (), (48, 24, 2)])
def test_every_usual_envelope_has_220_bytes(keyring, address, zone, token, reminders):
    delivery = Delivery(Address(address), "id", zone, token, reminders)
    assert len(seal_delivery(keyring, DAY, "b1", delivery)) == 220


def test_the_longest_address_takes_the_next_step(keyring):
    delivery = Delivery(Address("x" * 254), "id", "Asia/Jakarta", Secret("T" * 43))
    assert len(seal_delivery(keyring, DAY, "b1", delivery)) == 2 * 192 + 28


def test_an_envelope_moved_to_another_booking_is_not_opened(keyring, delivery):
    sealed = seal_delivery(keyring, DAY, "b1", delivery)
    with pytest.raises(CannotOpen):
        open_delivery(keyring, DAY, "b2", sealed)


def test_an_envelope_moved_to_another_day_is_not_opened(keyring, delivery):
    sealed = seal_delivery(keyring, DAY, "b1", delivery)
    keyring.get_or_create(NEXT_DAY)
    with pytest.raises(CannotOpen):
        open_delivery(keyring, NEXT_DAY, "b1", sealed)


def test_an_envelope_is_no_box_of_another_purpose(keyring, delivery):
    sealed = seal_delivery(keyring, DAY, "b1", delivery)
    with pytest.raises(CannotOpen):
        ciphers.unlock(keyring.get(DAY), sealed, "copy/1", "b1")


@pytest.mark.parametrize("length", [0, 1, 7, 8, 11, 12, 27, 28, 219])
def test_a_shortened_envelope_is_not_opened(keyring, delivery, length):
    sealed = seal_delivery(keyring, DAY, "b1", delivery)
    with pytest.raises(CannotOpen):
        open_delivery(keyring, DAY, "b1", sealed[:length])


@pytest.mark.parametrize("place", [0, 12, 100, -1])
def test_an_envelope_with_one_changed_bit_is_not_opened(keyring, delivery, place):
    sealed = bytearray(seal_delivery(keyring, DAY, "b1", delivery))
    sealed[place] ^= 1
    with pytest.raises(CannotOpen):
        open_delivery(keyring, DAY, "b1", bytes(sealed))


def test_an_envelope_of_another_version_is_refused(keyring):
    sealed = ciphers.lock(keyring.get_or_create(DAY), SecretBytes(b'["only one"]'), "delivery/1", "b1")
    with pytest.raises(CannotOpen):
        open_delivery(keyring, DAY, "b1", sealed)


def test_the_same_envelope_sealed_twice_looks_different(keyring, delivery):
    assert len({seal_delivery(keyring, DAY, "b1", delivery) for _ in range(50)}) == 50


def test_once_the_days_key_is_destroyed_no_envelope_of_that_day_opens(keyring, delivery):
    sealed = seal_delivery(keyring, DAY, "b1", delivery)
    other = seal_delivery(keyring, NEXT_DAY, "b2", delivery)
    keyring.destroy(DAY)
    with pytest.raises(CannotOpen):
        open_delivery(keyring, DAY, "b1", sealed)
    assert everything(open_delivery(keyring, NEXT_DAY, "b2", other)) == everything(delivery)


def test_yesterdays_backup_without_the_keys_does_not_open_after_the_purge(keyring, delivery):
    backup = seal_delivery(keyring, DAY, "b1", delivery)  # the database as it was yesterday
    keyring.destroy(DAY)
    keyring.get_or_create(DAY)  # a key made again for the same day is another one
    with pytest.raises(CannotOpen):
        open_delivery(keyring, DAY, "b1", backup)


def test_a_backup_of_the_key_folder_would_undo_the_destruction(keyring, delivery, tmp_path):
    """The reason for the mark that keeps the folder out of backups: this is what happens when it is ignored."""
    sealed = seal_delivery(keyring, DAY, "b1", delivery)
    shutil.copytree(tmp_path / "day-keys", tmp_path / "backup")
    keyring.destroy(DAY)
    (tmp_path / "backup").chmod(0o700)
    old = sealing.FolderKeyring(tmp_path / "backup")
    assert everything(open_delivery(old, DAY, "b1", sealed)) == everything(delivery)


def test_opening_an_envelope_never_makes_a_key(keyring):
    with pytest.raises(CannotOpen):
        open_delivery(keyring, DAY, "b1", b"")
    assert keyring.days() == []


def test_a_booking_without_an_envelope_day_is_refused_politely(keyring):
    with pytest.raises(CannotOpen):
        open_delivery(keyring, "", "b1", b"")
