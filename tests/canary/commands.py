"""Which commands the canary runs on a site that holds a visitor's words, and which it does not, and why."""

from collections.abc import Iterator

import click

from microsite.cli import main

READING = (
    ["--help"],
    ["doctor"],
    ["explain", "sari", "sesi", "2026-11-25T09:00"],
    ["purge", "--dry-run"],
    ["calendar", "list", "sari"],
    ["coach", "list"],
    ["coach", "export", "sari"],
)
"""They tell something, and must tell nothing of a visitor."""
OTHERS = {
    "serve": "is what is running",
    "web": "is what is running, without jobs",
    "worker": "runs in the tests of jobs",
    "prepare": "runs before every start",
    "init": "there is nobody yet of whom it could tell",
    "open": "shows who booked, to the holder of the coach's key",
    "desk-link": "prints the link that was asked for",
    "backup": "run by the tests' operator while the site runs (`Life.back_up`); the file is a sink of its own",
    "backup-key": "the same",
    "breach-report": "the same",
    "restore": "writes an instance folder anew; what it says is held by the tests of backups",
    "rotate-keys": "changes keys; what it says is held by the tests of backups",
    "keyring": "moves day keys to their own database",
    "calendar": "changes; what it tells is `calendar list`",
    "coach": "changes; what it tells are `coach list` and `coach export`",
}


def unnamed() -> list[str]:
    """Commands that stand in neither list: whoever adds one says here how it is run, or why it is not."""
    named = {words[0] for words in READING} | OTHERS.keys()
    return sorted(name for name in _all(main) if name.split()[0] not in named)


def _all(group: click.Command, before: str = "") -> Iterator[str]:
    for name, command in getattr(group, "commands", {}).items():
        yield f"{before}{name}"
        yield from _all(command, f"{before}{name} ")
