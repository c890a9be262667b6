"""`/healthz`: for whoever watches the machine. JSON without personal data, 200 or 503."""

import logging

from flask import Blueprint
from flask import Response
from flask import jsonify

from microsite.errors import StoreUnreadable
from microsite.services import get_services
from microsite.work.health import health

bp = Blueprint("health", __name__)
log = logging.getLogger("microsite.health")


@bp.get("/healthz")
def show() -> tuple[Response, int]:
    """Whether the site can serve."""
    try:
        found = health(get_services())
    except StoreUnreadable:
        log.error("the database cannot be read")
        return jsonify(ok=False, database="unreadable"), 503
    return jsonify(found._asdict()), 200
