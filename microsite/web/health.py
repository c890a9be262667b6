"""`/healthz`: for whoever watches the machine. JSON of a few words without personal data, 200 or 503."""

import logging

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import current_app
from flask import jsonify

from microsite.work.health import Observed
from microsite.work.health import Watch

bp = Blueprint("health", __name__)
log = logging.getLogger("microsite.health")


def init_app(app: Flask) -> None:
    """One watch for all who ask this process."""
    app.extensions["microsite-watch"] = Watch(app.extensions["microsite"])


def observed() -> Observed:
    """How the house is."""
    watch: Watch = current_app.extensions["microsite-watch"]
    return watch.look()


@bp.get("/healthz")
def show() -> tuple[Response, int]:
    """Whether the site can serve, and what needs a look."""
    health = observed().health
    if not health.ok:
        log.error("the database cannot be read; microsite doctor says what to do")
    return jsonify(health._asdict()), 200 if health.ok else 503
