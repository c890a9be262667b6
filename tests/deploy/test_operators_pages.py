"""docs/operate.md and the example file name every setting there is, and no other; the pages lead where they say."""

import re
import tomllib
from typing import get_type_hints

import msgspec
import pytest

from microsite.cli import main
from microsite.config import File
from microsite.config import load_config
from tests.conftest import ROOT

PAGE = (ROOT / "docs/operate.md").read_text()
UPGRADE = (ROOT / "docs/upgrade.md").read_text()
EXAMPLE = (ROOT / "instance/config.example.toml").read_text()
FIELDS = sorted(f"{table}.{name}" for table, kind in get_type_hints(File).items() for name in get_type_hints(kind))
NOT_IN_THE_EXAMPLE = {
    *(
        f"google.{name}"
        for name in ("authorize_url", "token_url", "caldav_url", "scope", "redirect_uri", "client_secret")
    ),
    "mail.password",
    "metrics.token",
    "site.server_key_file",
    "database.url_file",
    "keyring.url_file",
    "limits.storage_file",
}
"""For tests only, or better given in another way, which the example shows."""


def test_every_setting_is_explained_and_nothing_else_is() -> None:
    first = [line.split("|")[1] for line in PAGE.splitlines() if line.startswith("| `")]
    named = {name for cell in first for name in re.findall(r"`([a-z]+\.[a-z_]+)`", cell)}
    assert sorted(named) == FIELDS


@pytest.mark.parametrize("field", FIELDS)
def test_a_default_is_what_the_page_says(field: str) -> None:
    table, name = field.split(".")
    default = getattr(getattr(File(), table), name)
    (row,) = [line for line in PAGE.splitlines() if line.startswith("| `") and f"`{field}`" in line.split("|")[1]]
    said = row.split("|")[2].strip()
    shown = str(default).lower() if isinstance(default, bool) else str(default)
    allowed = {shown, "Google's own"} if shown not in {"", "[]"} else {"none", "empty", "SQLite", "Janji Temu"}
    assert said in allowed


@pytest.mark.parametrize("field", [name for name in FIELDS if name not in NOT_IN_THE_EXAMPLE])
def test_the_example_shows_the_setting(field: str) -> None:
    table, name = field.split(".")
    assert name in tomllib.loads(EXAMPLE).get(table, {})


def test_the_example_is_a_file_that_can_be_read() -> None:
    found = msgspec.convert(tomllib.loads(EXAMPLE), File)
    assert found.logs == File().logs
    assert found.metrics == File().metrics


@pytest.mark.parametrize("text", [PAGE, UPGRADE])
def test_files_that_are_named_are_there(text: str) -> None:
    for name in re.findall(r"`((?:docs|deploy|instance)/[A-Za-z0-9_.-]+)`", text):
        assert (ROOT / name).exists(), name


def test_every_sentence_of_the_log_that_the_page_explains_is_one_the_site_says() -> None:
    part = PAGE.partition("| line | meaning |")[2].partition("\n\n")[0]
    source = "".join(path.read_text() for path in (ROOT / "microsite").rglob("*.py"))
    for line in part.splitlines()[2:]:
        sentence = re.split(r" (?:…|kind=)", line.split("|")[1].strip())[0]
        assert sentence in source, sentence


def test_commands_that_are_named_are_there() -> None:
    for name in set(re.findall(r"(?<!-u )microsite ([a-z][a-z-]+)", PAGE + UPGRADE)) - {"microsite"}:
        assert name in {*main.commands, "calendar"}, name


def test_the_permission_of_an_app_in_testing_is_warned_of() -> None:
    assert "every permission ends after seven days" in PAGE
    assert "while the app's consent screen is in «Testing»" in (ROOT / "microsite/work/doctor.py").read_text()
    assert load_config({"MICROSITE_INSTANCE": "/nonexistent"}).file.google.published is False
