"""The server key: seals passwords for one place, signs for one purpose, and can be changed without losing either."""

import pytest

from microsite.core.people import Secret
from microsite.errors import CannotOpen
from microsite.errors import StartRefused
from microsite.sealing import ServerKey

PASSWORD = Secret("correct horse battery staple")


@pytest.fixture
def key():
    return ServerKey.new()


def test_a_password_comes_back(key):
    assert key.open_secret(key.seal_secret(PASSWORD, "calendar/1"), "calendar/1") == PASSWORD


@pytest.mark.parametrize("password", ["", " ", "p\n", "ключ🔑", 'quotes " and \\', "x" * 300])
def test_a_password_of_any_letters_comes_back(key, password):
    assert key.open_secret(key.seal_secret(Secret(password), "c"), "c").reveal() == password


def test_a_password_moved_to_another_place_is_not_opened(key):
    with pytest.raises(CannotOpen):
        key.open_secret(key.seal_secret(PASSWORD, "calendar/1"), "calendar/2")


def test_another_server_key_does_not_open_a_password(key):
    with pytest.raises(CannotOpen):
        ServerKey.new().open_secret(key.seal_secret(PASSWORD, "calendar/1"), "calendar/1")


def test_passwords_of_usual_lengths_are_equally_long_when_sealed(key):
    assert {len(key.seal_secret(Secret("x" * length), "c")) for length in range(61)} == {64 + 28}


def test_after_a_rotation_old_passwords_open_and_new_ones_need_the_new_key(key):
    later = key.rotated()
    assert later.open_secret(key.seal_secret(PASSWORD, "c"), "c") == PASSWORD
    with pytest.raises(CannotOpen):
        key.open_secret(later.seal_secret(PASSWORD, "c"), "c")


def test_after_a_rotation_old_signatures_hold_and_new_ones_are_made_with_the_new_key(key):
    later = key.rotated()
    assert later.verifies("form", b"m", key.sign("form", b"m"))
    assert not key.verifies("form", b"m", later.sign("form", b"m"))
    assert later.derive_all("session")[1].reveal() == key.derive("session").reveal()


def test_a_signature_holds_for_its_own_message_and_purpose_only(key):
    signature = key.sign("form", b"message")
    assert len(signature) == 32 and key.verifies("form", b"message", signature)
    assert not key.verifies("form", b"another", signature)
    assert not key.verifies("rate", b"message", signature)
    assert not key.verifies("form", b"message", signature[:-1]) and not key.verifies("form", b"message", b"")


def test_each_purpose_has_its_own_key(key):
    assert len({key.derive(purpose).reveal() for purpose in ("form", "rate", "session", "secrets")}) == 4


def test_the_keys_of_a_text_are_those_it_was_made_from(key):
    rotated = key.rotated().rotated()
    again = ServerKey.from_text(rotated.to_text())
    assert [k.reveal() for k in again.derive_all("x")] == [k.reveal() for k in rotated.derive_all("x")]
    assert len(again.reveal()) == 3


@pytest.mark.parametrize(
    "text",
    ["", "dev", "0" * 64, "ab" * 32, "0123456789abcdef" * 4, "a" * 63, "zz" * 32, "a1" * 31, f"{'0' * 64}\nxx"],
)
def test_a_text_that_is_no_random_key_refuses_the_start_and_says_how_to_make_one(text):
    with pytest.raises(StartRefused, match="openssl rand -hex 32") as refused:
        ServerKey.from_text(Secret(text))
    assert not text or text not in str(refused.value)


@pytest.mark.parametrize("size", [16, 31, 33, 64])
def test_a_random_key_of_another_size_is_refused(size):
    with pytest.raises(StartRefused):
        ServerKey.from_text(Secret(bytes(range(size)).hex()))


def test_one_bad_line_refuses_the_whole_file(key):
    with pytest.raises(StartRefused):
        ServerKey.from_text(Secret(key.to_text().reveal() + "\n" + "00" * 32))
