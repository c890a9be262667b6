"""What `make test-postgres` leaves out, and why: the whole list. Everything else that it collects runs on PostgreSQL.

Left out by not being named in the Makefile: `core`, `reading`, `sealing`, `mail`, `calendars` and `quality`, which have
no database at all.
"""

import re
from pathlib import Path

import pytest

from tests.postgres import wanted

ROOT = Path(__file__).parent.parent
FILE = "about the bytes of SQLite's file; PostgreSQL keeps dead rows until it vacuums, and its log longer"
ABOUT_SQLITE = {
    "tests/store/test_sqlite.py": "how the file is opened, locked, damaged and emptied",
    "tests/jobs/test_outbox.py": "the clock and the lock file of the one embedded runner; its contract runs on both",
    "tests/jobs/test_choice.py::test_a_site_on_sqlite_loads_neither_the_driver_nor_the_library_of_the_other": "SQLite",
    "tests/flow/test_start.py::test_a_web_process_without_its_own_calendar_loads_no_calendar_library": "nor a driver",
    "tests/canary/test_forgetting.py::test_before_a_purge_the_search_sees_every_sealed_byte": FILE,
    "tests/canary/test_forgetting.py::test_after_a_purge_no_byte_of_ciphertext_is_in_the_file_or_its_log": FILE,
    "tests/canary/test_forgetting.py::test_after_an_erasure_no_byte_of_ciphertext_is_in_the_file_or_its_log": FILE,
    "tests/canary/test_forgetting.py::test_a_purge_with_nothing_due_still_empties_the_log": FILE,
}
"""Files or tests, and the reason."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """On PostgreSQL: deselect them, so that pytest counts them."""
    if not wanted():
        return
    about = [item for item in items if {_test(item), _file(item)} & set(ABOUT_SQLITE)]
    config.hook.pytest_deselected(items=about)
    items[:] = [item for item in items if item not in about]


def _test(item: pytest.Item) -> str:
    return item.nodeid.partition("[")[0]


def _file(item: pytest.Item) -> str:
    return item.nodeid.partition("::")[0]


def stale() -> list[str]:
    """Names in the list that no test has."""
    found = []
    for name in ABOUT_SQLITE:
        path, _, function = name.partition("::")
        text = (ROOT / path).read_text() if (ROOT / path).exists() else ""
        if not text or (function and not re.search(rf"^def {function}\(", text, re.MULTILINE)):
            found.append(name)
    return found
