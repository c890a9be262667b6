"""Handing letters over to real relays, good and bad, and into a Maildir."""

import contextlib
import logging
import os
import socket
import stat
import threading
from email.message import EmailMessage
from email.policy import SMTPUTF8
from pathlib import Path
from typing import Any

import pytest
from letterbox import BRAND
from letterbox import NOW
from letterbox import SENDER
from letterbox import TEMPLATES
from letterbox import Sent
from letterbox import order_for
from letterbox import parse
from relays import Inbox
from relays import certificate
from relays import check_password
from relays import free_port
from relays import relay
from relays import say
from relays import talker

from microsite.core.bookings import Booking
from microsite.core.people import Address
from microsite.core.people import Secret
from microsite.errors import MailDelayed
from microsite.errors import MailRefused
from microsite.errors import SettingsError
from microsite.mail import Maildir
from microsite.mail import Mailer
from microsite.mail import Smtp

KLIEN = Address("zq7klien@example.org")
BOUNCE = "bounce@book.example"
SPEAKING = {b"EHLO": b"250 hi\r\n", b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"DATA": b"354 go\r\n"}


def smtp(port: int, security: Any = "none", **settings: Any) -> Smtp:
    options: dict[str, Any] = {"username": "", "password": Secret(""), "bounce": BOUNCE, "timeout": 5.0}
    return Smtp("127.0.0.1", port, security, sender=SENDER, **(options | settings))


def letter(to: str = "zq7klien@example.org", text: str = "Halo.\r\n.\r\n..titik\r\n") -> EmailMessage:
    message = EmailMessage(policy=SMTPUTF8)
    message["From"], message["To"], message["Subject"] = SENDER, to, "Janji temu"
    message["Date"] = "Mon, 30 Nov 2026 00:53:20 +0000"
    message.set_content(text)
    return message


def test_a_letter_arrives_byte_for_byte_with_our_bounce_address(booking: Booking) -> None:
    inbox = Inbox()
    with relay(inbox) as port:
        mailer = Mailer(smtp(port), SENDER, BRAND, "https://book.example", TEMPLATES)
        mailer.send(order_for(booking, "confirmed", address=KLIEN))
    (envelope,) = inbox.letters
    assert envelope.mail_from == BOUNCE
    assert envelope.rcpt_tos == ["zq7klien@example.org"]
    message = parse(bytes(envelope.content or b""))
    assert message["Subject"] == "Janji temu sudah terjadwal"
    assert [part.defects for part in message.walk() if part.defects] == []


def test_lines_of_dots_survive(booking: Booking) -> None:
    inbox = Inbox()
    with relay(inbox) as port:
        smtp(port).deliver(letter(), KLIEN)
    assert bytes(inbox.letters[0].content or b"").endswith(b"Halo.\r\n.\r\n..titik\r\n")


def test_the_relay_hears_the_senders_domain_and_not_this_machines_name() -> None:
    inbox = Inbox()
    with relay(inbox) as port:
        smtp(port).deliver(letter(), KLIEN)
    assert set(inbox.names) == {"book.example"}
    assert socket.gethostname() not in inbox.names


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("code", [550, 554])
def test_a_5xx_is_a_refusal_for_good(stage: str, code: int) -> None:
    inbox = Inbox(**{stage: f"{code} no zq7klien@example.org here"})
    with relay(inbox) as port, pytest.raises(MailRefused) as caught:
        smtp(port).deliver(letter(), KLIEN)
    assert caught.value.code == code
    assert_says_nobody(caught.value)


@pytest.mark.parametrize("stage", ["mail", "rcpt", "data"])
@pytest.mark.parametrize("code", [421, 450, 451])
def test_a_4xx_is_a_delay(stage: str, code: int) -> None:
    inbox = Inbox(**{stage: f"{code} later, zq7klien@example.org"})
    with relay(inbox) as port, pytest.raises(MailDelayed) as caught:
        smtp(port).deliver(letter(), KLIEN)
    assert caught.value.reason == str(code)
    assert_says_nobody(caught.value)


def assert_says_nobody(error: BaseException) -> None:
    """Neither the error nor anything it is chained to knows the recipient."""
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "klien" not in repr(error) + str(error) + str(vars(error))


def test_nobody_listening_is_a_delay() -> None:
    with pytest.raises(MailDelayed, match="ConnectionRefusedError") as caught:
        smtp(free_port()).deliver(letter(), KLIEN)
    assert_says_nobody(caught.value)


def test_a_name_that_does_not_exist_is_a_delay() -> None:
    far = Smtp("relay.invalid", 25, "tls", "", Secret(""), SENDER, timeout=3)
    with pytest.raises(MailDelayed, match="gaierror"):
        far.deliver(letter(), KLIEN)


def test_a_relay_that_says_nothing_is_a_delay_after_the_time_limit() -> None:
    over = threading.Event()
    with talker(lambda connection: over.wait(10) and None) as port:
        try:
            with pytest.raises(MailDelayed, match=r"TimeoutError|SMTPServerDisconnected"):
                smtp(port, timeout=0.3).deliver(letter(), KLIEN)
        finally:
            over.set()


def test_a_relay_that_refuses_us_at_the_door_says_nothing_about_the_letter() -> None:
    with (
        talker(lambda connection: connection.sendall(b"554 not you\r\n")) as port,
        pytest.raises(MailDelayed) as caught,
    ):
        smtp(port).deliver(letter(), KLIEN)
    assert caught.value.reason == "554"


def test_a_relay_that_does_not_like_our_hello_says_nothing_about_the_letter() -> None:
    hello = {b"EHLO": b"550 no\r\n", b"HELO": b"550 no\r\n", b"QUIT": b"221 bye\r\n"}
    with (
        talker(lambda connection: say(connection, b"220 hi\r\n", hello, lambda: None)) as port,
        pytest.raises(MailDelayed) as caught,
    ):
        smtp(port).deliver(letter(), KLIEN)
    assert caught.value.reason == "550"


def test_a_relay_that_dies_in_the_middle_is_a_delay() -> None:
    half = {b"EHLO": b"250 hi\r\n", b"MAIL": b"250 ok\r\n"}
    with (
        talker(lambda connection: say(connection, b"220 hi\r\n", half, lambda: None)) as port,
        pytest.raises(MailDelayed, match=r"SMTPServerDisconnected|ConnectionResetError"),
    ):
        smtp(port).deliver(letter(), KLIEN)


def test_a_relay_that_talks_nonsense_is_a_delay() -> None:
    with (
        talker(lambda connection: connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")) as port,
        pytest.raises(MailDelayed),
    ):
        smtp(port).deliver(letter(), KLIEN)


@pytest.mark.parametrize("goodbye", [b"", b"421 tired\r\n", b"500 what?\r\n"])
def test_a_relay_that_took_the_letter_and_hangs_up_has_taken_it(goodbye: bytes) -> None:
    """Otherwise the letter would be sent a second time."""
    answers = SPEAKING | ({b"QUIT": goodbye} if goodbye else {})
    with talker(lambda connection: say(connection, b"220 hi\r\n", answers, lambda: None)) as port:
        smtp(port).deliver(letter(), KLIEN)


def test_a_relay_that_takes_the_letter_and_then_falls_silent_has_taken_it() -> None:
    over = threading.Event()
    with talker(lambda connection: say(connection, b"220 hi\r\n", SPEAKING, lambda: over.wait(10) and None)) as port:
        try:
            smtp(port, timeout=0.3).deliver(letter(), KLIEN)
        finally:
            over.set()


# ---- encryption and passwords


def test_starttls_and_password_are_used(tmp_path: Path) -> None:
    server, trust = certificate(tmp_path)
    inbox = Inbox()
    settings = {"tls_context": server, "require_starttls": True, "authenticator": check_password, "auth_required": True}
    with relay(inbox, **settings) as port:
        smtp(port, "starttls", username="site", password=Secret("right"), trust=trust).deliver(letter(), KLIEN)
    assert inbox.encrypted == [True]


def test_implicit_tls_is_used(tmp_path: Path) -> None:
    server, trust = certificate(tmp_path)
    inbox = Inbox()
    with relay(inbox, ssl_context=server) as port:
        smtp(port, "tls", trust=trust).deliver(letter(), KLIEN)
    assert len(inbox.letters) == 1


def test_a_wrong_password_delays_the_letter_until_the_operator_mends_it(tmp_path: Path) -> None:
    server, trust = certificate(tmp_path)
    inbox = Inbox()
    settings = {"tls_context": server, "authenticator": check_password, "auth_required": True}
    with relay(inbox, **settings) as port, pytest.raises(MailDelayed) as caught:
        smtp(port, "starttls", username="site", password=Secret("zq7wrong"), trust=trust).deliver(letter(), KLIEN)
    assert caught.value.reason == "535"
    assert "zq7wrong" not in repr(caught.value)
    assert_says_nobody(caught.value)


def test_a_missing_password_delays_the_letter_too(tmp_path: Path) -> None:
    server, trust = certificate(tmp_path)
    settings = {"tls_context": server, "authenticator": check_password, "auth_required": True}
    with relay(Inbox(), **settings) as port, pytest.raises(MailDelayed) as caught:
        smtp(port, "starttls", trust=trust).deliver(letter(), KLIEN)
    assert caught.value.reason == "530"


def test_a_relay_without_starttls_gets_nothing() -> None:
    inbox = Inbox()
    with relay(inbox) as port, pytest.raises(MailDelayed, match="SMTPNotSupportedError"):
        smtp(port, "starttls").deliver(letter(), KLIEN)
    assert inbox.letters == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_nobody_vouches_for_gets_nothing(tmp_path: Path, security: str) -> None:
    server, _ = certificate(tmp_path)
    inbox = Inbox()
    settings = {"tls_context": server} if security == "starttls" else {"ssl_context": server}
    with relay(inbox, **settings) as port, pytest.raises(MailDelayed, match="SSLCertVerificationError"):
        smtp(port, security).deliver(letter(), KLIEN)
    assert inbox.letters == []


@pytest.mark.parametrize("host", ["relay.example", "192.0.2.1", "0.0.0.0"])
def test_clear_text_to_another_machine_is_refused_at_the_start(host: str) -> None:
    with pytest.raises(SettingsError, match="starttls or tls"):
        Smtp(host, 25, "none", "", Secret(""), SENDER)


@pytest.mark.parametrize("host", ["127.0.0.1", "::1", "localhost"])
def test_clear_text_on_this_machine_is_allowed(host: str) -> None:
    assert Smtp(host, 25, "none", "", Secret(""), SENDER)


# ---- addresses


def test_a_local_part_outside_ascii_needs_a_relay_that_can() -> None:
    able, unable = Inbox(), Inbox()
    with relay(able, enable_SMTPUTF8=True) as port:
        smtp(port).deliver(letter("müller@example.org"), Address("müller@example.org"))
    assert able.letters[0].rcpt_tos == ["müller@example.org"]
    with relay(unable, enable_SMTPUTF8=False) as port, pytest.raises(MailRefused) as caught:
        smtp(port).deliver(letter("müller@example.org"), Address("müller@example.org"))
    assert caught.value.code == 553
    assert unable.letters == []


def test_the_envelope_carries_the_idna_domain() -> None:
    inbox = Inbox()
    with relay(inbox, enable_SMTPUTF8=False) as port:
        smtp(port).deliver(letter("k@xn--strae-oqa.example"), Address("k@straße.example"))
    assert inbox.letters[0].rcpt_tos == ["k@xn--strae-oqa.example"]


def test_an_injected_recipient_never_reaches_the_relay() -> None:
    inbox = Inbox()
    with relay(inbox) as port, pytest.raises(MailRefused):
        smtp(port).deliver(letter(), Address("k@example.org>\r\nRCPT TO:<thief@example.org"))
    assert inbox.letters == []


def test_nothing_is_logged_or_printed_about_a_letter(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with contextlib.suppress(MailRefused), relay(Inbox(rcpt="550 no")) as port:
        smtp(port).deliver(letter(), KLIEN)
    ours = [record for record in caplog.records if not record.name.startswith(("mail.", "asyncio"))]
    assert ours == []
    assert "klien" not in "".join(capfd.readouterr())


# ---- the Maildir


def test_the_maildir_is_private(tmp_path: Path) -> None:
    before = os.umask(0)
    try:
        folder = tmp_path / "instance" / "mail"
        Maildir(folder).deliver(letter(), KLIEN)
    finally:
        os.umask(before)
    for path in (folder, folder / "tmp", folder / "new", folder / "cur"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o700
    (file,) = (folder / "new").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert list((folder / "tmp").iterdir()) == []


def test_the_maildir_takes_the_same_bytes_as_a_relay(tmp_path: Path) -> None:
    inbox = Inbox()
    message = letter()
    with relay(inbox) as port:
        smtp(port).deliver(message, KLIEN)
    Maildir(tmp_path).deliver(message, KLIEN)
    (file,) = (tmp_path / "new").iterdir()
    assert file.read_bytes() == inbox.letters[0].content


def test_emptying_the_maildir_goes_by_the_letters_own_dates(post: Sent, booking: Booking) -> None:
    for sent_at in (NOW - 86400, NOW, NOW + 86400):
        post.mailer.send(order_for(booking, "reminder", sent_at=sent_at))
    old = next(path for path in (post.folder / "new").iterdir() if path.stat().st_mtime == NOW - 86400)
    old.rename(post.folder / "cur" / f"{old.name}:2,S")
    maildir = Maildir(post.folder)
    assert maildir.empty_before(NOW - 86400) == 0
    assert maildir.empty_before(NOW) == 1
    assert maildir.empty_before(NOW + 86401) == 2
    assert [path for path in post.folder.rglob("*") if path.is_file()] == []


def test_a_maildir_that_cannot_be_written_delays_and_leaves_no_half_letter(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path / "mail")
    (tmp_path / "mail" / "new").rmdir()
    with pytest.raises(MailDelayed):
        maildir.deliver(letter(), KLIEN)
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_many_letters_at_once_all_arrive_whole(tmp_path: Path) -> None:
    maildir = Maildir(tmp_path)
    threads = [threading.Thread(target=maildir.deliver, args=(letter(), KLIEN)) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert {path.read_bytes() for path in (tmp_path / "new").iterdir()} == {letter().as_bytes()}
    assert len(list((tmp_path / "new").iterdir())) == 16
