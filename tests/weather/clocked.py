"""The site with a clock that a test can set: its own services, with seconds added from a file. For these tests only.

The library that fakes a process's clock (libfaketime) makes Python's `sleep` fail, so the site's own clock is set: the
one that deadlines, notice, reminders, purge and the job queue go by.
"""

import os
import subprocess
import sys
from pathlib import Path

from flask import Flask

from microsite import create_app
from microsite import logs
from microsite.cli.serve import run
from microsite.config import load_config
from microsite.services import build
from microsite.services import clock
from microsite.serving import started


def leap() -> int:
    """How far the clock is off, in seconds."""
    return int(Path(os.environ["WEATHER_CLOCK"]).read_text() or 0)


def app() -> Flask:
    """What `microsite.serving.app` makes, on that clock."""
    logs.set_up()
    return started(create_app(services=build(load_config(os.environ), lambda: clock() + leap())))


if __name__ == "__main__":
    os.umask(0o077)
    subprocess.run([sys.executable, "-m", "microsite.cli", "prepare"], check=True)
    run("tests.weather.clocked:app", "127.0.0.1", int(os.environ["PORT"]))
