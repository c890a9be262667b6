"""What runs inside the worker process: the application with its job runner, and the worker without a web side."""

import signal
import threading
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from . import create_app
from . import logs
from .jobs.parent import follow_parent

if TYPE_CHECKING:
    from flask import Flask

    from .services import Services


def app() -> "Flask":
    """Called by the server in its worker process, after the fork: threads started here live where requests are."""
    logs.set_up()
    return started(create_app())


def started(application: "Flask") -> "Flask":
    """The application with its jobs running, which end with the process."""
    services: Services = application.extensions["microsite"]
    start_jobs(services)
    # Children of multiprocessing skip atexit, but they do run their finalizers.
    Finalize(None, services.close, exitpriority=100)
    follow_parent()
    return application


def start_jobs(services: "Services") -> None:
    """Run the site's jobs in this process."""
    from .work.steps import work

    services.jobs.start(work(services))


def run_worker(services: "Services") -> None:
    """Run jobs until SIGTERM or SIGINT."""
    from .restoring import settle

    logs.set_up()
    for _ in settle(services):
        pass
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: done.set())
    start_jobs(services)
    done.wait()
    services.close()
