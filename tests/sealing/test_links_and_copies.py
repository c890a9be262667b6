"""Tokens give two independent values, and the client's copy opens with the first token alone."""

import base64
import re

import pytest

from microsite.core.people import Secret
from microsite.errors import CannotOpen
from microsite.sealing import tokens
from microsite.sealing.copies import open_copy
from microsite.sealing.copies import seal_copy


def test_a_token_is_43_url_safe_characters_of_32_bytes():
    token = tokens.new_token().reveal()
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", token)
    assert len(base64.urlsafe_b64decode(token + "=")) == 32


def test_no_two_tokens_are_alike():
    assert len({tokens.new_token().reveal() for _ in range(1000)}) == 1000


def test_the_image_of_a_token_is_always_the_same_and_another_tokens_is_not():
    token = tokens.new_token()
    assert tokens.lookup(token) == tokens.lookup(Secret(token.reveal()))
    assert tokens.lookup(token) != tokens.lookup(tokens.new_token())


def test_the_images_never_change_between_releases():
    """Links live in letters for weeks: a release that changes these values breaks every one of them."""
    token = Secret("A" * 43)
    assert tokens.lookup(token).hex() == "439060ce5521c0c718a9096fa2d6bb723ad78421a17a68efe4c55a4815b34712"
    assert tokens.copy_key(token).reveal().hex() == "925506bf252fe33fb081183e410979e3ebd6823cad82ffe2a07a6f90b6c73a06"


def test_the_image_says_nothing_about_the_token_nor_the_key_of_the_copy():
    token = tokens.new_token()
    image, key = tokens.lookup(token), tokens.copy_key(token).reveal()
    assert image != key and len(image) == len(key) == 32
    assert tokens.lookup(Secret(image.hex())) != key and tokens.copy_key(Secret(image.hex())).reveal() != key


@pytest.mark.parametrize("text", ["", "x", "A" * 42, "A" * 10_000, "../..", "\0", "\ud800", "🔑", "A" * 42 + "="])
def test_a_malformed_token_gives_an_unknown_image_like_any_other(text):
    assert len(tokens.lookup(Secret(text))) == len(tokens.copy_key(Secret(text)).reveal()) == 32


def test_one_more_space_or_another_case_is_another_token():
    token = tokens.new_token().reveal()
    spellings = {token, token + " ", token + "=", token.swapcase(), "\n" + token}
    assert len({tokens.lookup(Secret(text)) for text in spellings}) == len(spellings)


def test_the_first_token_opens_the_copy(record):
    token = tokens.new_token()
    opened = open_copy(token, "b1", seal_copy(token, "b1", record))
    assert opened.details.reveal() == record.details.reveal()
    assert opened.consent_version == record.consent_version and opened.written_at == record.written_at


def test_a_later_token_does_not_open_the_copy(record):
    with pytest.raises(CannotOpen):
        open_copy(tokens.new_token(), "b1", seal_copy(tokens.new_token(), "b1", record))


def test_the_image_in_the_database_does_not_open_the_copy(record):
    token = tokens.new_token()
    sealed = seal_copy(token, "b1", record)
    image = tokens.lookup(token)
    for text in (image.hex(), base64.urlsafe_b64encode(image).decode(), image.decode("latin-1")):
        with pytest.raises(CannotOpen):
            open_copy(Secret(text), "b1", sealed)


def test_a_copy_moved_to_another_booking_is_not_opened(record):
    token = tokens.new_token()
    with pytest.raises(CannotOpen):
        open_copy(token, "b2", seal_copy(token, "b1", record))


def test_a_copy_has_1052_bytes(record):
    assert len(seal_copy(tokens.new_token(), "b1", record)) == 1024 + 28
