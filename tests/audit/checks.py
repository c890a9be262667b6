"""What the walk over a running site asks of every answer; loaded by schemathesis itself (SCHEMATHESIS_HOOKS)."""

from collections.abc import Iterator
from typing import Any

import schemathesis


@schemathesis.check
def nothing_comes_back_unescaped(ctx: Any, response: Any, case: Any) -> None:
    """What was sent and would be markup is never in the page as it is."""
    text = response.content.decode("utf-8", "replace")
    if "html" not in (response.headers.get("content-type") or [""])[0]:
        return
    for value in _texts([case.body, case.query, case.path_parameters]):
        if len(value) > 4 and ("<" in value or '"' in value) and not value.isspace():
            assert f">{value}" not in text and f'"{value}' not in text, "what was sent came back unescaped"


def _texts(found: Any) -> Iterator[str]:
    if isinstance(found, str):
        yield found
    elif isinstance(found, dict):
        for each in found.values():
            yield from _texts(each)
    elif isinstance(found, list | tuple):
        for each in found:
            yield from _texts(each)
