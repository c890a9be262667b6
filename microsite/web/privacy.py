"""The page that says what is kept, why, who can read it and until when: generated from the live settings."""

from flask import Blueprint
from flask import render_template
from flask import request

from microsite.services import get_services
from microsite.work import look
from microsite.work import machines
from microsite.work import terms

from .i18n import route

bp = Blueprint("privacy", __name__)


@route(bp, "/<slug:coach>/privacy")
def show(coach: str) -> str:
    """What a coach's booking page keeps."""
    services = get_services()
    found = look.coach(services, coach)
    page = terms.page(services, coach, request.args.get("version", ""))
    destroyed = machines.keys_are_destroyed(services)
    return render_template("privacy.html", coach=found, page=page, terms=page.terms, destroyed=destroyed)
