"""A letter, its recipient and a way to a test relay, for the tests of delivery."""

from email.message import EmailMessage
from email.policy import SMTPUTF8
from typing import Any

from letterbox import SENDER

from microsite.core.people import Address
from microsite.core.people import Secret
from microsite.mail import Smtp

KLIEN = Address("zq7klien@example.org")
BOUNCE = "bounce@book.example"


def smtp(port: int, security: Any = "none", **settings: Any) -> Smtp:
    options: dict[str, Any] = {"username": "", "password": Secret(""), "bounce": BOUNCE, "timeout": 30.0}
    return Smtp("127.0.0.1", port, security, sender=SENDER, **(options | settings))


def letter(to: str = "zq7klien@example.org", text: str = "Halo.\r\n.\r\n..titik\r\n") -> EmailMessage:
    message = EmailMessage(policy=SMTPUTF8)
    message["From"], message["To"], message["Subject"] = SENDER, to, "Janji temu"
    message["Date"] = "Mon, 30 Nov 2026 00:53:20 +0000"
    message.set_content(text)
    return message


def assert_says_nobody(error: BaseException) -> None:
    """Neither the error nor anything it is chained to knows the recipient."""
    assert error.__context__ is None
    assert error.__cause__ is None
    assert "klien" not in repr(error) + str(error) + str(vars(error))
