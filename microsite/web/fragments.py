"""Whether a page or only a part of it is wanted: one template serves both."""

from flask import current_app


def wanted() -> bool:
    """Whether htmx asks for a part of the page; a restored history entry wants the whole."""
    htmx = current_app.htmx  # type: ignore[attr-defined]
    return bool(htmx) and not htmx.history_restore_request
