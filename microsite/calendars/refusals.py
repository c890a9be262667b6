"""What a server's refusal means to us: statuses to the errors of the house."""

from microsite.calendars.wire import Reply
from microsite.errors import CalendarBusy
from microsite.errors import CalendarChanged
from microsite.errors import CalendarError
from microsite.errors import CalendarMissing
from microsite.errors import CalendarRefused
from microsite.errors import CalendarUnreachable

DOUBTFUL = frozenset({403, 409, 412, 423, 429, *range(500, 600)})
"""After a write these do not tell whether the object is there and ours: it is read back."""


def raise_for(reply: Reply) -> None:
    """Raise what this reply means, unless it is a success."""
    status = reply.status
    if status // 100 == 2 or status == 304:
        return
    if status == 401:
        raise CalendarRefused("the calendar server does not accept the name and password")
    if status == 403:
        raise CalendarRefused("the calendar server forbids this")
    if status in (404, 410):
        raise CalendarMissing("there is nothing at this address")
    if status in (423, 429, 503):
        raise CalendarBusy("the calendar server asks us to wait", retry_after=reply.retry_after)
    if status >= 500:
        raise CalendarUnreachable(f"the calendar server failed ({status})", retry_after=reply.retry_after)
    if status in (409, 412):
        raise CalendarChanged(f"the calendar server sees a conflict ({status})")
    raise CalendarError(f"the calendar server refused the request ({status})")
