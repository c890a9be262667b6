"""Real calendar servers and a real relay for the whole run; for each test a calendar, a house and hands of its own."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.calendars.servers import Server
from tests.calendars.servers import radicale
from tests.calendars.servers import xandikos

from .app import App
from .house import Pattern
from .house import settings
from .relay import Inbox
from .relay import relay

SERVERS = {"radicale": radicale, "xandikos": xandikos}


@pytest.fixture(scope="session", name="radicale_server")
def _radicale_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with radicale(tmp_path_factory.mktemp("radicale")) as running:
        yield running


@pytest.fixture(scope="session", name="xandikos_server")
def _xandikos_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with xandikos(tmp_path_factory.mktemp("xandikos")) as running:
        yield running


@pytest.fixture(scope="session", name="pattern")
def _pattern(tmp_path_factory: pytest.TempPathFactory) -> Pattern:
    return Pattern(tmp_path_factory.mktemp("pattern") / "instance")


@pytest.fixture(params=SERVERS, name="server")
def _server(request: pytest.FixtureRequest) -> Server:
    """Each of the real servers in turn."""
    running: Server = request.getfixturevalue(f"{request.param}_server")
    return running


@pytest.fixture(name="inbox")
def _inbox() -> Inbox:
    return Inbox()


@pytest.fixture(name="relay_port")
def _relay_port(inbox: Inbox) -> Iterator[int]:
    with relay(inbox) as port:
        yield port


class Bench:
    """A house, the coach's app on the same calendar, and the letters that came."""

    def __init__(self, server: Server, pattern: Pattern, folder: Path, relay_port: int, inbox: Inbox) -> None:
        account = server.account(server.new_calendar())
        self.inbox, self.account, self.relay_port = inbox, account, relay_port
        self.home = pattern.copy(folder, relay_port)
        self.home.furnish(account, settings())
        self.app = App(account)

    def close(self) -> None:
        """Give everything back."""
        self.app.close()
        self.home.close()


@pytest.fixture(name="bench")
def _bench(server: Server, pattern: Pattern, tmp_path: Path, relay_port: int, inbox: Inbox) -> Iterator[Bench]:
    """On each server in turn."""
    made = Bench(server, pattern, tmp_path / "instance", relay_port, inbox)
    yield made
    made.close()


@pytest.fixture(name="radicale_bench")
def _radicale_bench(
    radicale_server: Server, pattern: Pattern, tmp_path: Path, relay_port: int, inbox: Inbox
) -> Iterator[Bench]:
    """On Radicale alone, where the server's own manners do not matter."""
    made = Bench(radicale_server, pattern, tmp_path / "instance", relay_port, inbox)
    yield made
    made.close()
