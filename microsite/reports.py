"""Texts for people outside the site (breach report, letters to an authority, record of processing), from templates.

Plain text, in either language; what stands in them is decided in `core` and counted in `work`.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment
from jinja2 import FileSystemLoader
from jinja2 import StrictUndefined

FOLDER = Path(__file__).parent.parent / "templates" / "reports"


def write(name: str, language: str, facts: Mapping[str, Any]) -> str:
    """The text of that name; a fact that its template asks for and does not get is an error, never a hole."""
    environment = Environment(
        loader=FileSystemLoader(FOLDER),
        autoescape=False,  # plain text, read by no browser  # noqa: S701  # nosec B701
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    return environment.get_template(f"{name}.{language}.txt").render(facts)
