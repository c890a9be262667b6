"""The room as the rest of the house sees it: one object, with every operation."""

import dataclasses

import pytest

from microsite import sealing
from microsite.core.people import Secret
from microsite.errors import CannotOpen


def test_a_booking_through_its_whole_life(sealer, record, delivery, coach):
    day, token = sealer.delivery_day(1_795_600_000), sealer.new_token()
    sealed = sealer.seal_record(record, [coach[1]])
    copied = sealer.seal_copy(token, "b1", record)
    envelope = sealer.seal_delivery(day, "b1", delivery)

    assert sealer.open_copy(token, "b1", copied).details.reveal() == record.details.reveal()
    assert sealer.open_delivery(day, "b1", envelope).address.reveal() == delivery.address.reveal()
    assert sealer.open_record(sealed, [coach[0]]).details.reveal() == record.details.reveal()

    assert sealer.key_days() == [day]
    sealer.destroy_day(day)
    assert sealer.key_days() == []
    with pytest.raises(CannotOpen):
        sealer.open_delivery(day, "b1", envelope)


def test_the_same_token_is_found_again(sealer):
    token = sealer.new_token()
    assert sealer.lookup(token) == sealer.lookup(Secret(token.reveal())) != sealer.lookup(sealer.new_token())


def test_passwords_and_signatures_use_the_server_key(sealer):
    assert sealer.open_secret(sealer.seal_secret(Secret("p"), "c"), "c") == Secret("p")
    assert sealer.verifies("form", b"m", sealer.sign("form", b"m"))
    assert sealer.form_keys()[0].reveal() != sealer.session_keys()[0].reveal()


def test_its_parts_cannot_be_exchanged(sealer):
    with pytest.raises(dataclasses.FrozenInstanceError):
        sealer.server_key = sealing.ServerKey.new()
