"""How the gallery comes to each page of the desk: a coach with no, one or a dozen sessions, and what else is there."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

Step = Callable[[Page, Any, str], object]
DOZEN = 12
ASKING = {4: "awaiting-coach", 7: "frozen"}
CALENDARS = (("c1", "Pekerjaan", {"busy"}), ("c2", "Jam buka", {"open"}), ("c3", "Sesi", {"bookings"}))


def enter(page: Page, stage: Any, prefix: str) -> None:
    """Through the one-time link to the sessions."""
    page.goto(prefix + stage.desk_link())
    page.locator("main form button").click()
    page.locator("main[data-state='desk']").wait_for()


def at(path: str) -> Step:
    """A page of the desk."""

    def step(page: Page, stage: Any, prefix: str) -> None:
        enter(page, stage, prefix)
        page.goto(f"{prefix}/desk/{path}")

    return step


def with_sessions(number: int) -> Step:
    """The desk with so many sessions, two of them today where there are that many; two ask for something."""

    def step(page: Page, stage: Any, prefix: str) -> None:
        stage.now -= 8 * 3600  # before sunrise, so that there may be a session today
        for count in range(number):
            stage.book(name=f"Klien {count}")
        with stage.services.store.write() as tx:
            for count, booking in enumerate(sorted(tx.bookings.live("sari"), key=lambda each: each.start)):
                tx.bookings.change(booking, state=ASKING.get(count, "confirmed"))
        enter(page, stage, prefix)

    return step


def _errors(page: Page, stage: Any, prefix: str) -> None:
    at("settings")(page, stage, prefix)
    page.locator("#accent").fill("#ffee00")
    page.locator("[name='hours.monday']").fill("jam sembilan")
    page.locator("form.details > button").click()


def _wrong_picture(page: Page, stage: Any, prefix: str) -> None:
    at("settings")(page, stage, prefix)
    page.locator("#portrait").set_input_files({"name": "saya.jpg", "mimeType": "image/jpeg", "buffer": b"bukan foto"})
    page.locator(".likeness form button").first.click()
    page.locator("#portrait-error").wait_for()


def _signed_out(page: Page, stage: Any, prefix: str) -> None:
    at("settings")(page, stage, prefix)
    page.locator("#name").fill("Sari Dewi")
    stage.now += 13 * 3600
    page.locator("form.details > button").click()
    page.locator("main[data-state='desk-again']").wait_for()


def _signed_in_again(page: Page, stage: Any, prefix: str) -> None:
    _signed_out(page, stage, prefix)
    kept = page.url
    fields = page.locator("main form input").evaluate_all("all => all.map(each => [each.name, each.value])")
    enter(page, stage, prefix)
    page.goto(f"{prefix}/desk/settings")
    page.evaluate(
        """([to, fields]) => {
            const form = Object.assign(document.createElement("form"), {method: "post", action: to});
            const field = ([name, value]) => Object.assign(document.createElement("input"), {name, value});
            form.append(...fields.map(field));
            document.body.append(form);
            form.submit();
        }""",
        [kept, fields],
    )
    page.locator("main .notice[role='status']").wait_for()


def _calendars(page: Page, stage: Any, prefix: str) -> None:
    with stage.services.store.write() as tx:
        for name, title, roles in CALENDARS:
            tx.mirror.add_calendar(name, "sari", "https://dav.example/", title, roles, username="sari")
    at("calendars")(page, stage, prefix)


def _invitation(page: Page, stage: Any, prefix: str) -> None:
    at("invitations")(page, stage, prefix)
    page.locator("#label").fill("buletin November")
    page.locator("form.details button").click()
    page.locator(".notice.done").wait_for()


DESK: dict[str, Step] = {
    "desk-empty": enter,
    "desk-one": with_sessions(1),
    "desk-dozen": with_sessions(DOZEN),
    "desk-settings": at("settings"),
    "desk-settings-errors": _errors,
    "desk-portrait-error": _wrong_picture,
    "desk-again": _signed_out,
    "desk-again-shown": _signed_in_again,
    "desk-offer": at("offers/sesi"),
    "desk-offer-new": at("offers/new"),
    "desk-calendars": _calendars,
    "desk-calendars-none": at("calendars"),
    "desk-kept": at("kept"),
    "desk-keys": at("keys"),
    "desk-set-up": at("keys/new"),
    "desk-invitations": _invitation,
    "desk-enter": lambda page, stage, prefix: page.goto(prefix + stage.desk_link()),
    "desk-closed": lambda page, stage, prefix: page.goto(f"{prefix}/desk"),
}
