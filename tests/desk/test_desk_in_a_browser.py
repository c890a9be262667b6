"""The desk in Chromium with a passkey device: enrol, sign in, open, lock, rotate; and what the server cannot do."""

import base64
import hashlib
import json
import subprocess
import time
from collections.abc import Callable
from collections.abc import Iterator
from pathlib import Path

import pyrage
import pytest
from playwright.sync_api import Browser

from microsite.errors import CannotOpen
from microsite.work import demo
from tests.conftest import Site
from tests.conftest import free_port
from tests.flow.backstage import backstage
from tests.flow.browser import NOTHING
from tests.waiting import wait_until

from .window import CoachWindow
from .window import Sheet
from .window import everything
from .window import hold
from .window import identities_lying_about

pytestmark = [pytest.mark.browser, pytest.mark.long]
TRIES = 5
QUIET = 0.5
"""Seconds that the same scrypt takes outside the browser where nothing else runs."""
Open = Callable[..., CoachWindow]


@pytest.fixture(name="home", scope="module")
def _home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """A site of this file's own: its coach makes and changes her keys."""
    running = Site(tmp_path_factory.mktemp("desk") / "instance", free_port()).start()
    yield running
    running.stop()


@pytest.fixture(name="window")
def _window(chromium: Browser, home: Site) -> Iterator[Open]:
    """Opens the coach's windows; none may have complained, asked anybody else, or kept anything."""
    opened: list[CoachWindow] = []

    def window(**options: object) -> CoachWindow:
        opened.append(CoachWindow(chromium, home, **options))
        return opened[-1]

    yield window
    assert [each.kept for each in opened] == [NOTHING for _ in opened]
    for each in opened:
        each.close()
    assert [each.complaints for each in opened] == [[] for _ in opened]
    assert [each.foreign for each in opened] == [[] for _ in opened]


@pytest.fixture(name="first", scope="module")
def _first(chromium: Browser, home: Site) -> Iterator[tuple[CoachWindow, Sheet]]:
    """After the first visit: fifty records that an earlier key held, sealed anew; the window is still open."""
    with backstage(home) as services:
        hold(services, 50)
    coach = CoachWindow(chromium, home)
    coach.enter()
    sheet = coach.make_keys(earlier=(home.instance / "demo-identity.txt").read_text())
    coach.wait_for_names(50)
    yield coach, sheet
    coach.close()


def records(home: Site) -> list[bytes]:
    """Every sealed record of the coach."""
    with backstage(home) as services, services.store.read() as tx:
        return [sealed for _, sealed in tx.bookings.records(demo.SLUG)]


def opens(identity: str, sealed: bytes) -> bool:
    """Whether an identity opens a record."""
    try:
        pyrage.decrypt(sealed, [pyrage.x25519.Identity.from_str(identity)])
    except pyrage.DecryptError:
        return False
    return True


def test_the_first_visit_ends_at_the_desk_with_every_record_open(first: tuple[CoachWindow, Sheet]) -> None:
    coach, sheet = first
    assert "Klien 0" in coach.names()
    assert len(sheet.passphrase.split()) == 6
    assert len(" ".join(sheet.groups).split()) == 24
    assert coach.complaints == []


def test_what_an_earlier_key_held_it_no_longer_opens(first: tuple[CoachWindow, Sheet], home: Site) -> None:
    (earlier,) = identities_lying_about((home.instance / "demo-identity.txt").read_bytes())
    assert not any(opens(earlier, sealed) for sealed in records(home))
    with backstage(home) as services, services.store.read() as tx:
        assert [row.kind for row in tx.keys.living(demo.SLUG)] == ["everyday", "recovery"]


def test_with_every_file_of_the_server_nobody_opens_a_record(first: tuple[CoachWindow, Sheet], home: Site) -> None:
    content = everything(home)
    sealed = records(home)
    secrets = [path.read_bytes() for path in (home.instance / "day-keys").iterdir() if path.stat().st_size == 32]
    secrets += [bytes.fromhex(line) for line in (home.instance / "server.key").read_text().split()]
    found = [pyrage.x25519.Identity.from_str(text) for text in identities_lying_about(content)]
    assert len(sealed) == 50
    assert found, "the demo's identity lies there, and was retired"
    for record in sealed:
        with pytest.raises(pyrage.DecryptError):
            pyrage.decrypt(record, found)
    for words in (first[1].code, first[1].passphrase, " ".join(first[1].groups)):
        assert words.encode() not in content
    with backstage(home) as services, pytest.raises(CannotOpen):
        services.sealer.open_delivery(
            services.sealer.key_days()[0] if services.sealer.key_days() else "", "x", sealed[0]
        )
    assert not any(secret in record for secret in secrets for record in sealed)


def test_the_recovery_sheet_opens_everything_with_the_plain_age_tool(
    first: tuple[CoachWindow, Sheet], home: Site, tmp_path: Path
) -> None:
    (tmp_path / "sheet.txt").write_text(f"{first[1].code}\n")
    for record in records(home)[:5]:
        done = subprocess.run(
            ["age", "-d", "-i", str(tmp_path / "sheet.txt")], input=record, capture_output=True, check=True
        )
        assert json.loads(done.stdout)["name"].startswith("Klien")
        assert len(done.stdout) % 1024 == 0
    assert all(opens(first[1].code, record) for record in records(home))


def test_one_touch_signs_in_and_opens(first: tuple[CoachWindow, Sheet]) -> None:
    coach, _ = first
    coach.sign_out()
    coach.sign_in()
    coach.wait_for_names(50)
    assert len(coach.names()) == 50


def test_the_passphrase_unlocks_within_three_seconds_and_fifty_records_open_within_one(
    first: tuple[CoachWindow, Sheet],
) -> None:
    """The best of some times: a machine that stands still for a second has it in one of them, a slow page in all."""
    coach, sheet = first
    coach.page.goto("/desk")
    coach.state("desk")
    assert coach.names() == []
    whole = best(TRIES, 3, lambda: timed(coach, lambda: coach.unlock(sheet.passphrase.upper().replace(" ", "  "))))
    opened = best(TRIES, 1, lambda: timed(coach, coach.page.locator("[data-open=passkey]").click))
    print(f"unlocked by passphrase in {whole:.2f} s, fifty records by passkey in {opened:.2f} s of a quiet machine")
    assert whole < 3
    assert opened < 1


def best(tries: int, enough: float, measure: Callable[[], float]) -> float:
    """The least of at most so many measurements; one that is below `enough` is the last."""
    least = measure()
    while least >= enough and (tries := tries - 1):
        least = min(least, measure())
    return least


def timed(coach: CoachWindow, unlock: Callable[[], None]) -> float:
    """Seconds of a quiet machine from unlocking until all names are there; then the desk is locked again."""
    begun = time.monotonic()
    unlock()
    coach.wait_for_names(50)
    took = time.monotonic() - begun
    coach.page.locator("[data-lock]").click()
    wait_until(lambda: coach.names() == [], what="a locked desk")
    return took / slowness()


def slowness() -> float:
    """How much slower than a quiet machine this one is just now, at least 1: promised are seconds on a quiet one."""
    begun = time.monotonic()
    hashlib.scrypt(b"", salt=b"", n=1 << 17, r=8, p=1, maxmem=1 << 28)
    return max(1.0, 2 * (time.monotonic() - begun) / QUIET)


def test_a_wrong_passphrase_opens_nothing_and_says_so(first: tuple[CoachWindow, Sheet]) -> None:
    coach, _ = first
    coach.page.goto("/desk")
    coach.unlock("these are not the right words")
    coach.page.locator("#vault [data-wrong]").wait_for()
    assert coach.names() == []


def test_it_locks_by_itself_after_fifteen_minutes_and_when_it_is_left(
    window: Open, first: tuple[CoachWindow, Sheet]
) -> None:
    sheet = first[1]
    coach = window(passkeys=False)
    coach.page.clock.install()
    coach.enter()
    coach.unlock(sheet.passphrase)
    coach.wait_for_names(50)
    coach.page.clock.fast_forward("14:00")
    coach.page.mouse.click(5, 5)
    coach.page.clock.fast_forward("14:00")
    assert len(coach.names()) == 50
    coach.page.clock.fast_forward("01:01")
    assert coach.names() == []
    assert "@example.com" not in coach.page.content()
    coach.unlock(sheet.passphrase)
    coach.wait_for_names(50)
    coach.page.goto("/desk/kept")
    coach.page.go_back()
    coach.state("desk")
    assert "@example.com" not in coach.page.content()


def test_a_form_sent_from_the_open_desk_keeps_it_open(first: tuple[CoachWindow, Sheet], window: Open) -> None:
    coach = window(passkeys=False)
    coach.enter()
    coach.unlock(first[1].passphrase)
    coach.wait_for_names(50)
    row = coach.page.locator("li[data-ref]").first
    ref = row.get_attribute("data-ref")
    row.locator(".more summary").first.click()
    row.locator(".sure summary", has_text="Batalkan").click()
    row.locator("form[action='/desk/cancel'] button").click()
    coach.page.locator(f".past li[data-ref='{ref}']").wait_for(state="attached")
    coach.wait_for_names(50)
    assert len([request for request in coach.asked if request.is_navigation_request()]) == 3


def test_the_recovery_words_sign_in_on_a_new_device_and_open(first: tuple[CoachWindow, Sheet], window: Open) -> None:
    coach = window(passkeys=False)
    coach.page.goto("/en/desk")
    coach.state("desk-closed")
    coach.page.locator(".other-ways summary").first.click()
    coach.page.locator("form[action='/en/desk/key'] button").click()
    coach.state("desk-key")
    coach.page.locator("#identity").fill(" / ".join(first[1].groups).upper())
    coach.page.locator("[data-open=identity] button").click()
    coach.state("desk")
    coach.wait_for_names(50)


def test_a_challenge_from_another_site_is_not_answered(first: tuple[CoachWindow, Sheet], window: Open) -> None:
    coach = window(passkeys=False)
    coach.page.goto("/desk")
    coach.page.locator(".other-ways summary").first.click()
    coach.page.locator("form[action='/desk/key'] button").click()
    coach.state("desk-key")
    recipient = str(pyrage.x25519.Identity.from_str(first[1].code).to_public())
    text = b"microsite desk sign-in/1\nhttps://evil.example\nsecret\n"
    sealed = pyrage.encrypt(text, [pyrage.x25519.Recipient.from_str(recipient)])
    coach.page.evaluate(
        "text => { document.getElementById('key').dataset.sealed = text }", base64.b64encode(sealed).decode()
    )
    posts = len(coach.asked)
    coach.page.locator("#identity").fill(first[1].code)
    coach.page.locator("[data-open=identity] button").click()
    coach.page.locator("[data-wrong]:visible").wait_for()
    assert [request.method for request in coach.asked[posts:] if request.method == "POST"] == []


def test_names_and_notes_are_put_on_the_page_as_text(
    first: tuple[CoachWindow, Sheet], window: Open, home: Site
) -> None:
    with backstage(home) as services:
        hold(services, 1, name="<img src=x onerror=alert(1)>")
    coach = window(passkeys=False)
    coach.enter()
    coach.unlock(first[1].passphrase)
    coach.wait_for_names(51)
    assert "<img src=x onerror=alert(1)> 0" in coach.names()
    assert coach.page.locator("main img").count() == 0


def test_changing_the_keys_retires_the_old_passphrase_and_the_old_sheet(
    first: tuple[CoachWindow, Sheet], home: Site
) -> None:
    coach, old = first
    coach.page.goto("/desk")
    if coach.page.locator("main[data-state=desk-closed]").count():
        coach.sign_in()
    new = coach.make_keys(earlier=" ".join(old.groups), passkey=False)
    coach.wait_for_names(51)
    assert not any(opens(old.code, sealed) for sealed in records(home))
    assert all(opens(new.code, sealed) for sealed in records(home))
    coach.page.goto("/desk")
    coach.unlock(old.passphrase)
    coach.page.locator("#vault [data-wrong]").wait_for()
    coach.unlock(new.passphrase)
    coach.wait_for_names(51)
    coach.sign_out()
    coach.sign_in()
    coach.wait_for_names(51)
    assert coach.complaints == []


def weight(coach: CoachWindow) -> dict[str, int]:
    """The scripts that a window loaded so far, each once, with its bytes as they were sent."""
    scripts = {answer.url: answer for answer in coach.answers if answer.url.endswith(".js")}
    return {url.rsplit("/", 1)[1]: int(answer.header_value("content-length") or 0) for url, answer in scripts.items()}


def test_the_first_visit_with_worker_words_and_code_weighs_at_most_sixty_kilobytes(
    first: tuple[CoachWindow, Sheet],
) -> None:
    sizes = weight(first[0])
    assert {"desk.js", "unlock-worker.js", "set-up.js", "sessions.js", "vault.js", "words.js", "qr.js"} <= set(sizes)
    assert all(sizes.values())
    assert sum(sizes.values()) <= 60_000, sizes


PAGES = ("", "/invitations", "/settings", "/offers/new", "/calendars", "/kept", "/keys", "/keys/new")


@pytest.mark.parametrize("path", PAGES)
def test_no_page_of_the_desk_weighs_more_than_sixty_kilobytes(
    first: tuple[CoachWindow, Sheet], window: Open, path: str
) -> None:
    coach = window(passkeys=False)
    coach.enter()
    coach.page.wait_for_load_state("networkidle")
    before = len(coach.answers)
    coach.page.goto(f"/desk{path}")
    coach.page.wait_for_load_state("networkidle")
    if not path:
        coach.unlock(first[1].passphrase)
        coach.page.locator("#vault [data-wrong]:visible, #vault [data-lock]:visible").first.wait_for()
    coach.answers[:] = coach.answers[before:]
    sizes = weight(coach)
    assert sum(sizes.values()) <= 60_000, sizes
    assert bool(sizes) == (path in {"", "/keys", "/keys/new"})


def test_the_door_weighs_at_most_sixty_kilobytes(window: Open) -> None:
    coach = window()
    coach.page.goto("/desk")
    coach.state("desk-closed")
    assert 0 < sum(weight(coach).values()) <= 60_000
