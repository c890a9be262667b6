"""What the site writes to its log: a constant sentence, a few typed fields, and for an error its type and places.

An allow-list, not a deny-list: whatever is not named here never reaches a line. Messages of exceptions may hold what a
visitor typed and are dropped; so are paths and query strings, which may hold a token.
"""

import json
import logging
import sys
import threading
from datetime import UTC
from datetime import datetime
from traceback import extract_tb
from types import TracebackType
from typing import Any

FIELDS = ("kind", "route", "file", "method", "status", "ms", "request", "calendar", "coach", "count", "reason")
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
        """One line: when, how bad, who says it, a sentence, fields, and for an error its type and places."""
        fields = " ".join(f"{name}={value}" for name, value in _fields(record).items())
        line = f"{self.formatTime(record)} {record.levelname} {record.name}: {_sentence(record)}"
        error, places = _trouble(record.exc_info)
        where = f"error={error} at {' < '.join(places)}" if error else ""
        return " ".join(part for part in (line, fields, where) if part)


class JsonFormatter(logging.Formatter):
    """The same as one JSON object a line, for programs that collect logs; times are UTC."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        error, places = _trouble(record.exc_info)
        line = {
            "time": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds"),
            "level": record.levelname,
            "logger": record.name,
            "message": _sentence(record),
            **_fields(record),
            **({"error": error, "at": places} if error else {}),
        }
        return json.dumps(line)


FORMS: dict[str, type[logging.Formatter]] = {"lines": AllowListFormatter, "json": JsonFormatter}


def _sentence(record: logging.LogRecord) -> str:
    # Flask's own logger is called "microsite" without a dot: it writes paths, and paths hold tokens.
    own = record.name.startswith("microsite.")
    return str(record.msg) if own and not record.args else "a library reported a problem"


def _fields(record: logging.LogRecord) -> dict[str, bool | int | float | str]:
    return {name: value for name in FIELDS if (value := _plain(getattr(record, name, None))) != ""}


def _plain(value: Any) -> bool | int | float | str:
    if isinstance(value, bool | int | float):
        return value
    return (
        value if isinstance(value, str) and value.replace("-", "").replace("_", "").replace(".", "").isalnum() else ""
    )


def _trouble(exc_info: Any) -> tuple[str, list[str]]:
    """The type of an error and the places it came through, the innermost first."""
    if not exc_info or exc_info[0] is None:
        return "", []
    frames = extract_tb(exc_info[2])[-6:]
    return exc_info[0].__name__, [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno}" for frame in reversed(frames)]


def set_up(form: str = "lines", level: str = "info") -> None:
    """Send every log of this process through the allow-list to standard error, in one of `FORMS`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(FORMS[form]())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
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
