"""Every state of every page, and how to come to it. `tests/quality` draws them and puts them before its judges.

The site is the real application on a free port, with its clock standing still.
"""

import threading
from collections.abc import Callable
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from flask import abort
from playwright.sync_api import Page
from werkzeug.serving import make_server

from microsite.config import File
from microsite.config import Site
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.errors import StoreUnreadable
from microsite.work import portrait
from microsite.work import setup
from microsite.work.status import status_url
from tests import likeness

from .client_states import CLIENT
from .conftest import NO_CALENDARS
from .conftest import NOW
from .conftest import Pages
from .conftest import settings
from .desk_states import DESK

LANGUAGES = {"id": "", "en": "/en"}
THEMES = ("light", "dark")
SWAPS = "() => window.htmx && new Promise(done => setTimeout(() => done(true), 20))"
"""htmx comes after the first paint. A function, because the policy of the pages lets no string be evaluated later."""
Step = Callable[[Page, "Stage", str], object]


class Stage(Pages):
    """The pages' house behind a port."""

    def __init__(self, instance: Path) -> None:
        super().__init__(instance, File(site=Site(embed_hosts=["blog.example"]), calendars=NO_CALENDARS))
        for prefix in LANGUAGES.values():  # pages for what cannot be brought about by looking
            self.app.add_url_rule(f"{prefix}/x-<int:code>", f"refused{prefix}", view_func=abort)
            self.app.add_url_rule(f"{prefix}/x-unwell", f"unwell{prefix}", view_func=_be_unwell, methods=["POST"])

    @contextmanager
    def served(self) -> Iterator[str]:
        """Its address, while it is served by a thread."""
        self.app.config["TRUSTED_HOSTS"] = None
        server = make_server("127.0.0.1", 0, self.app, threaded=True)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()

    def settle(self, coach: CoachSettings) -> None:
        """Give the coach other settings."""
        with self.services.store.write() as tx:
            tx.coaches.save_settings("sari", coach)


def _be_unwell() -> str:
    raise StoreUnreadable("the disk is full", "site.db", "disk-full")


def go(path: str) -> Step:
    """Open a page."""
    return lambda page, stage, prefix: page.goto(prefix + path)


def _zone(page: Page, stage: Stage, prefix: str) -> None:
    page.goto(f"{prefix}/sari/sesi/?tz=Asia/Kathmandu&day=2026-11-26")


def _month(page: Page, stage: Stage, prefix: str) -> None:
    page.goto(f"{prefix}/sari/sesi/?tz=Asia/Jakarta")
    page.locator(".month summary").click()


def _next_month(page: Page, stage: Stage, prefix: str) -> None:
    _month(page, stage, prefix)
    page.wait_for_function(SWAPS)
    page.locator("#month-after").click()
    page.locator(".month caption:focus").wait_for()


def _offline(page: Page, stage: Stage, prefix: str) -> None:
    page.goto(f"{prefix}/sari/sesi/?tz=Asia/Jakarta")
    page.wait_for_function(SWAPS)
    page.context.set_offline(True)
    page.locator(".days a").last.click()
    page.locator("#live.notice").wait_for()


def _accent(page: Page, stage: Stage, prefix: str) -> None:
    stage.settle(settings(accent="#1d6b4a"))
    page.goto(f"{prefix}/sari/sesi/?tz=Asia/Jakarta")


def pictured(step: Step) -> Step:
    """The same with a portrait of the coach."""

    def pictured_step(page: Page, stage: Stage, prefix: str) -> None:
        portrait.keep(stage.services, "sari", likeness.draw())
        step(page, stage, prefix)

    return pictured_step


def _long_words(page: Page, stage: Stage, prefix: str) -> None:
    long = Words(id="Pertanggungjawabansebesarbesarnya " * 3, en="Incomprehensibilitiesandmore " * 3)
    offers = [Offer(slug="sesi", title=long, minutes=60, description=long, price=long)]
    stage.settle(settings(name="Kesinambungan Mempertanggungjawabkannya", sentence=long, offers=offers))
    page.goto(f"{prefix}/sari/")


def _no_times(page: Page, stage: Stage, prefix: str) -> None:
    stage.settle(settings(hours={}))
    page.goto(f"{prefix}/sari/sesi/")


def _unknown(page: Page, stage: Stage, prefix: str) -> None:
    with stage.services.store.write() as tx:
        tx.mirror.add_calendar("c1", "sari", "https://dav.example/", "Sesi", {"busy"}, username="sari")
    page.goto(f"{prefix}/sari/sesi/")


def _form(page: Page, stage: Stage, prefix: str) -> None:
    page.goto(f"{prefix}/sari/sesi/book?slot={stage.slots()[0]}&tz=Asia/Makassar")


def _errors(page: Page, stage: Stage, prefix: str) -> None:
    _form(page, stage, prefix)
    stage.now += 5
    page.locator("#name").fill("")
    page.locator("#email").fill("budi@")
    page.locator("form.details button").click()
    page.locator("#problem").wait_for()


def _quick(page: Page, stage: Stage, prefix: str) -> None:
    _form(page, stage, prefix)
    page.locator("#name").fill("Budi")
    page.locator("#email").fill("budi@example.com")
    page.locator("form.details button").click()
    page.locator("#problem").wait_for()


def _fill(page: Page, stage: Stage, prefix: str) -> None:
    _form(page, stage, prefix)
    stage.now += 5
    page.locator("#name").fill("Budi")
    page.locator("#email").fill("budi@example.com")
    page.locator("#note").fill("Saya ingin bicara tentang pekerjaan.")


def _form_unwell(page: Page, stage: Stage, prefix: str) -> None:
    _fill(page, stage, prefix)
    slot = stage.slots()[0]
    day = stage.services.config.instance / "day-keys" / f"{slot[:4]}-{slot[4:6]}-{slot[6:8]}"
    day.write_bytes(b"cut short")
    page.locator("form.details button").click()
    page.locator("#problem").wait_for()


def _unavailable(page: Page, stage: Stage, prefix: str) -> None:
    _fill(page, stage, prefix)
    page.evaluate("path => document.querySelector('form.details').action = path", f"{prefix}/x-unwell")
    page.locator("form.details button").click()
    page.locator("[data-state=unavailable]").wait_for()


def _taken(page: Page, stage: Stage, prefix: str) -> None:
    _form(page, stage, prefix)
    slot = stage.slots()[0]
    stage.now += 5
    stage.send({**stage.form(slot), "name": "Ani", "email": "ani@example.com"})
    page.locator("#name").fill("Budi")
    page.locator("#email").fill("budi@example.com")
    page.locator("#note").fill("Saya ingin bicara tentang pekerjaan.")
    page.locator("form.details button").click()
    page.locator("#problem").wait_for()


def state_of(state: str, **values: object) -> Step:
    """Book, put the booking in a state, and look at the client's page."""

    def step(page: Page, stage: Stage, prefix: str) -> None:
        page.goto(f"{prefix}{stage.book()}?tz=Asia/Makassar")
        if state != "confirming":
            stage.put_in_state(state, **values)
            page.goto(f"{prefix}/manage?tz=Asia/Makassar")

    return step


def _cancel(page: Page, stage: Stage, prefix: str) -> None:
    state_of("confirmed")(page, stage, prefix)
    page.locator(".cancel summary").click()


def _late(page: Page, stage: Stage, prefix: str) -> None:
    state_of("confirmed")(page, stage, prefix)
    stage.now += 40 * 3600
    page.goto(f"{prefix}/manage")


def _status(page: Page, stage: Stage, prefix: str) -> None:
    state_of("confirmed")(page, stage, prefix)
    language = "en" if prefix.endswith("/en") else "id"
    there = urlsplit(status_url(stage.services, stage.only_booking(), language))
    page.goto(prefix.removesuffix("/en") + there.path)


def _coaches(page: Page, stage: Stage, prefix: str) -> None:
    _, recipient = stage.services.sealer.new_identity()
    setup.add_coach(stage.services, "rara", settings(name="Rara"), recipient)
    page.goto(f"{prefix}/")


STATES: dict[str, Step] = {
    "coaches": _coaches,
    "offers": go("/sari/"),
    "portrait-offers": pictured(go("/sari/")),
    "portrait-times": pictured(go("/sari/sesi/?tz=Asia/Jakarta")),
    "portrait-privacy": pictured(go("/sari/privacy")),
    "portrait-desk": pictured(DESK["desk-settings"]),
    "times": go("/sari/sesi/?tz=Asia/Jakarta"),
    "times-kathmandu": _zone,
    "times-moved": go("/sari/sesi/?day=2026-12-01&tz=Asia/Nowhere"),
    "month": _month,
    "month-next": _next_month,
    "offline": _offline,
    "long-words": _long_words,
    "accent": _accent,
    "embed": go("/embed/sari/sesi"),
    "no-times": _no_times,
    "times-unknown": _unknown,
    "slot-gone": go("/sari/sesi/book?slot=20261125T013100Z&tz=Asia/Jakarta"),
    "form": _form,
    "form-errors": _errors,
    "form-quick": _quick,
    "form-unwell": _form_unwell,
    "unavailable": _unavailable,
    "taken": _taken,
    "confirming": state_of("confirming"),
    "confirmed": state_of("confirmed"),
    "awaiting-email": state_of("awaiting-email", hold_until=NOW + 1800),
    "awaiting-coach": state_of("awaiting-coach"),
    "frozen": state_of("frozen"),
    "declined": state_of("declined"),
    "expired": state_of("expired"),
    "failed": state_of("failed"),
    "cancelled": state_of("cancelled"),
    "cancel": _cancel,
    "late": _late,
    **CLIENT,
    "gone": go("/m/x"),
    "not-found": go("/siapa/"),
    "too-many": go("/x-429"),
    "failed-here": go("/x-500"),
    "foreign": go("/x-403"),
    "too-large": go("/x-413"),
    "status": _status,
    "privacy": go("/sari/privacy"),
    **DESK,
}
