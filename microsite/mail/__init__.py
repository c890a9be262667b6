"""The mail room's door: an order for a letter goes in, a delivered letter or an error comes out.

Which letters there are is decided in core.letters; when they are sent, and again after a failure, in work.
"""

from pathlib import Path
from urllib.parse import urlsplit

from microsite.core.letters import LetterOrder
from microsite.core.people import Address
from microsite.errors import MailRefused
from microsite.errors import SettingsError

from .addresses import mailbox
from .compose import compose
from .delivery import Delivery
from .delivery import Maildir
from .delivery import Smtp
from .render import Templates

__all__ = ["Delivery", "Maildir", "Mailer", "Smtp"]


class Mailer:
    """Writes letters and hands them over."""

    def __init__(
        self, delivery: Delivery, sender_address: str, brand: str, base_url: str, templates_folder: Path
    ) -> None:
        self._delivery = delivery
        self._sender = _sender(sender_address)
        if not brand.isprintable():
            raise SettingsError("mail", "brand", repr(brand), "one line of printable text")
        self._brand = brand
        self._base_url = base_url.rstrip("/") + "/"
        self._host = urlsplit(base_url).hostname or ""
        self._templates = Templates(templates_folder)

    @property
    def sender(self) -> str:
        """The From address, which is also the ORGANIZER of every file."""
        return self._sender

    @property
    def brand(self) -> str:
        """The neutral name that letters and calendar files come from."""
        return self._brand

    def check(self) -> str:
        """An empty text where letters can be handed over now, else the type or code of what is wrong."""
        return self._delivery.check()

    def dns_notes(self) -> list[tuple[str, str]]:
        """(name, what was found) of SPF, DKIM and DMARC for the sender's domain; see `dns.look`."""
        from . import dns

        return dns.look(self._sender.rpartition("@")[2])

    def forget_before(self, cutoff: int) -> None:
        """Remove letters older than that (UTC seconds) where this machine keeps them itself."""
        if isinstance(self._delivery, Maildir):
            self._delivery.empty_before(cutoff)

    def send(self, order: LetterOrder) -> None:
        """Write this letter and hand it over; raises MailRefused(code) or MailDelayed(reason).

        ValueError means the order itself breaks a rule (a link or a Message-ID that is not the site's own).
        """
        self._check(order)
        message = compose(order, self._templates.write(order), self._sender, self._brand)
        self._delivery.deliver(message, order.address)

    def _check(self, order: LetterOrder) -> None:
        for link in filter(None, (order.link.reveal(), order.booking_page)):
            if not link.startswith(self._base_url):
                raise ValueError("a letter links to this site only")
        if not order.message_id.endswith(f"@{self._host}>"):
            raise ValueError("a Message-ID carries the site's own host")


def _sender(address: str) -> str:
    try:
        plain = mailbox(Address(address))
    except MailRefused:
        plain = ""
    if not plain.isascii() or not plain:
        raise SettingsError("mail", "sender", repr(address), "one plain mail address, such as booking@example.org")
    return plain
