"""What an attacker or an operator sees: no value in any failure, and nothing on the server that opens a record."""

import re

import pyrage
import pytest

from microsite import sealing
from microsite.core.people import Address
from microsite.core.people import ClientDetails
from microsite.core.people import Delivery
from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.core.people import SecretBytes
from microsite.errors import CannotOpen
from microsite.errors import MicrositeError
from microsite.sealing import ciphers
from microsite.sealing import envelopes
from microsite.sealing import files
from microsite.sealing import plaintext

DAY = "2026-11-25"
LONE = "\ud800"  # half a character, which no encoding takes


def failures(sealer, record, delivery, coach):
    """Every way in which this room can fail while it holds a value, by name."""
    token = sealer.new_token()
    bad = Record(ClientDetails(record.details.reveal().name + LONE, "", ""), "1", "id", 1)
    later = SecretBytes(plaintext.write(record).reveal().replace(b'"v":1', b'"v":2'))
    other_envelope = ciphers.lock(sealer.keyring.get_or_create(DAY), later, envelopes.PURPOSE, "b1")
    stranger, _ = sealing.new_identity()
    return {
        "no recipient": lambda: sealer.seal_record(record, []),
        "bad recipient": lambda: sealer.seal_record(record, [coach[1], "age1oops"]),
        "half a character": lambda: sealer.seal_record(bad, [coach[1]]),
        "half a character in the copy": lambda: sealer.seal_copy(token, "b1", bad),
        "half a character in the envelope": lambda: sealer.seal_delivery(
            DAY, "b1", Delivery(Address(delivery.address.reveal() + LONE), "id", delivery.zone, token)
        ),
        "wrong identity": lambda: sealer.open_record(sealer.seal_record(record, [coach[1]]), [stranger]),
        "wrong token": lambda: sealer.open_copy(token, "b1", sealer.seal_copy(sealer.new_token(), "b1", record)),
        "moved copy": lambda: sealer.open_copy(token, "b2", sealer.seal_copy(token, "b1", record)),
        "moved envelope": lambda: sealer.open_delivery(DAY, "b2", sealer.seal_delivery(DAY, "b1", delivery)),
        "envelope of another version": lambda: sealer.open_delivery(DAY, "b1", other_envelope),
        "record of a later version": lambda: plaintext.read(later),
        "record of a later version, sealed": lambda: sealer.open_record(
            pyrage.encrypt(later.reveal(), [pyrage.x25519.Recipient.from_str(coach[1])]), [coach[0]]
        ),
        "moved password": lambda: sealer.open_secret(sealer.seal_secret(Secret("Kx7nameQ2vLp"), "a"), "b"),
        "one bad line among server keys": lambda: sealing.ServerKey.from_text(
            Secret(b"Kx7nameQ2vLp".hex().ljust(64, "0") + "\n" + "00" * 32)
        ),
        "bad server key": lambda: sealing.ServerKey.from_text(Secret("Kx7nameQ2vLp")),
    }


WAYS = (
    "no recipient", "bad recipient", "half a character", "half a character in the copy",
    "half a character in the envelope", "wrong identity", "wrong token", "moved copy",
    "moved envelope", "envelope of another version", "record of a later version", "record of a later version, sealed",
    "moved password", "one bad line among server keys", "bad server key",
)  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_no_failure_shows_a_value_even_with_all_local_variables(
    way, sealer, record, delivery, coach, shows, crash_report
):
    with pytest.raises((MicrositeError, ValueError)) as failed:
        failures(sealer, record, delivery, coach)[way]()
    assert failed.value.__traceback__ is not None
    failed.value.__traceback__ = failed.value.__traceback__.tb_next  # the frame of the lambda above is ours, too
    report = crash_report(failed.value)
    assert not shows(report) and coach[0].reveal() not in report


def test_every_way_to_fail_is_tried(sealer, record, delivery, coach):
    assert set(failures(sealer, record, delivery, coach)) == set(WAYS)


def test_a_full_disk_shows_no_secret(tmp_path, crash_report):
    with pytest.raises(FileNotFoundError) as failed:
        files.create_secret(tmp_path / "missing" / "key", Secret("Kx7nameQ2vLp"))
    assert "Kx7name" not in crash_report(failed.value)


def test_nothing_that_holds_a_key_prints_it(sealer):
    sealer.keyring.get_or_create(DAY)
    printed = (
        f"{sealer!r} {sealer} {sealer.server_key!r} {sealer.keyring!r} {sealer.form_keys()} {sealer.session_keys()}"
    )
    keys = [key.reveal() for key in (*sealer.server_key.reveal(), *sealer.form_keys(), sealer.keyring.get(DAY))]
    assert not any(str(key) in printed or key.hex() in printed for key in keys)


def test_with_every_file_and_row_of_the_server_no_record_and_no_copy_opens(sealer, record, delivery, coach, tmp_path):
    """Whoever holds the disk tries everything on it as an identity and as a key, in every alignment."""
    token = sealer.new_token()
    sealed = sealer.seal_record(record, [coach[1]])
    copied = sealer.seal_copy(token, "b1", record)
    later = Delivery(delivery.address, delivery.language, delivery.zone)  # the first letter is sent
    rows = [sealed, copied, sealer.seal_delivery(DAY, "b1", later), sealer.lookup(token), coach[1].encode()]
    files.create_secret(tmp_path / "server-key", sealer.server_key.to_text())
    disk = b"\n".join([*rows, *(path.read_bytes() for path in tmp_path.rglob("*") if path.is_file())])
    assert not re.search(rb"AGE-SECRET-KEY-1", disk, re.IGNORECASE)
    assert token.reveal().encode() not in disk
    keys = {disk[start : start + 32] for start in range(len(disk) - 31)}
    keys |= {key.reveal() for key in (*sealer.server_key.reveal(), *sealer.form_keys(), *sealer.session_keys())}
    for key in keys:
        with pytest.raises(CannotOpen):
            ciphers.unlock(SecretBytes(key), copied, "copy/1", "b1")
        assert _as_recipient(key) != coach[1]


def _as_recipient(key: bytes) -> str:
    identity = _bech32("AGE-SECRET-KEY-", key)
    return sealing.recipient_of(Secret(identity))


def _bech32(prefix: str, data: bytes) -> str:
    """The text form of an age identity (BIP 173), so that any 32 bytes can be tried as one."""
    letters, generators = (
        "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",
        (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3),
    )
    bits = "".join(f"{byte:08b}" for byte in data)
    values = [int(bits[place : place + 5].ljust(5, "0"), 2) for place in range(0, len(bits), 5)]
    low = prefix.lower()
    check = 1
    for value in [*(ord(c) >> 5 for c in low), 0, *(ord(c) & 31 for c in low), *values, *[0] * 6]:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for place, generator in enumerate(generators):
            check ^= generator if (top >> place) & 1 else 0
    check ^= 1
    tail = [check >> 5 * (5 - place) & 31 for place in range(6)]
    return prefix + "1" + "".join(letters[value] for value in (*values, *tail))


def test_the_control_an_identity_left_on_the_disk_would_be_found(coach):
    """Without this the test above would prove nothing: the right identity's bytes give the coach's recipient."""
    text = coach[0].reveal().removeprefix("AGE-SECRET-KEY-1")
    letters = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
    bits = "".join(f"{letters.index(letter):05b}" for letter in text[:-6])
    raw = bytes(int(bits[place : place + 8], 2) for place in range(0, 256, 8))
    assert _as_recipient(raw) == coach[1]
