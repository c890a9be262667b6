"""`serve`: one command, one machine. `web` and `worker`: its two halves. `prepare`: what happens before any of them.

The master process imports neither Flask nor the rooms: it prepares in a child, then hands over to the server, whose
worker process builds the application for itself.
"""

import logging
import os
import socket
import subprocess
import sys

import click

from microsite.config import load_config
from microsite.errors import StartRefused
from microsite.process import hear_signals
from microsite.process import share_heap

BLOCKING_THREADS = 16
"""A few work and the others may wait for what is being sent: see `web.bodies`, whose two numbers this is the sum of."""


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def serve(host: str) -> None:
    """Serve the site on PORT (default 8000): pages, embedded calendar and jobs in one process."""
    _serve("microsite.serving:app", host)


@click.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="The address to listen on.")
def web(host: str) -> None:
    """Serve pages only, on PORT (default 8000); `microsite worker` runs the jobs."""
    _serve("microsite.serving:web", host)


def _serve(factory: str, host: str) -> None:
    config = load_config(os.environ)
    _check_port(host, config.port)
    _prepare()
    click.echo(f"The site is at {config.address}/ (stop with Ctrl+C).")
    run(factory, host, config.port)


def _prepare() -> None:
    prepared = subprocess.run([sys.executable, "-m", "microsite.cli", "prepare"], check=False)
    if prepared.returncode:
        sys.exit(prepared.returncode)


def run(factory: str, host: str, port: int) -> None:
    """Serve what the factory makes, in one worker process, until a signal ends it."""
    from granian import Granian
    from granian.constants import HTTPModes
    from granian.constants import Interfaces

    share_heap()  # here as well: the worker process is a fork of this one
    hear_signals()
    # It warns of more threads than cores; most of these only ever wait.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    Granian(
        factory,
        factory=True,
        address=host,
        port=port,
        interface=Interfaces.WSGI,
        workers=1,
        blocking_threads=BLOCKING_THREADS,
        runtime_blocking_threads=2,
        http=HTTPModes.http1,
        websockets=False,
        log_level="warning",  # type: ignore[arg-type]
        respawn_failed_workers=True,
        workers_kill_timeout=15,
    ).serve()


@click.command()
def worker() -> None:
    """Run jobs only, for web processes here or on other machines."""
    from microsite.serving import run_worker
    from microsite.work import machines

    from . import services

    load_config(os.environ)
    _prepare()
    built = services()
    machines.check_worker(built)
    run_worker(built)


@click.command(hidden=True)
def prepare() -> None:
    """Bring the database up to date, make the demo on a first run without settings, and check that all can start."""
    from microsite import restoring
    from microsite.work import setup
    from microsite.work import terms

    from . import services
    from .first_run import first_run
    from .first_run import renew_welcome

    built = services()
    try:
        built.store.upgrade()
        for line in restoring.settle(built):
            click.echo(line)
        if not built.config.configured:
            first_run(built)
            renew_welcome(built)
        setup.check_start(built)
        terms.record_all(built)
    finally:
        built.close()


def _check_port(host: str, port: int) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise StartRefused(
                f"port {port} on {host} is taken or not allowed ({error.strerror});"
                " choose another one: PORT=8001 make run"
            ) from error


COMMANDS = (serve, web, worker, prepare)
