"""The visitor's form: sealed before it leaves where the browser can, on arrival where it cannot, and it says which."""

import json
import urllib.parse
from collections.abc import Callable
from collections.abc import Iterator
from typing import Any

import pyrage
import pytest
from playwright.sync_api import Browser
from playwright.sync_api import Request

from microsite.core.people import Record
from microsite.core.people import Secret
from microsite.work import demo
from microsite.work.terms import current
from tests.conftest import Site
from tests.flow.backstage import backstage
from tests.flow.browser import NOTHING
from tests.flow.browser import Watched

pytestmark = [pytest.mark.browser, pytest.mark.long]
Open = Callable[..., Watched]
NAME, NOTE = "Rahasia Namaku", "catatan yang sangat rahasia \u2026 \U0001f512"


@pytest.fixture(name="window")
def _window(chromium: Browser, site: Site) -> Iterator[Open]:
    """Opens visitors' windows; none may have complained or asked anybody else."""
    opened: list[Watched] = []

    def window(**options: object) -> Watched:
        opened.append(Watched(chromium, site.base, **options))
        return opened[-1]

    yield window
    for each in opened:
        each.close()
    assert [each.complaints for each in opened] == [[] for _ in opened]
    assert [each.foreign for each in opened] == [[] for _ in opened]


def to_form(visitor: Watched, prefix: str = "") -> None:
    """From the picker to the form of the first free slot."""
    visitor.page.goto(f"{prefix}/sari/percakapan-pertama/")
    visitor.page.locator("main a[data-slot]").first.click()
    visitor.state("form")


def posted(visitor: Watched) -> list[Request]:
    """What was posted to the form's address."""
    return [each for each in visitor.asked if each.method == "POST" and each.url.endswith("/book")]


def sent(request: Request) -> dict[str, str]:
    """The fields of a post."""
    return dict(urllib.parse.parse_qsl(request.post_data or "", keep_blank_values=True))


def asked_for(visitor: Watched, name: str) -> bool:
    """Whether the browser loaded that file."""
    return any(each.url.endswith(name) for each in visitor.asked)


def record_of(site: Site, ref: str) -> tuple[Record, Any, bytes]:
    """The coach's record of a booking, opened with the demo's key; its sealed parts; its plain text."""
    identity = (site.instance / "demo-identity.txt").read_text()
    with backstage(site) as services:
        with services.store.read() as tx:
            booking = tx.bookings.by_ref(demo.SLUG, ref)
            assert booking is not None
            sealed = tx.bookings.sealed(booking.id)
        keys = services.sealer.identities_in(Secret(identity))
        plain = pyrage.decrypt(sealed.record, [pyrage.x25519.Identity.from_str(keys[0].reveal())])
        return services.sealer.open_record(sealed.record, keys), sealed, plain


def current_version(site: Site) -> str:
    """The version of the demo coach's privacy page."""
    with backstage(site) as services:
        return current(services, demo.SLUG).version


def reference(visitor: Watched) -> str:
    """The reference on the client's page."""
    return visitor.page.locator(".ref b").first.inner_text()


def booked(visitor: Watched, **typed: str) -> str:
    """Fill in the form and send it; answers the reference."""
    visitor.fill_in(**{"name": NAME, "email": "sealed@example.com", "note": NOTE, **typed})
    visitor.submit("/book")
    visitor.state("confirmed")
    return reference(visitor)


def test_name_and_note_leave_the_browser_sealed(window: Open, site: Site) -> None:
    visitor = window()
    to_form(visitor)
    ref = booked(visitor)
    (request,) = posted(visitor)
    fields = sent(request)
    assert "ahasia" not in urllib.parse.unquote_plus(request.post_data or "")
    assert (fields["name"], fields["note"], fields["email"]) == ("", "", "sealed@example.com")
    record, sealed, plain = record_of(site, ref)
    assert record.details.reveal() == (NAME, "sealed@example.com", NOTE)
    assert record.consent_version == current_version(site)
    assert sealed.copy is None
    assert sealed.delivery is not None
    assert len(plain) % 1024 == 0
    assert (
        plain
        == json.dumps(json.loads(plain), separators=(",", ":"), ensure_ascii=False, sort_keys=True)
        .encode()
        .ljust(len(plain) - 1)
        + b"\n"
    )
    assert visitor.kept == NOTHING


def test_what_it_seals_with_is_loaded_when_the_form_is_touched_and_never_on_the_picker(window: Open) -> None:
    visitor = window()
    to_form(visitor)
    assert not asked_for(visitor, "seal.js")
    assert visitor.page.locator("[data-unsealed]").is_visible()
    assert "begitu tiba" in visitor.page.locator(".sealed").inner_text()
    visitor.page.locator("#name").focus()
    visitor.page.locator("[data-sealed]").first.wait_for()
    assert asked_for(visitor, "seal.js")
    assert "di browsermu sebelum dikirim" in visitor.page.locator(".sealed").inner_text()
    assert not visitor.page.locator("[data-unsealed]").is_visible()


def test_without_javascript_it_is_sealed_on_arrival_and_the_sentence_says_so(window: Open, site: Site) -> None:
    visitor = window(java_script_enabled=False)
    to_form(visitor)
    assert "begitu tiba" in visitor.page.locator(".sealed").inner_text()
    assert "sebelum dikirim" not in visitor.page.locator(".sealed").inner_text()
    visitor.fill_in(name=NAME, email="plain@example.com", note=NOTE)
    visitor.submit("/book")
    visitor.page.locator(".ref b").wait_for()
    record, sealed, _ = record_of(site, reference(visitor))
    assert record.details.reveal() == (NAME, "plain@example.com", NOTE)
    assert sealed.copy is not None


@pytest.mark.parametrize(
    ("typed", "field", "said"),
    [
        ({"email": "wrong"}, "email", "Bentuknya"),
        ({"name": " "}, "name", "nama"),
        ({"note": "x\u202ey"}, "note", ""),
    ],
)
def test_a_refused_form_comes_back_with_all_that_was_typed_and_the_server_never_saw_it(
    window: Open, typed: dict[str, str], field: str, said: str
) -> None:
    visitor = window()
    to_form(visitor)
    visitor.fill_in(**{"name": NAME, "email": "sealed@example.com", "note": NOTE, **typed})
    visitor.submit("/book")
    visitor.page.locator("#problem").wait_for()
    assert visitor.page.locator(f"#{field}-error").count() == 1
    assert said in visitor.page.locator(f"#{field}-error").inner_text()
    expected = {
        "name": NAME,
        "note": NOTE,
        **{name: text.strip().replace("\u202e", "") for name, text in typed.items()},
    }
    for name in ("name", "note"):
        assert visitor.page.locator(f"#{name}").input_value() == expected[name]
    for request in posted(visitor):
        assert "ahasia" not in urllib.parse.unquote_plus(request.post_data or "")
    visitor.complaints = [each for each in visitor.complaints if "422" not in each]
    booked(visitor)


def test_a_form_that_stood_open_while_the_coach_changed_her_keys_is_sealed_anew(window: Open, site: Site) -> None:
    visitor = window()
    to_form(visitor)
    visitor.page.locator("[name=sealed_for]").evaluate("field => { field.value = 'earlier keys' }")
    visitor.fill_in(name=NAME, email="sealed@example.com", note=NOTE)
    visitor.submit("/book")
    visitor.page.locator("#problem").wait_for()
    assert visitor.page.locator("#note").input_value() == NOTE
    visitor.complaints = [each for each in visitor.complaints if "422" not in each]
    ref = booked(visitor)
    assert record_of(site, ref)[0].details.reveal().name == NAME


def test_the_clients_page_says_that_only_the_coach_reads_it_and_can_replace_or_take_it_out(
    window: Open, site: Site
) -> None:
    visitor = window()
    to_form(visitor)
    ref = booked(visitor)
    visitor.page.goto("/manage/written")
    visitor.state("written")
    assert "ahasia" not in visitor.page.content()
    visitor.fill_in(name="Nama Baru", email="", note="yang baru")
    visitor.page.locator("form.details button[type=submit]").click()
    visitor.state("confirmed")
    record, sealed, _ = record_of(site, ref)
    assert record.details.reveal() == ("Nama Baru", "", "yang baru")
    assert sealed.copy is None
    assert "Nama" not in "".join(urllib.parse.unquote_plus(each.post_data or "") for each in visitor.asked)
    visitor.page.goto("/manage/written")
    visitor.page.locator("details.cancel summary").click()
    visitor.page.locator("details.cancel button").click()
    visitor.state("confirmed")
    with backstage(site) as services, services.store.read() as tx:
        booking = tx.bookings.by_ref(demo.SLUG, ref)
        assert booking is not None
        assert tx.bookings.sealed(booking.id).record is None


def test_a_browser_that_cannot_seal_after_all_says_so_before_anything_leaves(window: Open) -> None:
    """It had said that the words are sealed in the browser: then they must not go open without another word."""
    visitor = window()
    to_form(visitor)
    visitor.fill_in(name=NAME, email="broken@example.com", note=NOTE)
    visitor.page.locator("[data-sealed]").wait_for()
    visitor.page.evaluate("document.querySelector('input[name=sealed]').dataset.recipients = 'age1nonsense'")
    visitor.page.locator("form.details button[type=submit]").click()
    visitor.page.locator("#live", has_text="tidak bisa menyegel").wait_for()
    assert posted(visitor) == []
    assert visitor.page.locator("[data-unsealed]").is_visible()
    assert not visitor.page.locator("[data-sealed]").is_visible()
    visitor.submit("/book")
    visitor.state("confirmed")
    (request,) = posted(visitor)
    assert sent(request)["name"] == NAME
