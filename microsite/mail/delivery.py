"""Handing one finished message over: to a relay by SMTP, or into a Maildir. What is in it is compose's matter.

Errors say a code or a type, never an address: smtplib's own exceptions carry the recipient, so nothing is chained.
"""

import contextlib
import os
import secrets
import smtplib
import ssl
from email.message import EmailMessage
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from pathlib import Path
from typing import Literal
from typing import Protocol

from microsite.core.people import Address
from microsite.core.people import Secret
from microsite.errors import MailDelayed
from microsite.errors import MailRefused
from microsite.errors import SettingsError

from .addresses import BAD_ADDRESS
from .addresses import mailbox
from .addresses import needs_utf8

TIMEOUT = 20.0
"""Seconds for one answer of the relay."""
OURS_TO_MEND = frozenset({530, 534, 535, 538})
"""The relay wants another password or mode: the letter is good, so it waits until the operator has mended it."""


class Delivery(Protocol):
    """Where letters go."""

    def deliver(self, message: EmailMessage, recipient: Address) -> None:
        """Hand it over; raises MailRefused for good, MailDelayed where another try may help."""

    def check(self) -> str:
        """An empty text where a letter could be handed over now, else a word for what is wrong."""


class Smtp:
    """A relay. `none` sends in clear text and is for a relay on this machine only."""

    def __init__(
        self,
        host: str,
        port: int,
        security: Literal["starttls", "tls", "none"],
        username: str,
        password: Secret,
        sender: str,
        bounce: str = "",
        timeout: float = TIMEOUT,
        trust: ssl.SSLContext | None = None,
    ) -> None:
        if security == "none" and not _loopback(host):
            raise SettingsError("mail relay", "security", "none", "starttls or tls, for a relay on another machine")
        self._host, self._port, self._security = host, port, security
        self._username, self._password = username, password
        self._bounce = bounce or sender
        self._timeout = timeout
        self._trust = trust or ssl.create_default_context()
        # Else smtplib looks this machine's own name up, and tells it to the world.
        self._own_name = sender.rpartition("@")[2] or "localhost"

    def deliver(self, message: EmailMessage, recipient: Address) -> None:
        """Send it to one recipient; raises MailRefused(code) for a 5xx, MailDelayed for everything else."""
        failure = self._attempt(message, mailbox(recipient))
        if failure:
            # Out here, so that it has no context: smtplib's exceptions carry the recipient.
            raise failure

    def check(self) -> str:
        """Connect, encrypt and log in, and send nothing; an empty text, or the type or code of what went wrong."""
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            return _reason(error)
        try:
            self._log_in(server)
        except (smtplib.SMTPException, OSError) as error:
            return _reason(error)
        finally:
            _leave(server)
        return ""

    def _attempt(self, message: EmailMessage, to: str) -> MailRefused | MailDelayed | None:
        try:
            server = self._connect()
        except (smtplib.SMTPException, OSError) as error:
            return MailDelayed(_reason(error))
        try:
            self._log_in(server)
        except (smtplib.SMTPException, OSError) as error:
            # Whatever the code, this says nothing about the letter.
            _leave(server)
            return MailDelayed(_reason(error))
        try:
            self._send(server, message, to)
        except smtplib.SMTPRecipientsRefused as error:
            return _judged(next(iter(error.recipients.values()))[0])
        except smtplib.SMTPResponseException as error:
            return _judged(error.smtp_code)
        except (smtplib.SMTPException, OSError) as error:
            return MailDelayed(_reason(error))
        finally:
            _leave(server)
        return None

    def _connect(self) -> smtplib.SMTP:
        if self._security == "tls":
            return smtplib.SMTP_SSL(self._host, self._port, self._own_name, timeout=self._timeout, context=self._trust)
        return smtplib.SMTP(self._host, self._port, self._own_name, timeout=self._timeout)

    def _log_in(self, server: smtplib.SMTP) -> None:
        """Encrypted or not at all: a relay that does not offer STARTTLS gets nothing."""
        if self._security == "starttls":
            server.starttls(context=self._trust)
        server.ehlo_or_helo_if_needed()
        if self._username:
            server.login(self._username, self._password.reveal())

    def _send(self, server: smtplib.SMTP, message: EmailMessage, to: str) -> None:
        options: list[str] = []
        if needs_utf8(to):
            if not server.has_extn("smtputf8"):
                raise MailRefused(BAD_ADDRESS)
            options = ["SMTPUTF8", "BODY=8BITMIME"]
        server.sendmail(self._bounce, [to], message.as_bytes(), mail_options=options)


class Maildir:
    """A folder that any mail program can open; the demo coach's outgoing mail."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        for name in ("", "tmp", "new", "cur"):
            (folder / name).mkdir(mode=0o700, parents=True, exist_ok=True)
            (folder / name).chmod(0o700)

    def deliver(self, message: EmailMessage, recipient: Address) -> None:
        """Write it to tmp, then move it to new, as Maildir asks: a reader never sees half a letter."""
        mailbox(recipient)
        name = secrets.token_hex(16)
        draft = self._folder / "tmp" / name
        try:
            descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with open(descriptor, "wb") as file:
                file.write(message.as_bytes())
                file.flush()
                os.fsync(file.fileno())
            # The letter's own date, so that emptying follows the site's clock and not the disk's.
            written = parsedate_to_datetime(str(message["Date"])).timestamp()
            os.utime(draft, (written, written))
            draft.rename(self._folder / "new" / name)
        except OSError as error:
            draft.unlink(missing_ok=True)
            raise MailDelayed(type(error).__name__) from error

    def check(self) -> str:
        """An empty text where a letter could be written now."""
        return "" if os.access(self._folder / "new", os.W_OK) else "PermissionError"

    def empty_before(self, cutoff: int) -> int:
        """Remove the letters dated before `cutoff` (UTC seconds), read or not; how many went."""
        old = [
            path for name in ("tmp", "new", "cur") for path in (self._folder / name).iterdir() if _older(path, cutoff)
        ]
        for path in old:
            path.unlink(missing_ok=True)
        return len(old)


def _older(path: Path, cutoff: int) -> bool:
    try:
        return path.stat().st_mtime < cutoff
    except FileNotFoundError:
        # A mail program moved it meanwhile; the next round finds it.
        return False


def _loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _judged(code: int) -> MailRefused | MailDelayed:
    return MailRefused(code) if 500 <= code < 600 and code not in OURS_TO_MEND else MailDelayed(str(code))


def _reason(error: Exception) -> str:
    code = getattr(error, "smtp_code", None)
    return str(code) if isinstance(code, int) and code > 0 else type(error).__name__


def _leave(server: smtplib.SMTP) -> None:
    """Say goodbye; a relay that took the letter and then hangs up has still taken it."""
    with contextlib.suppress(smtplib.SMTPException, OSError):
        server.quit()
    with contextlib.suppress(OSError):
        server.close()
