"""From a letter's words and its event to one MIME message. What the letter says is render's matter, where it goes
delivery's.
"""

import re
import secrets
from datetime import UTC
from datetime import datetime
from email.headerregistry import Address as Mailbox
from email.message import EmailMessage
from email.policy import SMTP
from email.policy import SMTPUTF8

from microsite import ics
from microsite.core.events import Event
from microsite.core.letters import CLIENT
from microsite.core.letters import LetterOrder
from microsite.core.letters import file_method
from microsite.core.letters import recipient
from microsite.core.people import Address
from microsite.errors import MailRefused

from .addresses import mailbox
from .addresses import needs_utf8
from .render import Words

FILE_NAME = "invite.ics"
"""Also for a cancellation: one mail program opens no other name."""
MESSAGE_ID = re.compile(r"<[A-Za-z0-9._-]{8,100}@[a-z0-9.-]+>")


def compose(order: LetterOrder, words: Words, sender: str, brand: str) -> EmailMessage:
    """The whole message, 7-bit, CRLF. Raises ValueError for an order that breaks a rule, MailRefused for its address.

    policy.SMTP matters: with the default one, lines inside the calendar part end in a bare LF.
    """
    to = mailbox(order.address)
    message = EmailMessage(policy=SMTPUTF8 if needs_utf8(to) else SMTP)
    _head(message, order, words.subject, Mailbox(brand, addr_spec=sender), to)
    message.set_content(words.text, cte="quoted-printable")
    message.add_alternative(words.html, subtype="html", cte="quoted-printable")
    language = order.language if order.language in {"id", "en"} else "id"
    for part in message.iter_parts():
        part["Content-Language"] = language
    if order.event is not None:
        _attach(message, _checked(order, order.event, sender))
    # Last: set_content and its kin move or drop Content-* fields that are there already.
    message["Content-Language"] = language
    _divide(message)
    return message


def _head(message: EmailMessage, order: LetterOrder, subject: str, sender: Mailbox, to: str) -> None:
    for identity in (order.message_id, order.references or order.message_id):
        if not MESSAGE_ID.fullmatch(identity):
            raise ValueError("a Message-ID must be random letters at the site's own host")
    local, _, domain = to.rpartition("@")
    message["From"] = sender
    message["To"] = Mailbox(username=local, domain=domain)
    reply_to = _reply_to(order)
    if reply_to:
        message["Reply-To"] = reply_to
    message["Subject"] = subject
    message["Date"] = datetime.fromtimestamp(order.sent_at, UTC)
    message["Message-ID"] = order.message_id
    if order.references:
        message["In-Reply-To"] = order.references
        message["References"] = order.references
    message["Auto-Submitted"] = "auto-generated"
    # Not "All": a bounce is wanted.
    message["X-Auto-Response-Suppress"] = "OOF, AutoReply"


def _divide(message: EmailMessage) -> None:
    """Set the lines between parts, for the library would compile each it chose into a regular expression, and keep it.

    Nobody can put such a line into a letter: it is random, and every body is base64 or quoted-printable.
    """
    for part in message.walk():
        if part.is_multipart():
            part.set_boundary(f"=_{secrets.token_hex(16)}")  # "=_" never stands in either (RFC 2045 6.7)


def _reply_to(order: LetterOrder) -> Mailbox | None:
    """The coach's contact, where it is a mail address at all (it may be a telephone number)."""
    if recipient(order.kind) != CLIENT or "@" not in order.contact:
        return None
    try:
        local, _, domain = mailbox(Address(order.contact)).rpartition("@")
    except MailRefused:
        return None
    return Mailbox(username=local, domain=domain) if local.isascii() else None


def _checked(order: LetterOrder, event: Event, sender: str) -> Event:
    """RFC 6047 and what Google and Outlook ask for: the right METHOD, and an organizer who is the sender."""
    if not event.method or event.method != file_method(order.kind, stamp=event.stamp):
        raise ValueError(f"a letter of kind {order.kind} carries no file with METHOD {event.method or '(none)'}")
    if event.organizer_address != sender:
        raise ValueError("the organizer of a file must be the sender of its letter")
    return event


def _attach(message: EmailMessage, event: Event) -> None:
    """The same bytes twice: as an alternative for programs that act on it, as a file for those that don't."""
    calendar = ics.render(event)
    message.add_alternative(
        calendar.decode(), subtype="calendar", params={"method": event.method}, cte="base64", charset="utf-8"
    )
    message.add_attachment(
        calendar, maintype="application", subtype="ics", filename=FILE_NAME, params={"name": FILE_NAME}, cte="base64"
    )
