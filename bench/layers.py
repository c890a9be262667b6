"""Where a request's CPU time goes: one answer through more and more of what can stand around it.

Each set of layers is loaded in a process of its own (`python -m bench.layers SET`), so that none pays for another's
libraries or hooks. The first sets are libraries as they come, each around the same hello; the last are the site itself:
a hello among its own views, then the picker's fragment known already, unchanged, and made anew after a change.
"""

import subprocess
import sys
from collections.abc import Callable
from collections.abc import Iterable
from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Flask

from microsite import create_app
from microsite.services import Services

from . import beside
from . import http
from .changing import Street
from .expected import view
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .figures import of_rounds
from .machine import ROOT
from .rounds import interleaved
from .rounds import least_cpu
from .rounds import ratio
from .site import instance
from .wsgi import Answer
from .wsgi import Application
from .wsgi import call
from .wsgi import environ

TIMES, COACHES = 7, 8
"""The least of so many measurements counts, each over many calls; after a change, over so many coaches' pages."""
Ask = Callable[[], Answer]


def measure(size: Size) -> Outcome:
    """The part."""
    repeat = size.of(20, 300, 1000)
    cases = {name: partial(in_a_process, name, repeat) for name in (*LIBRARIES, *SITE)}
    rounds = interleaved(cases, size.of(1, 3, 5))
    costs = [of_rounds(f"layers.{name}_us", [each[name] for each in rounds], "us", "cpu") for name in cases]
    ratios = [ratio(f"layers.{name}_to_hello", rounds, name, "hello", "cpu") for name in cases if name != "hello"]
    return Outcome([*costs, *ratios])


def in_a_process(name: str, repeat: int) -> float:
    """CPU microseconds of one request through a set of layers; raises WrongAnswer where it was answered wrongly."""
    words = [sys.executable, "-m", "bench.layers", name, str(repeat)]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    if done.returncode:
        raise WrongAnswer(f"«{name}»: {done.stderr.strip().rpartition(chr(10))[2]}")
    return float(done.stdout)


def bare() -> Application:
    """A WSGI function: what calling one costs by itself."""

    def application(_asked: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        start_response("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [beside.WORD.encode()]

    return application


def htmx() -> Application:
    """Flask-HTMX, asked whether htmx asks."""
    from flask_htmx import HTMX

    app = Flask("hello")
    asks = HTMX(app)
    return _saying(app, lambda: "" if asks else beside.WORD)


def babel() -> Application:
    """Flask-Babel with the site's way of choosing a language, and one sentence."""
    from flask_babel import Babel
    from flask_babel import gettext

    from microsite.web.i18n import language

    app = Flask("hello")
    Babel(app, default_locale="en", locale_selector=language)
    return _saying(app, lambda: gettext(beside.WORD))


def forms() -> Application:
    """Flask-WTF making a token against forged forms, which writes a session."""
    from flask_wtf.csrf import generate_csrf

    app = Flask("hello")
    app.secret_key = b"for measuring"
    return _saying(app, lambda: beside.WORD if generate_csrf() else "")


def limiter() -> Application:
    """Flask-Limiter with a limit for every view."""
    from flask_limiter import Limiter

    app = beside.hello()
    Limiter(lambda: "somebody", app=app, default_limits=["1000000 per second"], storage_uri="memory://")
    return app


def site(services: Services, repeat: int) -> float:
    """A hello among the site's own views: all of its hooks and headers, and nothing else."""
    return _greeted(_saying(create_app(services.config, services), lambda: beside.WORD), repeat)


def kept(services: Services, repeat: int) -> float:
    """The picker's fragment as htmx asks for it, known already."""
    return least_cpu(_picker(services), TIMES, repeat)


def unchanged(services: Services, repeat: int) -> float:
    """The same where the browser has it."""
    tag = _picker(services)().headers["etag"]
    ask = _picker(services, {**http.BROWSER, "If-None-Match": tag})
    if ask().status != 304:
        raise WrongAnswer("a fragment that has not changed was sent again")
    return least_cpu(ask, TIMES, repeat)


def changed(services: Services, _repeat: int) -> float:
    """The same of many coaches, one after the other, after each of them moved two appointments."""
    return Street(services, COACHES).least_cpu(create_app(services.config, services), http.BROWSER, TIMES)


LIBRARIES: Mapping[str, Callable[[], Application]] = {
    "bare": bare,
    "hello": beside.hello,
    "htmx": htmx,
    "babel": babel,
    "forms": forms,
    "limiter": limiter,
}
SITE: Mapping[str, Callable[[Services, int], float]] = {
    "site": site,
    "fragment": kept,
    "unchanged": unchanged,
    "changed": changed,
}


def main(name: str, repeat: str) -> None:
    """Measure one set in this process and print its microseconds."""
    if name in LIBRARIES:
        took = _greeted(LIBRARIES[name](), int(repeat))
    else:
        with instance() as coach, coach.opened() as services:
            took = SITE[name](services, int(repeat))
    print(took * 1e6)


def _saying(app: Flask, say: Callable[[], str]) -> Application:
    app.add_url_rule(beside.PATH, "hello", say)
    return app


def _greeted(application: Application, repeat: int) -> float:
    ask: Ask = partial(call, application, environ(beside.PATH, {}))
    answer = ask()
    if (answer.status, answer.body) != (200, beside.WORD.encode()):
        raise WrongAnswer(f"a hello was answered with {answer.status} and {answer.body[:40]!r}")
    return least_cpu(ask, TIMES, repeat)


def _picker(services: Services, more: Mapping[str, str] = http.BROWSER) -> Ask:
    """Asks for the fragment, after its times were found to be the oracle's."""
    app, expected = create_app(services.config, services), view(services)
    http.check(partial(call, app, environ(expected.target, http.BROWSER)), expected)
    return partial(call, app, environ(expected.target, more))


if __name__ == "__main__":
    main(*sys.argv[1:])
