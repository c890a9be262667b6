"""`purge`: what the hourly job does, at once; or only counted."""

import click


@click.command()
@click.option("--dry-run", is_flag=True, help="Count only.")
def purge(dry_run: bool) -> None:
    """Destroy every record, envelope and day key whose time has come."""
    from microsite.work.purge import purge_now

    from . import services

    built = services()
    try:
        gone = purge_now(built, dry_run)
    finally:
        built.close()
    verb = "would be" if dry_run else "were"
    click.echo(
        f"{gone.records} records, {gone.envelopes} delivery envelopes, {gone.day_keys} day keys {verb} destroyed."
    )
    for name in gone.copies:
        click.echo(f"{name}, a copy from before an upgrade, {'would be' if dry_run else 'was'} destroyed.")


COMMANDS = (purge,)
