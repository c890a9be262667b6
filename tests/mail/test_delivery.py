"""Handing letters over to real relays, good and bad, and into a Maildir."""

import socket
import threading

import pytest
from handing_over import BOUNCE
from handing_over import KLIEN
from handing_over import assert_says_nobody
from handing_over import letter
from handing_over import smtp
from letterbox import BRAND
from letterbox import SENDER
from letterbox import TEMPLATES
from letterbox import order_for
from letterbox import parse
from relays import Inbox
from relays import relay
from relays import say
from relays import talker

from microsite.core.bookings import Booking
from microsite.core.people import Secret
from microsite.errors import MailDelayed
from microsite.errors import MailRefused
from microsite.mail import Mailer
from microsite.mail import Smtp
from tests.waiting import free_port

SPEAKING = {b"EHLO": b"250 hi\r\n", b"MAIL": b"250 ok\r\n", b"RCPT": b"250 ok\r\n", b"DATA": b"354 go\r\n"}


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
    with talker(lambda connection: over.wait(120) and None) as port:
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
        talker(lambda connection: say(connection, hello)) as port,
        pytest.raises(MailDelayed) as caught,
    ):
        smtp(port).deliver(letter(), KLIEN)
    assert caught.value.reason == "550"


def test_a_relay_that_dies_in_the_middle_is_a_delay() -> None:
    half = {b"EHLO": b"250 hi\r\n", b"MAIL": b"250 ok\r\n"}
    with (
        talker(lambda connection: say(connection, half)) as port,
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
    taken: list[bytes] = []
    with talker(lambda connection: say(connection, answers, taken=taken)) as port:
        smtp(port).deliver(letter(), KLIEN)
    assert taken[-1] == b"...titik\r\n"


def test_a_relay_that_takes_the_letter_and_then_falls_silent_has_taken_it() -> None:
    assert any(_taken_in_silence(seconds) for seconds in (0.3, 2.0, 10.0))


def _taken_in_silence(seconds: float) -> bool:
    """Whether that went well with this time limit; on a machine that stands still the letter itself may miss one."""
    over, taken = threading.Event(), list[bytes]()
    with talker(lambda connection: say(connection, SPEAKING, lambda: over.wait(120), taken)) as port:
        try:
            smtp(port, timeout=seconds).deliver(letter(), KLIEN)
        except MailDelayed:
            return False
        finally:
            over.set()
    return taken[-1] == b"...titik\r\n"
