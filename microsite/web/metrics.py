"""`/metrics` for Prometheus: how the machine is, never how a person is. Off by default; a 404 for who may not read it.

What one person does after choosing a time (form, booking, her own pages, the desk) is one route, «personal», whatever
the method: a series is kept for years, and nobody may read off it when somebody booked. Counts of bookings are blurred
for the same reason (`core.health.blurred`). With several processes each tells its own.
"""

from collections.abc import Iterator
from collections.abc import Mapping
from hmac import compare_digest
from http import HTTPStatus
from typing import TYPE_CHECKING
from typing import Any

from flask import Blueprint
from flask import Flask
from flask import Response
from flask import abort
from flask import current_app
from flask import request

from microsite import __version__
from microsite.core.health import Facts
from microsite.core.health import blurred
from microsite.services import Services
from microsite.services import get_services
from microsite.work.health import Watch

from . import inside
from .answered import Answered
from .security import PERSONAL

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

bp = Blueprint("metrics", __name__)
FROM_THE_FORM_ON = frozenset({"visitor.form", "visitor.book"})
BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)


def init_app(app: Flask) -> None:
    """Begin to count, where the operator wants it; the library is loaded only then."""
    services: Services = app.extensions["microsite"]
    app.register_blueprint(bp)
    if not services.config.file.metrics.enabled:
        return
    app.extensions["microsite-metrics"] = registry = _registry(services, app.extensions["microsite-watch"])
    app.extensions.setdefault("microsite-listeners", []).append(_Requests(registry))


@bp.get("/metrics")
def show() -> Response:
    """Every number, to whoever may read them."""
    _admit()
    from prometheus_client import CONTENT_TYPE_LATEST
    from prometheus_client import generate_latest

    return Response(generate_latest(current_app.extensions["microsite-metrics"]), content_type=CONTENT_TYPE_LATEST)


def _admit() -> None:
    """With a token whoever shows it; without one a program on this machine. Nobody else learns that there is a page."""
    config = get_services().config
    if not config.file.metrics.enabled:
        abort(HTTPStatus.NOT_FOUND)
    token = config.metrics_token
    if not token:
        if not inside.from_here(request.environ):
            abort(HTTPStatus.NOT_FOUND)
        return
    scheme, _, shown = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not compare_digest(shown.strip().encode(), token.reveal().encode()):
        abort(HTTPStatus.NOT_FOUND)


def _registry(services: Services, watch: Watch) -> "CollectorRegistry":
    from prometheus_client import CollectorRegistry
    from prometheus_client import ProcessCollector
    from prometheus_client import disable_created_metrics

    disable_created_metrics()  # type: ignore[no-untyped-call]
    registry = CollectorRegistry()
    ProcessCollector(registry=registry)
    registry.register(_House(watch, services))
    return registry


class _Requests:
    """Counts and times answers."""

    def __init__(self, registry: "CollectorRegistry") -> None:
        from prometheus_client import Counter
        from prometheus_client import Histogram

        labels = ("route", "method", "status")
        self._count = Counter("microsite_requests", "Answers by view.", labels, registry=registry)
        self._ready = Counter(
            "microsite_ready", "Answers that had been made before, by view.", ("route",), registry=registry
        )
        what = "Seconds until an answer was ready, by view."
        self._time = Histogram("microsite_request_seconds", what, ("route",), registry=registry, buckets=BUCKETS)

    def __call__(self, answered: Answered) -> None:
        route, method = answered.route, answered.method
        if route.partition(".")[0] in PERSONAL or route in FROM_THE_FORM_ON or route == "dav":
            route, method = ("dav" if route == "dav" else "personal"), "any"
        self._count.labels(route, method, str(answered.status)).inc()
        self._time.labels(route).observe(answered.seconds)
        if answered.ready:
            self._ready.labels(route).inc()


class _House:
    """What was counted in the database and on the disk, as of a few seconds ago."""

    def __init__(self, watch: Watch, services: Services) -> None:
        self._watch, self._services = watch, services

    def collect(self) -> Iterator[Any]:
        """Every family of numbers."""
        found = self._watch.look()
        yield _one("microsite_build_info", "The running version.", {(("version", __version__),): 1})
        yield _one("microsite_healthy", "Whether pages can be served.", {(): int(found.health.ok)})
        if found.facts is None:
            return
        words = {(("part", part), ("state", word)): 1 for part, word in found.health._asdict().items() if part != "ok"}
        yield _one("microsite_health", "How the parts of the house are, as /healthz says it.", words)
        yield from self._counted(found.facts)

    def _counted(self, facts: Facts) -> Iterator[Any]:
        now = self._services.clock()
        yield _one("microsite_coaches", "Coaches.", {(): facts.coaches})
        bookings = {(("state", state),): blurred(number) for state, number in facts.bookings.items()}
        yield _one("microsite_bookings", "Bookings kept, by state, rounded up to the next five.", bookings)
        calendars = {(("state", state),): number for state, number in facts.calendars.items()}
        yield _one("microsite_calendars", "Calendars by sync state.", calendars)
        yield _one("microsite_calendars_failing", "Calendars that fail.", {(): facts.calendars_failing})
        if self._services.config.file.metrics.coaches:
            failing = {(("coach", slug),): number for slug, number in facts.failing_by_coach.items()}
            yield _one("microsite_coach_calendars_failing", "Calendars that fail, by coach.", failing)
        age = now - facts.oldest_reading if facts.oldest_reading else 0
        yield _one("microsite_oldest_sync_seconds", "Age of the oldest successful reading of a calendar.", {(): age})
        yield _one("microsite_jobs_waiting", "Jobs that wait though their time has come.", {(): facts.jobs_due})
        yield _one("microsite_jobs_given_up", "Jobs that were given up.", {(): facts.jobs_given_up})
        waits = now - facts.oldest_due if facts.oldest_due else 0
        yield _one("microsite_oldest_job_seconds", "How long the oldest of them waits.", {(): waits})
        yield _one(
            "microsite_letters_queued", "Letters that wait, rounded up to five.", {(): blurred(facts.letters_queued)}
        )
        yield _one("microsite_letters_late", "Letters that wait too long.", {(): facts.letters_late})
        yield _one("microsite_database_bytes", "Size of the database.", {(): facts.database_size})
        yield _one("microsite_disk_free_bytes", "Free bytes of the instance's disk.", {(): facts.disk_free})


def _one(name: str, what: str, values: Mapping[Any, float]) -> Any:
    """A family of one gauge; `values` by their labels as pairs."""
    from prometheus_client.metrics_core import GaugeMetricFamily

    family = GaugeMetricFamily(name, what)
    for labels, value in values.items():
        family.add_sample(name, dict(labels), value)
    return family
