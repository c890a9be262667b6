"""Whether a page or only a part of it is wanted: one template serves both."""

from typing import Any
from typing import NamedTuple

from flask import current_app
from flask import request


def wanted() -> bool:
    """Whether htmx asks for a part of the page; a restored history entry wants the whole."""
    htmx = current_app.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request


class Led(NamedTuple):
    """Where a picker's links lead, with a mark in place of a day and of a start, and where its focus is.

    `linked`: it was asked for by a link of the picker before it. Who leafs through the months stays there (`leafing`):
    the month is open again and has the focus, not the day.
    """

    asked: Any
    here: str
    there: str
    form: str
    linked: bool
    leafing: bool


def led(asked: Any) -> Led:
    """The same for this request, by the links of what it asked for."""
    source = request.headers.get("HX-Source", "") if wanted() else ""
    ways = (asked.times_url, asked.day_url("__day__"), asked.slot_url(0))
    return Led(asked, *ways, source.startswith("a#"), source.startswith("a#month-"))
