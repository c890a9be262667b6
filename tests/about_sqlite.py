"""What `make test-postgres` leaves out, and why: the whole list. Everything else that it collects runs on PostgreSQL.

Left out by not being named in the Makefile: `core`, `reading`, `mail`, `calendars` and `quality`, which ask no database
anything; `deploy`, where what is in front of the site and around it is tried; `bench`, which measures both; `sealing`,
whose day keys in PostgreSQL are tried in `make test`; and the search of `canary`, which has its own run on PostgreSQL
there (`canary/test_canary_postgres.py`: rows, files, log of writes and the server's own log).
"""

import re
from pathlib import Path

import pytest

from tests.postgres import wanted

ROOT = Path(__file__).parent.parent
FILE = "about the bytes of SQLite's file; PostgreSQL keeps dead rows until it vacuums, and its log longer"
ABOUT_SQLITE = {
    "tests/store/test_sqlite.py": "how the file is opened, locked, damaged and emptied",
    "tests/store/test_copies.py": "copies are made of SQLite files only",
    "tests/store/test_checkpoints.py": "PostgreSQL looks after its log itself",
    "tests/jobs/test_outbox.py": "the clock and the lock file of the one embedded runner; its contract runs on both",
    "tests/jobs/test_choice.py::test_a_site_on_sqlite_loads_neither_the_driver_nor_the_library_of_the_other": "SQLite",
    "tests/flow/test_start.py::test_a_web_process_without_its_own_calendar_loads_no_calendar_library": "nor a driver",
    "tests/web/test_cache.py::test_a_look_asks_the_database_one_question_and_writes_nothing": "listens to the driver",
    "tests/web/test_cache.py::test_looking_opens_no_socket_counts_nobody_and_loads_no_calendar_library": "no server",
    "tests/web/test_watching.py::test_a_database_that_cannot_be_read_is_503_with_its_word": "the file is damaged",
    "tests/flow/test_bad_settings.py::test_an_instance_that_others_can_read_is_refused_with_its_remedy": (
        "the instance holds a file of SQLite's"
    ),
    "tests/backup/test_backup.py::test_a_damaged_database_is_told_and_older_backups_are_kept": "the file is damaged",
    "tests/weather/test_clock.py::test_a_clock_that_falls_back_is_said_and_bookings_go_on": (
        "the outbox says it, which goes by the site's clock; procrastinate goes by that of the database's server"
    ),
    "tests/weather/test_damage.py::test_a_broken_file_of_sqlite_or_its_queue_is_named_too": "the file and its lock",
    "tests/weather/test_damage.py::test_a_database_that_was_emptied_is_told_of": "the file is what was emptied",
    "tests/weather/test_damage.py::test_a_database_that_breaks_under_a_site_is_a_kind_page_that_keeps_what_was_typed": (
        "the file breaks; a server that goes away is in `machines` and in `jobs/test_faults.py`"
    ),
    "tests/cli/test_secrets.py": "masks, modes and what processes print of themselves, whatever the database is",
    "tests/canary/test_forgetting.py::test_in_every_mode_of_the_database_a_purge_leaves_neither_ciphertext_nor_rows": (
        "the journal modes of SQLite"
    ),
    "tests/canary/test_forgetting.py::test_before_a_purge_the_search_sees_every_sealed_byte": FILE,
    "tests/canary/test_forgetting.py::test_after_a_purge_no_byte_of_ciphertext_is_in_the_file_or_its_log": FILE,
    "tests/canary/test_forgetting.py::test_after_an_erasure_no_byte_of_ciphertext_is_in_the_file_or_its_log": FILE,
    "tests/canary/test_forgetting.py::test_a_purge_with_nothing_due_still_empties_the_log": FILE,
}
"""Files or tests, and the reason."""


def leave_out(config: pytest.Config, items: list[pytest.Item]) -> None:
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
