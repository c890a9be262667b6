"""Reading a settings file into structs, and saying in one sentence which field is wrong, and what it may be."""

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from typing import get_args
from typing import get_type_hints

import msgspec

from microsite.errors import SettingsError


def read(path: Path, shape: Any) -> Any:
    """The file as that struct, or its defaults where there is no file; raises SettingsError."""
    if not path.exists():
        return shape()
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise SettingsError(str(path), "the whole file", "something that is not TOML", str(error)) from error
    try:
        return msgspec.convert(document, shape)
    except msgspec.ValidationError as error:
        raise _explained(str(path), shape, document, str(error)) from error


def _explained(where: str, shape: Any, document: Any, text: str) -> SettingsError:
    """msgspec says «message - at `$.mail.port`»; what it leaves out is looked up: the value, and what may stand there.

    A whole table is never shown: a password may be in it.
    """
    message, _, path = text.partition(" - at `")
    field = path.rstrip("`").removeprefix("$").removeprefix(".")
    unknown = re.search("unknown field `(.+)`", message)
    if unknown:
        known = _kind(shape, field).__struct_fields__
        return SettingsError(where, f"{field}.{unknown[1]}".lstrip("."), "an unknown name", ", ".join(known))
    if "enum value" in message:
        message = " or ".join(repr(each) for each in get_args(_kind(shape, field)))
    return SettingsError(where, field or "the whole file", _found(document, field), message)


def _kind(shape: Any, field: str) -> Any:
    """The type of a field by its dotted name."""
    kind = shape
    for name in filter(None, field.split(".")):
        kind = get_type_hints(kind)[name]
    return kind


def _found(document: Any, field: str) -> str:
    for step in field.split("."):
        document = document.get(step, "nothing") if isinstance(document, Mapping) else document
    shown = isinstance(document, str | int | float) and not field.endswith(("password", "secret", "url"))
    return repr(document) if shown else "a value of the wrong kind"
