"""The words of a letter: templates/mail/<language>/<kind>.txt, read once as text and once as HTML.

One source for both. A blank line separates paragraphs; `url(label, address)` becomes a link. MIME is compose's matter.
"""

import re
import unicodedata
from pathlib import Path
from typing import Any
from typing import NamedTuple

from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined
from markupsafe import Markup
from markupsafe import escape

from microsite.core.letters import COACH
from microsite.core.letters import PUBLISHING
from microsite.core.letters import LetterOrder
from microsite.core.letters import recipient
from microsite.core.letters import subject

from . import times


class Words(NamedTuple):
    """A letter's subject, its plain text and its HTML."""

    subject: str
    text: str
    html: str


class Templates:
    """The templates of one folder. Plain Jinja: letters are written where there is no request."""

    def __init__(self, folder: Path) -> None:
        self._text = _environment(folder, autoescape=False)
        self._html = _environment(folder, autoescape=True)
        self._text.globals["url"] = lambda label, address: address
        self._html.globals["url"] = _anchor

    def write(self, order: LetterOrder) -> Words:
        """The words of this letter, in the order's language."""
        language = order.language if order.language in times.LOCALES else "id"
        name, facts = f"{language}/{order.kind}.txt", _facts(order, language)
        title = subject(order.kind, language)
        plain = _paragraphs(self._text.get_template(name).render(facts))
        text = "\n\n".join("\n".join(lines) for lines in plain) + "\n"
        # The rendered template is already escaped; splitting it at line ends cannot undo that.
        rich = _paragraphs(
            self._html.get_template(name).render(facts | {"place": _anchor(facts["place"], facts["place"])})
        )
        marked = [[Markup(line) for line in lines] for lines in rich]  # noqa: S704  # nosec B704
        html = self._html.get_template("_layout.html").render(language=language, subject=title, paragraphs=marked)
        return Words(title, text, html)


def _environment(folder: Path, autoescape: bool) -> Environment:
    return Environment(  # nosec B701
        loader=FileSystemLoader(folder),
        autoescape=autoescape,  # noqa: S701 (off for the plain text only)
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def _facts(order: LetterOrder, language: str) -> dict[str, Any]:
    """Everything a template may say. The coach's letters are told nothing that depends on the client's zone, and the
    place (often the link of a room) only those whose time is certain.
    """
    has_file = order.event is not None
    certain = order.kind == "reminder" or (has_file and order.kind in PUBLISHING)
    zone = order.coach_zone if recipient(order.kind) == COACH else order.zone
    coach_sees = ""
    if order.start and not times.same_clock(order.start, order.end, zone, order.coach_zone):
        coach_sees = times.span(order.start, order.end, order.coach_zone, language)
    return {
        "when": times.span(order.start, order.end, zone, language) if order.start else "",
        "when_for_coach": coach_sees,
        "old_when": _instant(order.old_start, zone, language),
        "hold_until": _instant(order.hold_until, zone, language),
        "since": _instant(order.since, zone, language),
        "alternatives": [times.instant(start, zone, language) for start in order.alternatives],
        "purge_day": times.long_day(order.purge_on, language) if order.purge_on else "",
        "ref": _line(order.ref),
        "link": order.link.reveal(),
        "booking_page": order.booking_page,
        "place": _line(order.place) if certain else "",
        "coach_name": _line(order.coach_name),
        "contact": _line(order.contact),
        "code": order.code,
        "count": order.count,
        "has_file": has_file,
    }


def _instant(at: int, zone: str, language: str) -> str:
    return times.instant(at, zone, language) if at else ""


def _anchor(label: str, address: str) -> Markup:
    """A link with words of its own; anything but the web stays text."""
    if not address.startswith(("https://", "http://")):
        return escape(address)
    return Markup('<a href="{}">{}</a>').format(address, label)


def _line(text: str) -> str:
    """Settings are typed by hand: one line, no control characters, so that they cannot shape the letter."""
    return " ".join("".join(" " if unicodedata.category(sign) in {"Cc", "Cs"} else sign for sign in text).split())


def _paragraphs(rendered: str) -> list[list[str]]:
    blocks = re.split(r"\n[ \t]*\n\s*", rendered.strip())
    return [[line.strip() for line in block.splitlines() if line.strip()] for block in blocks]
