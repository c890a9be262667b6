"""The site with a bare Flask hello beside it in the same process: `python -m bench.beside` serves both on PORT.

Server, threads and jobs are those of `microsite serve`; what differs between the two is only the application.
"""

import os
from collections.abc import Callable
from collections.abc import Iterable
from typing import Any

from flask import Flask

PATH = "/hello"
WORD = "hello"
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


def hello() -> Flask:
    """The least that Flask can do."""
    least = Flask("hello")
    least.add_url_rule(PATH, "hello", lambda: WORD)
    return least


def app() -> Wsgi:
    """Called by the server in its worker process."""
    from microsite.serving import app as site

    served: Wsgi = site()
    return both(served, hello())


def both(site: Wsgi, least: Wsgi) -> Wsgi:
    """One application that hands each request to one of two, at next to no cost."""

    def application(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        chosen = least if environ["PATH_INFO"] == PATH else site
        return chosen(environ, start_response)

    return application


if __name__ == "__main__":
    from microsite.cli.serve import run

    os.umask(0o077)
    run("bench.beside:app", "127.0.0.1", int(os.environ["PORT"]))
