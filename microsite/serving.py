"""What runs inside a process: the application with its job runner, either of them alone, and their signs of life."""

import logging
import os
import secrets
import signal
import threading
from multiprocessing.util import Finalize
from typing import TYPE_CHECKING

from . import create_app
from . import logs
from .config import load_config
from .jobs.parent import follow_parent
from .process import close_down
from .process import hear_signals
from .process import share_heap
from .process import share_turns
from .process import spare_what_stays

if TYPE_CHECKING:
    from flask import Flask

    from .config import Config
    from .services import Services

log = logging.getLogger("microsite.serving")


def app() -> "Flask":
    """Called by the server in its worker process, after the fork: threads started here live where requests are."""
    return started(create_app(_opened()))


def started(application: "Flask") -> "Flask":
    """The application with its jobs running, which end with the process."""
    services: Services = application.extensions["microsite"]
    start_jobs(services)
    if not services.store.sqlite:  # on SQLite there is nobody who would ask
        Presence(services, "serve").begin()
    # Children of multiprocessing skip atexit, but they do run their finalizers.
    Finalize(None, services.close, exitpriority=100)
    follow_parent()
    spare_what_stays()
    return application


def web() -> "Flask":
    """The same without jobs: other processes run them."""
    application = create_app(_opened())
    services: Services = application.extensions["microsite"]
    Finalize(None, services.close, exitpriority=100)
    Presence(services, "web").begin()
    follow_parent()
    spare_what_stays()
    return application


def _opened() -> "Config":
    """The settings, once this process is closed to others and its log is as they want it."""
    close_down()
    share_heap()
    share_turns()
    hear_signals()
    logs.set_up()  # whatever goes wrong before the settings are read
    config = load_config(os.environ)
    logs.set_up(config.file.logs.form, config.file.logs.level)
    return config


class Presence:
    """The signs of life of this process, by which the others and the doctor know that it is there."""

    def __init__(self, services: "Services", kind: str) -> None:
        self._services, self._kind = services, kind
        self._id = secrets.token_hex(8)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._live, name="presence", daemon=True)

    def begin(self) -> None:
        """Give one now and then, until the process ends."""
        self._thread.start()
        Finalize(None, self.end, exitpriority=200)

    def end(self) -> None:
        """Say goodbye; before the store is closed."""
        self._ended.set()
        self._thread.join(5)

    def _live(self) -> None:
        from .work import machines

        while not self._ended.is_set():
            machines.seen(self._services, self._id, self._kind)
            self._ended.wait(machines.BEAT)
        machines.gone(self._services, self._id)


def start_jobs(services: "Services") -> None:
    """Run the site's jobs in this process."""
    from .work.steps import work

    services.jobs.start(work(services))


def run_worker(services: "Services") -> None:
    """Run jobs until SIGTERM or SIGINT."""
    from .restoring import settle

    share_heap()
    share_turns()
    hear_signals()
    wanted = services.config.file.logs
    logs.set_up(wanted.form, wanted.level)
    for _ in settle(services):
        pass
    done = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda _number, _frame: done.set())
    start_jobs(services)
    presence = Presence(services, "worker")
    presence.begin()
    spare_what_stays()
    log.info("the worker is ready")
    done.wait()
    presence.end()
    services.close()
    log.info("the worker has ended")
