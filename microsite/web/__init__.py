"""What visitors, clients and the coach see: blueprints, and the one place where a domain error becomes a page.

Views parse, call one workflow, and render. Work and services decide; nothing here knows SQL, calendars or mail.
"""

from flask import Flask
from flask_htmx import HTMX
from werkzeug.routing import BaseConverter

from . import accent
from . import answered
from . import dates
from . import desk
from . import drawn
from . import embed
from . import health
from . import i18n
from . import inside
from . import limits
from . import manage
from . import metrics
from . import packing
from . import portraits
from . import privacy
from . import ready
from . import refusals
from . import security
from . import statics
from . import status
from . import visitor
from . import wellknown
from . import written
from . import zones


class SlugConverter(BaseConverter):
    """A coach's or an offer's name in a URL."""

    regex = r"[a-z0-9]+(?:-[a-z0-9]+)*"


def init_app(app: Flask) -> None:
    """Register everything the pages need; the services must be in `app.extensions` when a request comes."""
    app.url_map.converters["slug"] = SlugConverter
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.globals.update(dates=dates, zones=zones)
    HTMX(app)
    answered.init_app(app)
    health.init_app(app)
    packing.init_app(app)  # first here: what is registered first is done last
    security.init_app(app)
    i18n.init_app(app)
    written.init_app(app)
    drawn.init_app(app)
    statics.init_app(app)
    accent.init_app(app)
    portraits.init_app(app)
    refusals.init_app(app)
    for bp in (health.bp, wellknown.bp, visitor.bp, embed.bp, manage.bp, desk.bp, status.bp, privacy.bp):
        app.register_blueprint(bp)
    metrics.init_app(app)
    limits.init_app(app)
    ready.init_app(app)


def wrap(app: Flask) -> None:
    """What goes around everything that is served, once all of it is there."""
    inside.wrap(app)
    answered.wrap(app)
