"""Servers for the whole run, a calendar for each test."""

from collections.abc import Iterator
from typing import Self

import pytest

from microsite.calendars.client import Client
from microsite.calendars.wire import Wire

from .events import Mirror
from .proxy import Proxy
from .proxy import proxy
from .servers import LOOPBACK
from .servers import Server
from .servers import radicale
from .servers import xandikos

SERVERS = {"radicale": radicale, "xandikos": xandikos}


@pytest.fixture(scope="session", name="radicale_server")
def _radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with radicale(tmp_path_factory.mktemp("radicale")) as running:
        yield running


@pytest.fixture(scope="session", name="xandikos_server")
def _xandikos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with xandikos(tmp_path_factory.mktemp("xandikos")) as running:
        yield running


@pytest.fixture(params=SERVERS, name="server")
def _server(request: pytest.FixtureRequest) -> Server:
    """Each of the real servers in turn."""
    running: Server = request.getfixturevalue(f"{request.param}_server")
    return running


class Bench:
    """A fresh calendar behind a proxy: `client` goes through the proxy, `coach` straight to the server."""

    def __init__(self, server: Server, between: Proxy) -> None:
        self.server, self.proxy, self.calendar = server, between, server.new_calendar()
        self.client = self.new_client()
        self.coach = Client(Wire(server.account(self.calendar), allowed=LOOPBACK))
        self.coach.wire.start(600)
        self.mirror = Mirror(self.client)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.wire.close()
        self.coach.wire.close()

    def new_client(self, seconds: float = 60) -> Client:
        """One more client through the proxy."""
        client = Client(Wire(self.server.account(self.calendar, self.proxy.port), allowed=LOOPBACK))
        client.wire.start(seconds)
        return client


@pytest.fixture(name="bench")
def _bench(server: Server) -> Iterator[Bench]:
    with proxy(server.port) as between, Bench(server, between) as bench:
        yield bench


@pytest.fixture(name="radicale_bench")
def _radicale_bench(radicale_server: Server) -> Iterator[Bench]:
    with proxy(radicale_server.port) as between, Bench(radicale_server, between) as bench:
        yield bench
