"""What the site writes to its log: a constant sentence, a few typed fields, and for an error its type and places.

An allow-list, not a deny-list: whatever is not named here never reaches a line. Messages of exceptions may hold what a
visitor typed and are dropped; so are paths and query strings, which may hold a token.
"""

import logging
import sys
import threading
from traceback import extract_tb
from types import TracebackType
from typing import Any

FIELDS = ("kind", "route", "method", "status", "ms", "request", "calendar", "coach", "count", "reason")
QUIET = (
    "caldav",
    "niquests",
    "urllib3",
    "urllib3_future",
    "radicale",
    "granian.access",
    "werkzeug",
    "alembic",
    "procrastinate",
    "httpx",
)


class AllowListFormatter(logging.Formatter):
    """Formats our own records by allow-list; of foreign ones only the logger, the level and the error type are kept."""

    def format(self, record: logging.LogRecord) -> str:
        """One line, plus one line for the places of an error."""
        # Flask's own logger is called "microsite" without a dot: it writes paths, and paths hold tokens.
        own = record.name.startswith("microsite.")
        sentence = str(record.msg) if own and not record.args else "a library reported a problem"
        fields = " ".join(f"{name}={value}" for name in FIELDS if (value := _plain(getattr(record, name, None))) != "")
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {sentence}"
        return " ".join(part for part in (line, fields, _places(record.exc_info)) if part)


def _plain(value: Any) -> str:
    if isinstance(value, bool | int | float):
        return str(value)
    return (
        value if isinstance(value, str) and value.replace("-", "").replace("_", "").replace(".", "").isalnum() else ""
    )


def _places(exc_info: Any) -> str:
    if not exc_info or exc_info[0] is None:
        return ""
    frames = extract_tb(exc_info[2])[-6:]
    places = " < ".join(f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames))
    return f"error={exc_info[0].__name__} at {places}"


def set_up(level: int = logging.INFO) -> None:
    """Send every log of this process through the allow-list to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(AllowListFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    for name in QUIET:
        logging.getLogger(name).setLevel(logging.ERROR)
    # The server prints whole traces of what reaches it, messages included, past the root logger.
    server = logging.getLogger("_granian")
    server.handlers.clear()
    server.propagate = True
    logging.captureWarnings(True)
    _catch_the_uncaught()


def _catch_the_uncaught() -> None:
    """What Python would print by itself, message and all, goes the same way: an allow-listed line."""
    log = logging.getLogger("microsite.uncaught")

    def report(kind: type[BaseException], error: BaseException | None, trace: TracebackType | None) -> None:
        log.error("an error that nobody caught", exc_info=(kind, error or kind(), trace))

    def unpack(found: Any) -> None:
        report(found.exc_type, found.exc_value, found.exc_traceback)

    sys.excepthook = report
    threading.excepthook = sys.unraisablehook = unpack
