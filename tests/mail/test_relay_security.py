"""Encryption, passwords and addresses on the way to a relay."""

import contextlib
import logging
from pathlib import Path

import pytest
from handing_over import KLIEN
from handing_over import assert_says_nobody
from handing_over import letter
from handing_over import smtp
from letterbox import SENDER
from relays import Inbox
from relays import certificate
from relays import check_password
from relays import relay

from microsite.core.people import Address
from microsite.core.people import Secret
from microsite.errors import MailDelayed
from microsite.errors import MailRefused
from microsite.errors import SettingsError
from microsite.mail import Smtp


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
