"""A real operator's set-up: a coach whose calendars are on a server elsewhere, and a mail relay."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC
from datetime import datetime
from datetime import timedelta
from pathlib import Path

import tomli_w

from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.work import setup
from microsite.work import stalled
from tests.conftest import Site
from tests.conftest import free_port
from tests.flow.backstage import backstage
from tests.flow.coach import CalendarApp
from tests.flow.outside import USER
from tests.flow.outside import Proxy
from tests.flow.outside import Relay
from tests.flow.outside import make_calendar
from tests.flow.outside import radicale
from tests.flow.visitor import Page
from tests.flow.visitor import Visitor
from tests.flow.visitor import slots_from

COACH, OFFER = "rara", "/rara/sesi/"
EMAIL = "rara@example.org"
ROLES = {"open": {"open"}, "bookings": {"bookings", "busy"}}


class Practice:
    """A site, its outside world, and who uses it. `app` speaks to the calendar server past the proxy."""

    def __init__(self, site: Site, proxy: Proxy, relay: Relay, app: CalendarApp) -> None:
        self.site, self.proxy, self.relay, self.app = site, proxy, relay, app

    def booking_visitor(self) -> tuple[Visitor, Page]:
        """A visitor who has a form open."""
        visitor = Visitor(self.site.base)
        return visitor, visitor.form(OFFER, slots_from(visitor, OFFER, 3)[0])

    def look_after_coaches(self) -> None:
        """What the site does by itself every minute."""
        with backstage(self.site) as services:
            stalled.take_up(services)

    def failing(self) -> bool:
        """Whether every calendar is known not to answer."""
        with backstage(self.site) as services, services.store.read() as tx:
            return all(row.first_failed_at for row in tx.mirror.calendars(COACH))

    def age_failures(self, seconds: int) -> None:
        """Let the calendars have failed for so much longer."""
        with backstage(self.site) as services, services.store.write() as tx:
            for row in tx.mirror.calendars(COACH):
                if row.first_failed_at:
                    tx.mirror.touch(row.id, first_failed_at=row.first_failed_at - seconds)

    def end_holds(self) -> None:
        """Let the minutes for which an unreachable calendar keeps a time be over."""
        with backstage(self.site) as services, services.store.write() as tx:
            for booking in tx.bookings.live(COACH):
                tx.bookings.change(booking, hold_until=int(time.time()) - 1)


@contextmanager
def practice(folder: Path) -> Iterator[Practice]:
    """Everything running."""
    (folder / "collections").mkdir()
    with radicale(folder / "collections") as port:
        proxy, relay = Proxy(port), Relay()
        site = Site(folder / "instance", free_port())
        paths = {name: make_calendar(port, name) for name in ROLES}
        app = CalendarApp(f"http://127.0.0.1:{port}/{USER}/", USER, "x")
        _open_hours(app)
        _set_up(site, proxy, relay, paths)
        try:
            yield Practice(site.start(), proxy, relay, app)
        finally:
            app.close()
            proxy.let_go()
            site.stop()
            proxy.close()
            relay.close()


def _open_hours(app: CalendarApp) -> None:
    """Nine to noon in Jakarta, for two weeks."""
    today = datetime.now(UTC).replace(hour=2, minute=0, second=0, microsecond=0)
    for days in range(14):
        start = today + timedelta(days=days)
        app.add("open", "Buka", start, start + timedelta(hours=3))


def _set_up(site: Site, proxy: Proxy, relay: Relay, paths: dict[str, str]) -> None:
    """What `microsite init` does, with the answers written down."""
    document = {
        "site": {"address": site.base},
        "mail": {"host": "127.0.0.1", "port": relay.port, "security": "none", "sender": "halo@example.org"},
        "calendars": {"embedded": False, "allow_private_hosts": ["127.0.0.1"]},
    }
    site.instance.mkdir(mode=0o700)
    (site.instance / "config.toml").write_text(tomli_w.dumps(document))
    (site.instance / "config.toml").chmod(0o600)
    with backstage(site) as services:
        services.store.upgrade()
        _, recipient = services.sealer.new_identity()
        offer = Offer(slug="sesi", title=Words(id="Sesi", en="Session"), minutes=60)
        settings = CoachSettings(name="Rara", email=EMAIL, contact=EMAIL, offers=[offer])
        setup.add_coach(services, COACH, settings, recipient)
        for name, path in paths.items():
            setup.add_calendar(services, COACH, proxy.url + path, name, ROLES[name], USER, Secret("x"))


def until_offered(site: Site) -> None:
    """Wait until the calendars were read for the first time and times are offered."""
    deadline = time.monotonic() + 90
    while Visitor(site.base).get(OFFER).status != 200:
        assert time.monotonic() < deadline, "no times are offered"
        threading.Event().wait(0.1)
