"""Records: the coach opens them, with this code or the plain `age` tool, and nobody else does."""

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite import sealing
from microsite.core.people import ClientDetails
from microsite.core.people import Hidden
from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.core.people import SecretBytes
from microsite.errors import CannotOpen
from microsite.errors import WrongKey
from microsite.sealing import plaintext
from microsite.sealing.padding import write_json
from microsite.sealing.records import open_record
from microsite.sealing.records import seal_record

AGE = "/usr/bin/age"  # Debian's package `age`, which the tests need and never install


def everything(record):
    """All that a record says, as plain values."""
    return (*record.details.reveal(), record.consent_version, record.language, record.written_at)


def run_age(*arguments, text=b""):
    return subprocess.run([AGE, *map(str, arguments)], input=text, capture_output=True, check=True).stdout


@pytest.fixture
def identity_file(tmp_path: Path, coach) -> Path:
    file = tmp_path / "coach.age"
    file.write_text(f"# created: 2026-11-23\n# public key: {coach[1]}\n{coach[0].reveal()}\n")
    return file


def test_the_coach_opens_what_was_sealed_for_her(record, coach):
    identity, recipient = coach
    assert everything(open_record(seal_record(record, [recipient]), [identity])) == everything(record)


texts = st.text(max_size=80)


@given(name=texts, email=texts, note=st.text(max_size=500), consent=texts, language=texts)
def test_whatever_was_typed_comes_back_unchanged(name, email, note, consent, language):
    record = Record(ClientDetails(name, email, note), consent, language, 1_796_000_000)
    assert everything(plaintext.read(plaintext.write(record))) == everything(record)


def test_each_recipient_opens_it_with_her_own_identity_alone(record):
    everyday, recovery, successor = (sealing.new_identity() for _ in range(3))
    sealed = seal_record(record, [everyday[1], recovery[1], successor[1]])
    for identity, _ in (everyday, recovery, successor):
        assert everything(open_record(sealed, [identity])) == everything(record)


def test_an_identity_that_is_no_recipient_does_not_open_it(record, coach):
    stranger, _ = sealing.new_identity()
    with pytest.raises(CannotOpen):
        open_record(seal_record(record, [coach[1]]), [stranger])


def test_after_a_rotation_old_and_new_identity_together_open_old_and_new_records(record, coach):
    later = sealing.new_identity()
    for recipient in (coach[1], later[1]):
        assert everything(open_record(seal_record(record, [recipient]), [coach[0], later[0]])) == everything(record)


@pytest.mark.parametrize(
    "damage", [lambda s: s[:-1], lambda s: s[:-1] + bytes([s[-1] ^ 1]), lambda s: b"", lambda s: s * 2]
)
def test_a_damaged_record_is_not_opened(record, coach, damage):
    with pytest.raises(CannotOpen):
        open_record(damage(seal_record(record, [coach[1]])), [coach[0]])


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"hello",
        b"[]",
        b'{"v":1}',
        b'\xff{"v":1}',
        b'{"v":1,"name":"\xff","email":"","note":"","consent":"","language":"","written_at":1}',
        b'{"v":2,"name":"","email":"","note":"","consent":"","language":"","written_at":1}',
    ],
)
def test_an_opened_text_that_is_no_record_of_this_version_is_refused(text):
    with pytest.raises(CannotOpen):
        plaintext.read(SecretBytes(text))


def test_a_record_with_a_field_of_a_later_release_still_opens(record):
    later = json.loads(plaintext.write(record).reveal()) | {"answers": ["more"]}
    assert everything(plaintext.read(SecretBytes(json.dumps(later).encode()))) == everything(record)


def test_the_text_is_one_sorted_json_object_padded_with_spaces_and_a_line_end(record):
    text = plaintext.write(record).reveal()
    assert text.endswith(b" \n") and text.isascii()
    assert text.rstrip() == json.dumps(json.loads(text), sort_keys=True, separators=(",", ":")).encode()


def test_nothing_in_the_text_names_a_booking(record):
    assert set(json.loads(plaintext.write(record).reveal())) == {
        "v", "name", "email", "note", "consent", "language", "written_at",
    }  # fmt: skip


@pytest.mark.parametrize("length", range(0, 901, 50))
def test_notes_of_0_to_900_characters_are_equally_long_when_sealed(length):
    record = Record(ClientDetails("Ayu", "ayu@example.org", "x" * length), "2026-11", "id", 1_796_000_000)
    assert len(plaintext.write(record).reveal()) == 1024


def test_the_longest_details_the_form_allows_fit_in_one_step():
    record = Record(ClientDetails("x" * 80, "x" * 254, "x" * 500), "2026-11-25.1", "id", 1_796_000_000)
    assert len(plaintext.write(record).reveal()) == 1024


@pytest.mark.parametrize("length", range(1000, 4000, 97))
def test_longer_texts_grow_in_steps_of_1024_bytes(length):
    record = Record(ClientDetails("", "", "x" * length), "1", "id", 1_796_000_000)
    size = len(plaintext.write(record).reveal())
    assert size % 1024 == 0 and 0 < size - length <= 1024 + 120


def test_every_length_is_padded_to_a_whole_step_with_at_least_a_line_end():
    for length in range(200):
        text = write_json(Hidden("x" * length), 64).reveal()
        assert len(text) % 64 == 0 and len(text) - 64 <= length + 2 < len(text) and text.endswith(b"\n")


def test_sealed_records_differ_only_by_the_chance_stanza_of_the_format(coach):
    sizes = {
        len(seal_record(Record(ClientDetails("", "", "x" * length), "1", "id", 1_796_000_000), [coach[1]]))
        for length in (0, 300, 900)
        for _ in range(20)
    }
    assert 1024 < min(sizes) and max(sizes) < 1024 + 512


def test_the_plain_age_tool_opens_a_record(record, coach, identity_file):
    opened = run_age("-d", "-i", identity_file, text=seal_record(record, [coach[1]]))
    assert json.loads(opened)["name"] == record.details.reveal().name
    assert opened == plaintext.write(record).reveal()


def test_a_record_sealed_by_the_plain_age_tool_is_opened(record, coach):
    sealed = run_age("-r", coach[1], text=plaintext.write(record).reveal())
    assert everything(open_record(sealed, [coach[0]])) == everything(record)


def test_the_age_tool_opens_a_record_with_the_recovery_identity_alone(record, coach, identity_file):
    _, everyday = sealing.new_identity()
    assert run_age("-d", "-i", identity_file, text=seal_record(record, [everyday, coach[1]]))


def test_an_identity_file_of_the_age_tool_is_read(coach, identity_file):
    assert sealing.identities_in(Secret(identity_file.read_text())) == [coach[0]]


def test_a_recipient_follows_from_its_identity(coach):
    assert sealing.recipient_of(coach[0]) == coach[1]
    assert coach[0].reveal().startswith("AGE-SECRET-KEY-1") and coach[1].startswith("age1")


def test_a_recipient_is_taken_with_white_space_around_it(coach):
    assert sealing.check_recipient(f"  {coach[1]}\n") == coach[1]


@pytest.mark.parametrize("text", ["", "age1", "age1" + "q" * 58, "ssh-ed25519 AAAA", "\ud800", "AGE-SECRET-KEY-1ABC"])
def test_a_text_that_is_no_recipient_is_refused(text, record):
    with pytest.raises(WrongKey):
        sealing.check_recipient(text)
    with pytest.raises(WrongKey):
        seal_record(record, [text])


def test_an_identity_pasted_as_recipient_is_refused_and_not_repeated(coach):
    with pytest.raises(WrongKey) as refused:
        sealing.check_recipient(coach[0].reveal())
    assert coach[0].reveal() not in str(refused.value)


def test_a_record_for_nobody_is_refused(record):
    with pytest.raises(WrongKey):
        seal_record(record, [])


def test_a_malformed_identity_is_refused_and_not_repeated(record, coach):
    with pytest.raises(WrongKey) as refused:
        open_record(seal_record(record, [coach[1]]), [Secret("AGE-SECRET-KEY-1OOPS")])
    assert "OOPS" not in str(refused.value)
