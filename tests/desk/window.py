"""A coach's browser with a passkey device in it, and what she does in it."""

import re
from typing import Any
from typing import NamedTuple

from playwright.sync_api import Browser

from microsite.core.availability import offer as offer_starts
from microsite.core.bookings import CONFIRMED
from microsite.core.bookings import CONFIRMING
from microsite.core.people import ClientDetails
from microsite.services import Services
from microsite.work import demo
from microsite.work import look
from microsite.work.book import book
from microsite.work.desk import new_link
from tests.conftest import Site
from tests.flow.backstage import backstage
from tests.flow.browser import Watched
from tests.waiting import PATIENCE
from tests.waiting import wait_until

DEVICE = {
    "protocol": "ctap2",
    "ctap2Version": "ctap2_1",
    "transport": "internal",
    "hasResidentKey": True,
    "hasUserVerification": True,
    "isUserVerified": True,
    "automaticPresenceSimulation": True,
}


class Sheet(NamedTuple):
    """What a coach has after she made her keys: the words in her head, the sheet of paper."""

    passphrase: str
    groups: list[str]
    code: str


class CoachWindow(Watched):
    """One window of the coach."""

    def __init__(self, browser: Browser, site: Site, passkeys: bool = True, prf: bool = True, **options: Any) -> None:
        super().__init__(browser, site.base, **options)
        self.site = site
        if passkeys:
            self.device = self.context.new_cdp_session(self.page)
            self.device.send("WebAuthn.enable")
            self.device.send("WebAuthn.addVirtualAuthenticator", {"options": {**DEVICE, "hasPrf": prf}})

    def enter(self) -> None:
        """A one-time link, as `microsite desk-link` prints it."""
        self.page.goto(desk_link(self.site))
        self.page.locator("main button[type=submit]").click()
        self.state("desk")

    def make_keys(self, earlier: str = "", passkey: bool = True) -> Sheet:
        """The first visit, or a change of keys, to its end."""
        page = self.page
        page.goto("/desk/keys/new")
        self.state("desk-set-up")
        if earlier:
            first = page.locator("[data-step=earlier]")
            if not first.locator("#identity").is_visible():
                first.locator("summary", has_text="pemulihan").click()
            first.locator("#identity").fill(earlier)
            first.locator("[data-open=identity] button").click()
        page.locator(f"[data-go={'make-passkey' if passkey else 'passphrase'}]").click()
        words = page.locator("#words")
        words.wait_for()
        passphrase = words.inner_text()
        page.locator("#again").fill(passphrase)
        page.locator("form[data-go=make-keys] button[type=submit]").click()
        page.locator("#sheet").wait_for()
        groups = page.locator("#sheet .groups li").all_inner_texts()
        code = page.locator("#sheet code").inner_text()
        page.locator("button[data-go=back]").click()
        for number, group in enumerate(groups[-4:]):
            page.locator(".groups-back input").nth(number).fill(group)
        page.locator("form[data-go=finish] button[type=submit]").click()
        self.state("desk")
        return Sheet(passphrase, groups, code)

    def sign_in(self) -> None:
        """One touch."""
        self.page.goto("/desk")
        self.page.locator("#passkey").click()
        self.state("desk")

    def sign_out(self) -> None:
        """The button at the top."""
        self.page.locator(".out button").click()
        self.state("desk-closed")

    def unlock(self, passphrase: str) -> None:
        """Type the passphrase."""
        self.page.locator("#passphrase").fill(passphrase)
        self.page.locator("[data-open=passphrase] button").click()

    def wait_for_names(self, number: int) -> None:
        """Wait until so many records are open."""
        self.page.wait_for_function(
            "number => Number(document.documentElement.dataset.opened) === number", arg=number, timeout=PATIENCE * 1000
        )

    def names(self) -> list[str]:
        """The names on the page."""
        return [text for text in self.page.locator("[data-name]").all_inner_texts() if text]


def desk_link(site: Site) -> str:
    """A fresh one-time link."""
    with backstage(site) as services:
        return f"{site.base}/desk/{new_link(services, demo.SLUG).reveal()}"


def hold(services: Services, number: int, name: str = "Klien") -> None:
    """So many sessions, booked as by visitors at the first times that are free, and confirmed by the running site.

    Rows put into the store without their jobs would not stay: within a minute the site takes up what stands still.
    """
    coach = look.coach(services, demo.SLUG)
    offer = coach.settings.offers[0]
    held = []
    for count in range(number):
        start = offer_starts(look.times(services, coach, offer))[0]
        details = ClientDetails(f"{name} {count}", f"klien{count}@example.com", "catatan " * 20)
        held.append(book(services, demo.SLUG, offer.slug, start, details, "id", "Asia/Jakarta").booking.id)

    def states() -> set[str]:
        with services.store.read() as tx:
            return {tx.bookings.need(booking_id).state for booking_id in held}

    wait_until(lambda: CONFIRMING not in states(), 240, "every booking settled")
    assert states() == {CONFIRMED}


def everything(site: Site) -> bytes:
    """Every byte of every file of the instance."""
    return b"".join(path.read_bytes() for path in sorted(site.instance.rglob("*")) if path.is_file())


def identities_lying_about(content: bytes) -> list[str]:
    """Every age identity that stands in the clear in some bytes."""
    return sorted({found.decode() for found in re.findall(rb"AGE-SECRET-KEY-1[0-9A-Z]{58}", content)})
