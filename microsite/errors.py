"""Every error this site raises on purpose, in one tree.

Messages are sentences for an operator or a coach. They never hold anything a visitor typed: what a person
wrote stays in `core.people.ClientDetails`, which cannot be formatted.
"""

REFUSED_PICTURES = {
    "unreadable": "it is not a whole JPEG, PNG or WebP file",
    "large": "it may have at most 12 MB and 50 million pixels",
    "small": "it needs at least 96 pixels along each edge",
}


class MicrositeError(Exception):
    """Base of everything this site raises on purpose."""


class SettingsError(MicrositeError):
    """A setting is wrong: names the file, the field, what was found and what is allowed."""

    def __init__(self, where: str, field: str, found: str, allowed: str) -> None:
        self.where, self.field, self.found, self.allowed = where, field, found, allowed
        super().__init__(f"{where}: {field}: found {found}; allowed: {allowed}")


class StartRefused(MicrositeError):
    """The site cannot start safely; the message says what to do."""


class StoreUnreadable(MicrositeError):
    """The database, or a key beside it, cannot be read or written just now; nothing was changed.

    `file` is a file's bare name and `word` what is wrong with it, both fit for a log line.
    """

    def __init__(self, message: str, file: str = "", word: str = "") -> None:
        self.file, self.word = file, word
        super().__init__(message)


class BackupError(MicrositeError):
    """A backup cannot be made, read or restored; the message says why, and what was left as it was."""


class NotFound(MicrositeError):
    """No such coach, offer, booking or link."""


class NotInvited(NotFound):
    """The session asks for an invitation, and there is none, or it is spent or over."""


class SlotTaken(MicrositeError):
    """The start asked for is not offered (any more)."""


class TimesUnknown(MicrositeError):
    """The coach's calendars could not be read lately, so no time may be offered."""


class WrongBooking(MicrositeError):
    """A form of one booking came with the cookie of another; nothing was done."""


class TooLate(MicrositeError):
    """The notice window of the offer has begun; only the coach can change the booking now."""


class SignInRefused(MicrositeError):
    """An answer to a question of the desk's door does not hold, or what is asked needs a fresh sign-in."""


class TooOften(MicrositeError):
    """Asked for more often than is good for anybody; nothing was done."""


class NotPossibleNow(MicrositeError):
    """The booking is in a state in which this cannot be done; nothing was changed."""


class PictureRefused(MicrositeError):
    """An uploaded picture was not kept; `reason` is `unreadable`, `large` or `small`."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the picture was not kept: {REFUSED_PICTURES[reason]}")


class CannotOpen(MicrositeError):
    """A sealed thing cannot be opened with the key at hand (wrong, destroyed or damaged)."""


class KeyDamaged(StoreUnreadable, CannotOpen):
    """The file of a day's key is not whole: nothing of that day is opened or sealed until somebody looked at it."""


class WrongKey(MicrositeError):
    """A text is no age key of the kind asked for; the message never repeats it, for it may be a secret one."""


class CalendarError(MicrositeError):
    """A calendar server did not do what was asked. `retry_after` is seconds, when the server named them."""

    def __init__(self, message: str, retry_after: int | None = None) -> None:
        self.retry_after = retry_after
        super().__init__(message)


class CalendarUnreachable(CalendarError):
    """No answer in time, a broken connection, or a 5xx: try again later, nothing is known."""


class CalendarBusy(CalendarUnreachable):
    """429 or 503: the server asked us to wait."""


class CalendarRefused(CalendarError):
    """401 or 403: the password or the right to this calendar is gone; only the coach can mend it."""


class CalendarMissing(CalendarError):
    """The collection itself is not there (404, 410) or is no calendar."""


class CalendarChanged(CalendarError):
    """The object on the server is not the one we knew (412, or an equivalent 409/423)."""


class CalendarUnsafe(CalendarError):
    """The reply broke a limit or a safety rule (size, time, redirect, address); it was dropped."""


class MailRefused(MicrositeError):
    """The relay refused this letter for good (5xx); `code` is the SMTP code."""

    def __init__(self, code: int) -> None:
        self.code = code
        super().__init__(f"the mail relay refused the letter for good (SMTP {code})")


class MailDelayed(MicrositeError):
    """The relay could not be reached or asked to try later; `reason` is a type name or an SMTP code."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        super().__init__(f"the letter could not be handed over yet ({reason})")


class TryAgain(MicrositeError):
    """A step cannot be done yet and asks to be run again after `seconds`; not a failure."""

    def __init__(self, seconds: int) -> None:
        self.seconds = seconds
        super().__init__(f"again in {seconds} s")
