"""The pages: how the picker's fragment compares with a Flask hello, over HTTP on one server and in one process.

Over HTTP both are served by the same granian process with the site's own settings; in the process only CPU time counts,
for the fragment as it is answered again and again, and for one whose coach's calendar has just changed.
"""

import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from functools import partial

from microsite import create_app
from microsite.services import Services

from . import client
from .beside import PATH as HELLO
from .beside import WORD
from .beside import hello
from .changing import Appointments
from .changing import Street
from .expected import View
from .expected import again
from .expected import view
from .figures import TINY
from .figures import Figure
from .figures import Outcome
from .figures import Size
from .figures import WrongAnswer
from .figures import of_rounds
from .figures import single
from .processes import cpu_seconds
from .rounds import Round
from .rounds import interleaved
from .rounds import least_cpu
from .rounds import ratio
from .site import Instance
from .site import Server
from .site import instance
from .site import serving
from .wsgi import Answer
from .wsgi import Application
from .wsgi import call
from .wsgi import environ

HTMX = {"HX-Request": "true", "HX-Source": "a#later", "Accept": "text/html"}
BROWSER = {**HTMX, "Accept-Encoding": "gzip, deflate"}
MUST = ("content-security-policy", "referrer-policy", "x-content-type-options", "vary")
MUST_NOT = ("set-cookie",)
_connections: list[str] = []


def measure(size: Size) -> Outcome:
    """The part."""
    with instance() as many, many.opened() as services:
        inside = in_process(services, view(services), size)
    with instance() as demo_coach:
        with demo_coach.opened() as services:
            expected = view(services)
        outside = over_http(demo_coach, expected, size)
    return Outcome([*inside.figures, *outside.figures], [*inside.remarks, *outside.remarks])


def in_process(services: Services, expected: View, size: Size) -> Outcome:
    """CPU time without any server."""
    site: Application = create_app(services.config, services)
    least: Application = hello()
    asked, packed = environ(expected.target, HTMX), environ(expected.target, BROWSER)
    check(partial(call, site, asked), expected)
    check(partial(call, site, packed), expected)
    street = Street(services, size.of(3, 16, 40))
    for _ in range(5):
        before = [call(site, environ(each.target, BROWSER)).slots for each in street.views]
        street.change()
        views = [again(services, each) for each in street.views]
        if sum(had != now.slots for had, now in zip(before, views, strict=True)) * 2 <= len(views):
            raise WrongAnswer("calendars changed and hardly any free time did: this would time too little")
        for now in views:
            check(partial(call, site, environ(now.target, BROWSER)), now)
            check(partial(call, site, environ(now.target, HTMX)), now)
    change = Appointments(services, expected)
    connections = count_connections(partial(call, site, asked), change)

    repeat, waking = size.of(20, 200, 400), size.of(4, 15, 40)
    greet = partial(call, least, environ(HELLO, {}))
    cases = {
        "hello": partial(least_cpu, greet, 7, repeat),
        "warm": partial(least_cpu, partial(call, site, packed), 7, size.of(5, 50, 200)),
        "cold": partial(street.least_cpu, site, BROWSER, size.of(2, 7, 15)),
        "cold_plain": partial(street.least_cpu, site, HTMX, size.of(2, 7, 15)),
        "waking": partial(least_cpu, partial(call, site, packed), waking, 1, change),
        "waking_hello": partial(least_cpu, greet, waking, 1, change),
    }
    rounds = interleaved(cases, size.rounds)
    figures = [
        ratio("http.cold_fragment_to_hello", rounds, "cold", "hello", "cpu"),
        ratio("http.cold_plain_fragment_to_hello", rounds, "cold_plain", "hello", "cpu"),
        ratio("http.waking_fragment_to_hello", rounds, "waking", "hello", "cpu"),
        ratio("http.waking_fragment_to_waking_hello", rounds, "waking", "waking_hello", "cpu"),
        ratio("http.hello_to_warm_fragment_cpu", rounds, "hello", "warm", "cpu"),
        of_rounds("http.hello_cpu", [each["hello"] * 1e6 for each in rounds], "us", "cpu"),
        single("http.network_connections", connections, "", "count"),
    ]
    return Outcome(figures, [f"the fragment showed the oracle's {len(expected.slots)} times before it was timed"])


def over_http(demo_coach: Instance, expected: View, size: Size) -> Outcome:
    """Answers a second and the server's CPU time for each, hello and fragment in turn on one server."""
    with serving(demo_coach.folder, ("-m", "bench.beside")) as server:
        ask = partial(fetch, server.base + expected.target)
        check(partial(ask, BROWSER), expected)
        if fetch(server.base + HELLO, {}).body != WORD.encode():
            raise WrongAnswer("the hello beside the site does not say hello")
        urls = {"hello": (HELLO, {}), "fragment": (expected.target, BROWSER)}
        remarks = [f"client: {client.name(size.seconds)}, {client.CONNECTIONS} connections"]
        tag = unchanged(ask)
        if tag:
            urls["unchanged"] = (expected.target, {**BROWSER, "If-None-Match": tag})
        else:
            remarks.append("not timed: the fragment has no ETag that a second request could name, so there is no 304")
        for target, headers in urls.values():
            client.load(server.base + target, headers, min(size.seconds, 1))
        spent: dict[str, list[float]] = {name: [] for name in urls}

        def load(name: str) -> float:
            target, headers = urls[name]
            began = _worker_cpu(server)
            had = client.load(server.base + target, headers, size.seconds)
            if had.errors:
                raise WrongAnswer(f"{had.errors} of {had.answers} answers to «{name}» were errors")
            spent[name].append((_worker_cpu(server) - began) / had.answers)
            return had.per_second

        rounds = interleaved({name: partial(load, name) for name in urls}, size.rounds)
        check(partial(ask, BROWSER), expected)
    if client.name(size.seconds) != "wrk" and size is not TINY:
        remarks.append("answers a second are not compared: the client in Python is slower than the server; install wrk")
        rounds = []
    return Outcome(_http_figures(rounds, spent), remarks)


def _http_figures(rounds: list[Round], spent: dict[str, list[float]]) -> list[Figure]:
    figures = []
    if rounds:
        figures.append(of_rounds("http.hello_per_second", [each["hello"] for each in rounds], "1/s", "wall"))
    for name in ("fragment", "unchanged"):
        if name in spent:
            if rounds:
                figures.append(ratio(f"http.{name}_to_hello", rounds, name, "hello", "wall"))
            costs = [least / own for least, own in zip(spent["hello"], spent[name], strict=True) if own]
            figures.append(of_rounds(f"http.hello_to_{name}_server_cpu", costs, "x", "cpu"))
    return figures


def check(ask: Callable[[], Answer], expected: View) -> None:
    """Ask twice: status, headers, the very times of the oracle, and the same bytes again. Raises WrongAnswer."""
    first, second = ask(), ask()
    if first.status != 200:
        raise WrongAnswer(f"the fragment was answered with {first.status}")
    missing = [name for name in MUST if name not in first.headers]
    if missing or any(name in first.headers for name in MUST_NOT):
        raise WrongAnswer(f"the fragment's headers are not what they must be (missing: {missing})")
    if b"<html" in first.text:
        raise WrongAnswer("a whole page was answered where htmx asked for a part")
    if first.slots != expected.slots:
        raise WrongAnswer(f"the fragment shows {first.slots}, the oracle says {expected.slots}")
    if first.body != second.body:
        raise WrongAnswer("the same question was answered twice with different bytes")


def unchanged(ask: Callable[[dict[str, str]], Answer]) -> str:
    """The ETag with which the fragment is answered by 304 and no body; empty where it is not."""
    tag = ask(BROWSER).headers.get("etag", "")
    again = ask({**BROWSER, "If-None-Match": tag}) if tag else None
    return tag if again is not None and (again.status, again.body) == (304, b"") else ""


def count_connections(ask: Callable[[], Answer], change: Callable[[], object]) -> int:
    """How many connections are opened while the fragment is answered, known and changed."""
    _watch()
    before = len(_connections)
    ask()
    change()
    ask()
    return len(_connections) - before


def fetch(url: str, headers: dict[str, str]) -> Answer:
    """One exchange over HTTP."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=30) as answer:
            return Answer(answer.status, {key.lower(): value for key, value in answer.headers.items()}, answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return Answer(error.code, {key.lower(): value for key, value in error.headers.items()}, error.read())


def _worker_cpu(server: Server) -> float:
    return cpu_seconds(server.pid)


def _watch() -> None:
    """Have every connection counted that this process opens from now on; a hook of this kind cannot be taken out."""
    if not _connections:
        _connections.append("begun")
        sys.addaudithook(lambda event, _args: _connections.append(event) if event == "socket.connect" else None)
