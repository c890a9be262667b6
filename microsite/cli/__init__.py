"""The command line: `microsite serve`, `worker`, `init`, `open` and what else an operator or a coach needs in a shell.

Commands act through `work` and `services`; a domain error becomes one sentence and exit code 1, and so does a file
or a disk that does not do its part.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING
from typing import Any

import click

from microsite.config import instance_folder
from microsite.config import load_config
from microsite.core.remedies import for_disk
from microsite.errors import MicrositeError
from microsite.process import close_down

if TYPE_CHECKING:
    from microsite.services import Services


class Sentences(click.Group):
    """A group whose commands end a domain error with its sentence instead of a trace."""

    def invoke(self, ctx: click.Context) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except MicrositeError as error:
            click.echo(str(error), err=True)
            ctx.exit(1)
        except OSError as error:
            remedy = for_disk(error.errno)
            if remedy is None:
                raise
            click.echo(remedy.of(_concerned(error)), err=True)
            ctx.exit(1)


def _concerned(error: OSError) -> str:
    """The file or folder to look at: a write that fails names no file, and a draft is gone when its name is read."""
    if error.filename is None:
        return str(instance_folder(os.environ))
    path = Path(os.fsdecode(error.filename))
    return str(path if path.exists() or not path.parent.exists() else path.parent)


@click.group(cls=Sentences, context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """A private booking site: times from your calendar, details sealed to you."""
    close_down()


def services() -> "Services":
    """The services of this command, from the settings of the instance folder."""
    from microsite.services import build

    return build(load_config(os.environ))


@contextmanager
def acting() -> "Iterator[Services]":
    """The same for as long as a command needs them."""
    built = services()
    try:
        yield built
    finally:
        built.close()


def _register() -> None:
    from . import backup
    from . import breach
    from . import calendar
    from . import coach
    from . import doctor
    from . import explain
    from . import init
    from . import keyring
    from . import purge
    from . import rotate
    from . import serve

    for module in (serve, init, calendar, coach, doctor, explain, keyring, purge, backup, rotate, breach):
        for command in module.COMMANDS:
            main.add_command(command)


_register()

if __name__ == "__main__":
    sys.exit(main())
