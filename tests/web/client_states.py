"""How the gallery comes to each of the client's own pages: books, lets something happen, and looks."""

from collections.abc import Callable
from typing import Any

from playwright.sync_api import Page

from microsite.core.letters import MOVED_BY_CLIENT
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.work import wishes

from .conftest import NOW
from .conftest import Pages
from .conftest import settings

Step = Callable[[Page, Any, str], object]
ZONE = "?tz=Asia/Makassar"
LATER = "20261207T010000Z"


def booked(state: str, **values: Any) -> Step:
    """The client's page of a booking in a state."""

    def step(page: Page, stage: Pages, prefix: str) -> None:
        page.goto(f"{prefix}{stage.book()}{ZONE}")
        stage.put_in_state(state, **values)
        page.goto(f"{prefix}/manage{ZONE}")

    return step


def then(first: Step, path: str) -> Step:
    """The same, and on to another page."""

    def step(page: Page, stage: Pages, prefix: str) -> None:
        first(page, stage, prefix)
        page.goto(f"{prefix}{path}")

    return step


def pressed(first: Step, action: str) -> Step:
    """The same, and the button of a form."""

    def step(page: Page, stage: Pages, prefix: str) -> None:
        first(page, stage, prefix)
        for room in page.locator("details.room summary").all():
            room.click()
        page.locator(f'form[action*="{action}"] button').first.click()

    return step


def opened(first: Step) -> Step:
    """The same, with every part of the page unfolded."""

    def step(page: Page, stage: Pages, prefix: str) -> None:
        first(page, stage, prefix)
        for room in page.locator("details.room summary").all():
            room.click()

    return step


def _verify(page: Page, stage: Pages, prefix: str) -> None:
    stage.book()
    stage.put_in_state("awaiting-email", hold_until=NOW + 1800)
    page.goto(f"{prefix}/m/{stage.another_link('verify')}{ZONE}")


def _later_link(page: Page, stage: Pages, prefix: str) -> None:
    stage.book()
    stage.put_in_state("confirmed")
    page.goto(f"{prefix}/m/{stage.another_link('manage')}{ZONE}")
    page.goto(f"{prefix}/manage/yours")


def _moved(page: Page, stage: Pages, prefix: str) -> None:
    page.goto(f"{prefix}{stage.book()}{ZONE}")
    stage.put_in_state("confirmed", client_seq=1)
    booking = stage.only_booking()
    with stage.services.store.write() as tx:
        tx.happenings.note("sari", booking.ref, stage.now, MOVED_BY_CLIENT)
    page.goto(f"{prefix}/manage{ZONE}")


def _moving(page: Page, stage: Pages, prefix: str) -> None:
    page.goto(f"{prefix}{stage.book()}{ZONE}")
    start = stage.only_booking().start + 86400
    stage.put_in_state("confirmed", pending_start=start, pending_end=start + 3600, hold_until=NOW + 300)
    page.goto(f"{prefix}/manage{ZONE}")


def _move_taken(page: Page, stage: Pages, prefix: str) -> None:
    booked("confirmed")(page, stage, prefix)
    page.goto(f"{prefix}/manage/move?slot=20261127T010000Z&tz=Asia/Makassar")


def _no_mail(state: str) -> Step:
    def step(page: Page, stage: Pages, prefix: str) -> None:
        answer = stage.send({**stage.form(offer="diam"), "name": "Budi", "email": ""}, offer="diam")
        page.goto(f"{prefix}{answer.headers['Location']}{ZONE}")
        stage.put_in_state(state)
        page.goto(f"{prefix}/manage{ZONE}")

    return step


def _over(page: Page, stage: Pages, prefix: str) -> None:
    booked("confirmed")(page, stage, prefix)
    stage.now = stage.only_booking().end + 60
    page.goto(f"{prefix}/manage")


def _too_often(page: Page, stage: Pages, prefix: str) -> None:
    booked("confirmed")(page, stage, prefix)
    booking = stage.only_booking()
    for _ in range(wishes.MOST_AGAIN):
        wishes.send_again(stage.services, booking.id, booking.ref)
    pressed(lambda *_: page.goto(f"{prefix}/manage{ZONE}"), "again")(page, stage, prefix)


def _too_late(page: Page, stage: Pages, prefix: str) -> None:
    booked("confirmed")(page, stage, prefix)
    stage.now = stage.only_booking().start - 3600
    page.goto(f"{prefix}/manage/move")


def _correction_errors(page: Page, stage: Pages, prefix: str) -> None:
    then(booked("confirmed"), "/manage/yours")(page, stage, prefix)
    page.locator("#email").fill("budi@")
    page.locator("form.details button").click()
    page.locator("#problem").wait_for()


def _not_invited(page: Page, stage: Any, prefix: str) -> None:
    stage.settle(settings(offers=[Offer(slug="sesi", title=Words(id="Sesi"), minutes=60, invited=True)]))
    page.goto(f"{prefix}/sari/sesi/")


def _pause(page: Page, stage: Any, prefix: str) -> None:
    for _ in range(61):
        stage.get("/m/x")
    page.goto(f"{prefix}/m/x")


CLIENT: dict[str, Step] = {
    "client-verify": _verify,
    "client-awaiting-coach": booked("awaiting-coach", hold_until=NOW + 36 * 3600),
    "client-moved": _moved,
    "client-moving": _moving,
    "client-move-failed": booked("confirmed", reason="move-failed"),
    "client-failed": booked("failed"),
    "client-over": _over,
    "client-open": opened(booked("confirmed")),
    "client-no-mail": _no_mail("confirmed"),
    "client-no-mail-cancelled": _no_mail("cancelled"),
    "client-no-mail-form": lambda page, stage, prefix: page.goto(
        f"{prefix}/sari/diam/book?slot={stage.slots('/sari/diam/')[0]}"
    ),
    "client-times": then(booked("confirmed"), "/manage/move?tz=Asia/Makassar"),
    "client-times-taken": _move_taken,
    "client-move": then(booked("confirmed"), f"/manage/move?slot={LATER}&tz=Asia/Makassar"),
    "client-too-late": _too_late,
    "client-sent": pressed(booked("confirmed"), "again"),
    "client-too-often": _too_often,
    "client-feed": pressed(booked("confirmed"), "feed"),
    "client-yours": then(booked("confirmed"), "/manage/yours"),
    "client-yours-errors": _correction_errors,
    "client-yours-later": _later_link,
    "client-corrected": pressed(then(booked("confirmed"), "/manage/yours"), "yours"),
    "client-erase": then(booked("confirmed"), "/manage/erase"),
    "client-erased": pressed(then(booked("confirmed"), "/manage/erase"), "erase"),
    "not-invited": _not_invited,
    "pause": _pause,
}
