"""Brakes for programs, never for people who look: bookings, guesses at links, sign-ins. Choosing a time has no limit.

Counted per network address, by a keyed hash with a key that changes every day and is in memory only. A mobile carrier
puts thousands behind one address, so the limits are wide and can be set; what counts is what a person rarely does:
a booking that was made, a link that opened nothing, a sign-in that failed. Whoever meets one is told when to come back.
"""

import logging
import math
import secrets
import time
from collections.abc import Callable
from collections.abc import Iterable
from hmac import digest
from http import HTTPStatus
from importlib.util import find_spec
from ipaddress import IPv6Address
from ipaddress import ip_address
from ipaddress import ip_network
from typing import Any

from flask import Flask
from flask import Response
from flask import current_app
from flask import request
from flask_limiter import Limiter
from flask_limiter import RouteLimit
from flask_limiter.errors import RateLimitExceeded
from limits import parse_many
from limits.storage import MemoryStorage
from werkzeug.middleware.proxy_fix import ProxyFix

from microsite.config import Limits
from microsite.errors import SettingsError
from microsite.services import Services

from . import refusals
from . import visitor

DAY = 24 * 3600
BOOKINGS = ("visitor.book",)
ROOMS = frozenset({"manage", "written", "status"})
"""Blueprints whose every page begins with a token, in the path or in the cookie."""
PATIENCE: dict[str, Any] = {"socket_connect_timeout": 1, "socket_timeout": 1}
"""Seconds that a shared memory may keep a visitor waiting; after that this process counts alone for a while."""
DOORS = ("desk.knock", "desk.enter")
SIGN_INS = ("desk.ask_passkey", "desk.ask_key", "desk.with_key", "desk.with_passkey")


class Salt:
    """The key of today's hashes: random and in memory; the same on all machines where they count together."""

    def __init__(self, services: Services, shared: bool, new_day: Callable[[], object] = lambda: None) -> None:
        self._services, self._shared, self._new_day = services, shared, new_day
        self._day, self._key = -1, b""

    def key(self) -> bytes:
        """Today's key."""
        today = self._services.clock() // DAY
        if today != self._day:
            self._key = self._of(today) if self._shared else secrets.token_bytes(32)
            self._day = today
            self._new_day()
        return self._key

    def _of(self, day: int) -> bytes:
        # A count that several machines share needs a key that all of them have and the shared memory has not.
        signed: bytes = self._services.sealer.sign("limits", str(day).encode())
        return signed


class Brakes(Limiter):
    """A limiter that looks only where a brake was put on: there is no limit for all views, so no other is asked for."""

    def _check_request_limit(self, callable_name: str | None = None, in_middleware: bool = True) -> None:
        if not in_middleware:
            super()._check_request_limit(callable_name, in_middleware)


def init_app(app: Flask) -> None:
    """Take the address that trusted proxies hand on, and put the brakes on; after all views are registered."""
    services: Services = app.extensions["microsite"]
    settings, storage = services.config.file.limits, services.config.limits_storage
    _check(settings, storage)
    if settings.trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=settings.trusted_proxies, x_proto=0)  # type: ignore[method-assign]
    salt = Salt(services, not storage.startswith("memory:"), lambda: forget_the_quiet(limiter.storage))
    limiter = Brakes(
        lambda: hashed(request.remote_addr or "", salt.key()),
        app=app,
        storage_uri=storage,
        storage_options={} if storage.startswith("memory:") else PATIENCE,
        strategy="moving-window",
        in_memory_fallback_enabled=True,
        swallow_errors=True,
        key_prefix="microsite",
    )
    limiter.logger.setLevel(logging.WARNING)  # not a line for each who is stopped: it would hold her key
    app.register_error_handler(RateLimitExceeded, _come_back)
    app.extensions["microsite-limiter"] = limiter
    rooms = [name for name in app.view_functions if name.partition(".")[0] in ROOMS]
    _brake(app, limiter.shared_limit(settings.bookings, "bookings", deduct_when=_made), BOOKINGS)
    _brake(app, limiter.shared_limit(settings.tokens, "tokens", deduct_when=_guessed), (*rooms, *DOORS))
    _brake(app, limiter.shared_limit(settings.sign_ins, "sign-ins", deduct_when=_knocked), SIGN_INS)


def forget_the_quiet(storage: object) -> None:
    """Drop the names that count nobody any more: this process's own memory forgets a count, and keeps its name.

    Once a day, for by then nobody is counted by yesterday's names. A shared memory forgets by itself.
    """
    if not isinstance(storage, MemoryStorage):
        return
    for key in list(storage.events):
        with storage.locks[key]:
            if not storage.events.get(key):
                storage.events.pop(key, None)
                storage.locks.pop(key, None)


def hashed(address: str, key: bytes) -> str:
    """The full IPv4 address, or the /64 of an IPv6 one (a household's), as a keyed hash that says neither."""
    return digest(key, network(address).encode(), "sha256").hex()


def network(address: str) -> str:
    """Who counts as one: an IPv4 address, also when it comes written as IPv6, or a /64."""
    try:
        found = ip_address(address.partition("%")[0])
    except ValueError:
        return "unknown"
    if isinstance(found, IPv6Address):
        return str(found.ipv4_mapped or ip_network((found, 64), strict=False))
    return str(found)


def _brake(app: Flask, limit: RouteLimit, endpoints: Iterable[str]) -> None:
    for endpoint in endpoints:
        braked: Any = limit(app.view_functions[endpoint])
        app.view_functions[endpoint] = braked


def _made(response: Response) -> bool:
    return response.status_code == HTTPStatus.SEE_OTHER


def _guessed(response: Response) -> bool:
    return response.status_code == HTTPStatus.NOT_FOUND


def _knocked(response: Response) -> bool:
    """A question asked, or an answer refused; whoever comes in has knocked once."""
    return response.status_code != HTTPStatus.SEE_OTHER


def _come_back(error: RateLimitExceeded) -> Response:
    limiter: Limiter = current_app.extensions["microsite-limiter"]
    met = limiter.current_limit
    # The limiter counts by the machine's own clock, whatever the site's is.
    seconds = max(1, math.ceil(met.reset_at - time.time())) if met else error.limit.limit.get_expiry()
    if request.endpoint in BOOKINGS:  # what was typed must not be lost
        response = visitor.too_many(seconds)
    else:
        response = refusals.page(HTTPStatus.TOO_MANY_REQUESTS, refusals.too_many(seconds))
    response.headers["Retry-After"] = str(seconds)
    return response


def _check(settings: Limits, storage: str) -> None:
    if not storage.startswith(("memory://", "redis://", "rediss://", "redis+unix://")):
        raise SettingsError("config.toml", "limits.storage", "another address", "memory:// or redis:// (Valkey too)")
    if storage.startswith("redis") and find_spec("redis") is None:
        found, allowed = "an address of Redis, and no library for it", "after: make machines"
        raise SettingsError("config.toml", "limits.storage", found, allowed)
    for name in ("bookings", "tokens", "sign_ins"):
        text = getattr(settings, name)
        try:
            parse_many(text)
        except ValueError as error:
            raise SettingsError("config.toml", "limits." + name, repr(text), "such as “60 per hour”") from error
