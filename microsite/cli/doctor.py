"""`doctor`: every setting checked against the real servers, in plain words. Exit code 1 where something is wrong."""

import sys

import click

SIGNS = {"ok": "  ok   ", "look": "  look ", "wrong": "  WRONG"}


@click.command()
def doctor() -> None:
    """Check files, database, mail relay, DNS records and calendars."""
    from microsite.work.doctor import examine

    from . import services

    built = services()
    try:
        findings = examine(built)
    finally:
        built.close()
    for finding in findings:
        click.echo(
            f"{SIGNS[finding.verdict]} {finding.what}" + (f"\n          → {finding.advice}" if finding.advice else "")
        )
    if any(finding.verdict == "wrong" for finding in findings):
        sys.exit(1)


COMMANDS = (doctor,)
