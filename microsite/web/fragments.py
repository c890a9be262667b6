"""Whether a page or only a part of it is wanted: one template serves both."""

from typing import Any

from flask import current_app
from flask import request


def wanted() -> bool:
    """Whether htmx asks for a part of the page; a restored history entry wants the whole."""
    htmx = current_app.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request


def led(asked: Any) -> dict[str, Any]:
    """Where a picker's links lead, with a mark in place of a day and of a start, and where its focus is.

    Who leafs through the months stays there: the month is open again and has the focus, not the day.
    """
    source = request.headers.get("HX-Source", "") if wanted() else ""
    return {
        "asked": asked,
        "here": asked.times_url,
        "there": asked.day_url("__day__"),
        "form": asked.slot_url(0),
        "linked": source.startswith("a#"),
        "leafing": source.startswith("a#month-"),
    }
