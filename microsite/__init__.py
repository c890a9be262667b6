"""A private booking site for coaches. `create_app` builds the web application; see README.md for the rooms."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask

    from .config import Config
    from .services import Services

__version__ = "0.1.0"


def create_app(config: "Config | None" = None, services: "Services | None" = None) -> "Flask":
    """The application: settings, then services, then blueprints. Raises SettingsError or StartRefused."""
    import os

    from flask import Flask
    from werkzeug.middleware.dispatcher import DispatcherMiddleware

    from . import web
    from .config import load_config
    from .services import TEMPLATES
    from .services import build
    from .web.bodies import Bodies

    services = services or build(config or load_config(os.environ))
    app = Flask("microsite", template_folder=str(TEMPLATES), static_folder=None)
    app.extensions["microsite"] = services
    web.init_app(app)
    if services.embedded is not None:
        app.wsgi_app = DispatcherMiddleware(app.wsgi_app, {"/dav": services.embedded})  # type: ignore[method-assign]
    app.wsgi_app = Bodies(app.wsgi_app)  # type: ignore[method-assign]
    web.wrap(app)
    return app
