"""Several machines on one: web and worker processes, each with an instance folder of its own, on PostgreSQL and Redis.

The calendars are on a Radicale in a process of its own, letters go to a relay in this one. Any process can be killed.
"""

import os
import signal
import subprocess
import sys
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack
from contextlib import contextmanager
from contextlib import suppress
from pathlib import Path
from typing import Any

import tomli_w

from microsite.config import load_config
from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.sealing import ServerKey
from microsite.services import Services
from microsite.services import build
from microsite.work import setup
from microsite.work.sync import sync_calendar
from tests.calendars.servers import Server as Calendars
from tests.calendars.servers import radicale
from tests.conftest import ROOT
from tests.flow.outside import Relay
from tests.flow.sockets import session
from tests.postgres import Server as Postgres
from tests.redis import Redis
from tests.redis import running_redis
from tests.waiting import free_port
from tests.waiting import wait_until

COACHES = ("rara", "sari")
HOURS = {day: ["00:00-24:00"] for day in ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")}
HOST = "localhost"


class Node:
    """One process of the installation, on a machine (folder) of its own. `kind` is web or worker."""

    def __init__(self, kind: str, folder: Path, environ: dict[str, str]) -> None:
        self.kind, self.folder, self.port = kind, folder, free_port()
        self.base = f"http://{HOST}:{self.port}"
        self.log = folder.with_suffix(".log")
        self.environ = {**os.environ, **environ, "MICROSITE_INSTANCE": str(folder), "PORT": str(self.port)}
        self.process: subprocess.Popen[bytes] | None = None

    def spawn(self) -> None:
        """Start it, and do not wait."""
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "microsite.cli", self.kind],
                cwd=ROOT,
                env=self.environ,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def start(self) -> "Node":
        """Start it, and wait until it serves, or runs jobs."""
        before = self._readies()
        self.spawn()
        wait_until(
            self.serves if self.kind == "web" else lambda: self._readies() > before, 120, f"a running {self.kind}"
        )
        return self

    def _readies(self) -> int:
        return self.log.read_text().count("the worker is ready") if self.log.exists() else 0

    def serves(self) -> bool:
        """Whether it answers; raises where it has ended."""
        assert self.process is not None
        assert self.process.poll() is None, self.log.read_text()[-3000:]
        try:
            with urllib.request.urlopen(f"{self.base}/healthz", timeout=2) as answer:
                return bool(answer.status == 200)
        except (urllib.error.URLError, ConnectionError, TimeoutError):
            return False

    def kill(self, all_of_it: bool = True) -> None:
        """SIGKILL: to everything at once, as when power fails, or to the process inside that does the work."""
        assert self.process is not None
        family = session(self.process.pid)
        for pid in family if all_of_it else [pid for pid in family if pid != self.process.pid][:1] or family:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if all_of_it:
            self.process.wait(60)

    def stop(self) -> int:
        """SIGTERM, as an operator or systemd does; the exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.terminate()
        try:
            return self.process.wait(60)
        finally:
            for pid in session(self.process.pid):
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)


class Cluster:
    """The whole installation, furnished with coaches and not started."""

    def __init__(self, folder: Path, database: str, keys: str, redis: Redis, calendars: Calendars) -> None:
        self.folder, self.redis, self.calendars = folder, redis, calendars
        self.relay = Relay()
        self.secrets = {
            "MICROSITE_DATABASE_URL": database,
            "MICROSITE_KEYRING_URL": keys,
            "MICROSITE_LIMITS_STORAGE": redis.url,
            "MICROSITE_SERVER_KEY": ServerKey.new().to_text().reveal(),
        }
        self.nodes: list[Node] = []
        self.names = {coach: calendars.new_calendar() for coach in COACHES}
        self.services = self._furnished()

    def settings(self, **more: dict[str, Any]) -> dict[str, Any]:
        """What is in the `config.toml` of each machine."""
        return {
            "site": {"address": f"http://{HOST}:8000"},
            "jobs": {"heartbeat": 1},
            "mail": {"host": "127.0.0.1", "port": self.relay.port, "security": "none", "sender": "halo@book.example"},
            "calendars": {"embedded": False, "allow_private_hosts": ["127.0.0.1"]},
            "limits": {"bookings": "100000 per hour", "tokens": "100000 per hour"},
            **more,
        }

    def machine(self, name: str, **more: dict[str, Any]) -> Path:
        """The instance folder of one machine."""
        folder = self.folder / name
        folder.mkdir(mode=0o700)
        (folder / "config.toml").write_text(tomli_w.dumps(self.settings(**more)))
        (folder / "config.toml").chmod(0o600)
        return folder

    def node(self, kind: str, **more: dict[str, Any]) -> Node:
        """One more process, on a machine of its own."""
        new = Node(kind, self.machine(f"{kind}{len(self.nodes)}", **more), self.secrets)
        self.nodes.append(new)
        return new

    def webs(self) -> list[Node]:
        """The web processes."""
        return [node for node in self.nodes if node.kind == "web"]

    def _furnished(self) -> Services:
        folder = self.machine("operator")
        services = build(load_config({**self.secrets, "MICROSITE_INSTANCE": str(folder)}))
        services.store.upgrade()
        offer = Offer(slug="sesi", title=Words(id="Sesi", en="Session"), minutes=30, step=30, notice=60)
        for coach in COACHES:
            _, recipient = services.sealer.new_identity()
            mail = f"{coach}@coach.example"
            settings = CoachSettings(name=coach.title(), email=mail, contact=mail, hours=HOURS, offers=[offer])
            setup.add_coach(services, coach, settings, recipient)
            account = self.calendars.account(self.names[coach])
            calendar = setup.add_calendar(
                services, coach, account.url, "Sesi", {"bookings", "busy"}, account.username, Secret(account.password)
            )
            sync_calendar(services, calendar, 20.0)
        setup.check_start(services)
        return services

    def close(self) -> None:
        """Stop everything."""
        threads = [threading.Thread(target=node.stop) for node in self.nodes if node.process is not None]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(120)
        self.services.close()
        self.relay.close()


@contextmanager
def cluster(folder: Path, postgres: Postgres) -> Iterator[Cluster]:
    """A furnished installation on databases of its own."""
    database, keys = postgres.create("migrated"), postgres.create()
    (folder / "radicale").mkdir()
    with ExitStack() as kept:
        redis = kept.enter_context(running_redis())
        calendars = kept.enter_context(radicale(folder / "radicale"))
        made = Cluster(folder, database, keys, redis, calendars)
        kept.callback(made.close)
        yield made
    for url in (database, keys):
        postgres.drop(url)
