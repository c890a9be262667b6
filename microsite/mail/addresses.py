"""Plain addresses for the envelope and the To field. Nothing here ever puts an address into an error."""

import unicodedata

import idna

from microsite.core.people import Address
from microsite.errors import MailRefused

BAD_ADDRESS = 553
"""SMTP's own code for a mailbox name that is not allowed (RFC 5321 4.2.3)."""
FORBIDDEN = set('()<>[]:;,\\"')


def mailbox(address: Address) -> str:
    """The address with its domain in ASCII (IDNA); raises MailRefused(553) where it cannot be one plain mailbox.

    A local part outside ASCII stays as it is: whether it can travel depends on the relay (RFC 6531).
    """
    local, at, domain = address.reveal().strip().rpartition("@")
    if not at or not local or "@" in local or len(local.encode("utf-8", "replace")) > 64 or not _plain(local + domain):
        raise MailRefused(BAD_ADDRESS)
    try:
        host = idna.encode(domain, uts46=True).decode()
    except idna.IDNAError:
        host = ""
    if not host:
        # Raised out here and not chained: the library's own error quotes the domain.
        raise MailRefused(BAD_ADDRESS)
    return f"{local}@{host}"


def needs_utf8(plain: str) -> bool:
    """Whether this mailbox can only be written to by a relay that offers SMTPUTF8."""
    return not plain.isascii()


def _plain(text: str) -> bool:
    """One line, no quoting, no comment, no list: what could start a second header or a second recipient is out."""
    return not any(sign in FORBIDDEN or unicodedata.category(sign)[0] in "CZ" for sign in text)
