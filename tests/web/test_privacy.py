"""The privacy page says what the settings are: a setting must be on it, or be known to be none of its business.

Its version is that of its content, and every sealed record names the one it was written under.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from microsite import config
from microsite.core.people import Secret
from microsite.core.settings import CoachSettings
from microsite.core.settings import Offer
from microsite.core.settings import Words
from microsite.core.terms import Terms
from microsite.core.terms import terms
from microsite.work import adjust
from microsite.work import look
from microsite.work.terms import current
from microsite.work.terms import record_all

from .conftest import NO_CALENDARS
from .conftest import WEEK
from .conftest import Pages
from .conftest import settings

OFFER = Offer(slug="sesi", title=Words(id="Sesi", en="Session"), minutes=60)
COACH = {
    "name": ("Wulan", "Wulan is responsible"),
    "contact": ("wulan@example.org", "wulan@example.org"),
    "retention_days": (7, "deleted 7 days after the session"),
    "confidentiality": (Words(en="Only the law opens my mouth."), "Only the law opens my mouth."),
    "note_consent": ("box", "only if you tick the box"),
    "offers": ([msgspec.structs.replace(OFFER, email="optional")], "If you like: without it no e-mail"),
}
"""A coach's setting: another value, and what the page then says."""
COACH_SILENT = (
    "zone language sentence accent portrait_text email session_title event_class hours exceptions tentative_blocks"
    " per_day per_week stale_minutes"
).split()
"""Settings that decide when and how, not what is kept of whom."""
OFFER_SAID = {"email", "reminder", "mode"}
OFFER_SILENT = (
    "slug title minutes description price place listed invited step before after notice horizon_days per_day per_week"
    " cancel_notice hold request hours"
).split()
SITE: dict[str, tuple[Callable[[], config.File], str]] = {
    "site.operator": (lambda: _file(site=config.Site(operator="Koperasi X")), "run by Koperasi X"),
    "site.country": (lambda: _file(site=config.Site(country="Iceland")), "a server in Iceland"),
    "mail.host": (lambda: _file(mail=config.Mail(host="m.example", sender="a@b.example")), "carried by a mail company"),
    "mail.provider": (
        lambda: _file(mail=config.Mail(host="m.example", sender="a@b.example", provider="Post X")),
        "E-mail is carried by Post X",
    ),
    "calendars.embedded": (lambda: config.File(), "calendar is kept on this server"),
    "calendars.provider": (
        lambda: _file(calendars=config.Calendars(embedded=False, provider="Cal X")),
        "My calendar is kept by Cal X",
    ),
    "backup.keep_days": (lambda: _file(backup=config.Backup(keep_days=9)), "deleted after 9 days"),
}
"""An operator's setting: a file with another value, and what the page then says."""
SITE_SILENT = {
    *"site.address site.name site.security_contact site.embed_hosts database.url jobs.engine backup.folder".split(),
    # What a key database is worth is said by what its server does, not by where it is (tests of the keyring).
    *"site.server_key_file database.url_file jobs.heartbeat keyring.url keyring.url_file".split(),
    *"mail.port mail.security mail.username mail.password mail.password_file mail.sender".split(),
    *"calendars.allow_private_hosts calendars.contained".split(),
    *(f"google.{name}" for name in config.Google.__struct_fields__),
    *(f"limits.{name}" for name in config.Limits.__struct_fields__),
    # Whatever is set there, no log and no metric says anything of a person (tests/canary).
    *(f"logs.{name}" for name in config.Logs.__struct_fields__),
    *(f"metrics.{name}" for name in config.Metrics.__struct_fields__),
}


def _file(**parts: Any) -> config.File:
    return config.File(**{"calendars": NO_CALENDARS, **parts})


def page(pages: Pages, query: str = "") -> str:
    """The page in English, its white space made one."""
    return " ".join(pages.get(f"/en/sari/privacy{query}").text.split())


def change(pages: Pages, **values: Any) -> None:
    """Save the coach's settings as the desk does."""
    coach = look.coach(pages.services, "sari")
    document = adjust.document(msgspec.structs.replace(coach.settings, **values))
    adjust.save(pages.services, coach, document)


def test_every_setting_is_on_the_page_or_known_to_be_none_of_its_business() -> None:
    assert set(CoachSettings.__struct_fields__) == {*COACH, *COACH_SILENT}
    assert set(Offer.__struct_fields__) == {*OFFER_SAID, *OFFER_SILENT}
    rooms = {name: getattr(config.File(), name) for name in config.File.__struct_fields__}
    named = {f"{room}.{name}" for room, found in rooms.items() for name in found.__struct_fields__}
    assert named == {*SITE, *SITE_SILENT}


@pytest.mark.parametrize("name", COACH)
def test_a_changed_setting_of_the_coach_changes_page_and_version(pages: Pages, name: str) -> None:
    value, said = COACH[name]
    assert said not in page(pages)
    before = current(pages.services, "sari").version
    change(pages, **{name: value})
    assert said in page(pages)
    assert current(pages.services, "sari").version != before


@pytest.mark.parametrize("name", SITE)
def test_a_setting_of_the_operator_changes_page_and_version(tmp_path: Path, name: str) -> None:
    make, said = SITE[name]
    plain = Pages(tmp_path / "plain", _file())
    other = Pages(tmp_path / "other", make())
    try:
        assert said not in page(plain)
        assert said in page(other)
        assert current(plain.services, "sari").version != current(other.services, "sari").version
    finally:
        plain.close()
        other.close()


@pytest.mark.parametrize("values", [{"zone": "Asia/Tokyo"}, {"sentence": Words(en="Hello")}, {"hours": WEEK}])
def test_a_setting_that_keeps_nothing_leaves_the_version(pages: Pages, values: dict[str, Any]) -> None:
    before = current(pages.services, "sari").version
    change(pages, **values)
    assert current(pages.services, "sari").version == before


def test_offers_tell_together_whether_an_address_is_asked_for_and_reminders_are_sent() -> None:
    def of(**changes: Any) -> Terms:
        offers = [msgspec.structs.replace(OFFER, **changes), OFFER]
        return terms(settings(offers=offers), current_site(), False)

    assert (of().email, of(email="optional").email) == ("required", "both")
    assert of(mode="coach").approval
    assert not terms(settings(offers=[msgspec.structs.replace(OFFER, reminder=0)]), current_site(), False).reminders


def current_site() -> Any:
    """A site's own part."""
    from microsite.core.terms import Site

    return Site(address="https://book.example")


def test_earlier_versions_stay_and_say_what_they_said(pages: Pages) -> None:
    record_all(pages.services)
    first = current(pages.services, "sari").version
    pages.now += 86400
    change(pages, retention_days=7)
    now = page(pages)
    assert f"version={first}" in now
    assert "in force since Tuesday, 24 November 2026" in now
    earlier = page(pages, f"?version={first}")
    assert "deleted 30 days after the session" in earlier
    assert "This is an earlier version" in earlier
    assert "in force since Monday, 23 November 2026" in earlier
    change(pages, retention_days=30)
    assert f"This is version {first}, in force since Tuesday" in page(pages)


def test_a_version_that_never_was_has_no_page(pages: Pages) -> None:
    assert pages.get("/sari/privacy?version=0000aaaa").status_code == 404


def test_looking_writes_nothing(pages: Pages) -> None:
    for _ in range(3):
        page(pages)
    with pages.services.store.read() as tx:
        assert tx.terms.of("sari") == []


def test_the_record_names_the_version_that_stood_beside_the_form(pages: Pages) -> None:
    record_all(pages.services)
    beside = current(pages.services, "sari").version
    form = pages.form()
    assert form["terms"] == beside
    change(pages, retention_days=7)
    answer = pages.send({**form, "name": "Budi", "email": "budi@example.com", "note": "halo"})
    token = Secret(answer.headers["Location"].split("/m/")[1].split("?")[0])
    booking = pages.only_booking()
    with pages.services.store.read() as tx:
        sealed = tx.bookings.sealed(booking.id)
    assert pages.services.sealer.open_copy(token, booking.id, sealed.copy).consent_version == beside


@pytest.mark.parametrize("given", ["", "0000aaaa", "x" * 500])
def test_a_version_that_is_none_becomes_the_one_in_force(pages: Pages, given: str) -> None:
    token = Secret(pages.book(terms=given).split("/m/")[1].split("?")[0])
    booking = pages.only_booking()
    with pages.services.store.read() as tx:
        sealed = tx.bookings.sealed(booking.id)
    found = pages.services.sealer.open_copy(token, booking.id, sealed.copy)
    assert found.consent_version == current(pages.services, "sari").version


def test_a_browser_seals_the_version_into_the_record(pages: Pages) -> None:
    text = pages.get(f"/sari/sesi/book?slot={pages.slots()[0]}").text
    assert f'data-consent="{current(pages.services, "sari").version}"' in text


def test_writing_a_note_is_consent_and_the_form_says_so(pages: Pages) -> None:
    text = pages.get(f"/en/sari/sesi/book?slot={pages.slots()[0]}").text
    assert "If you write a note, you agree that I keep it, sealed, until 30 days after the session." in text
    assert 'name="consent"' not in text
    assert pages.book(note="halo")


def test_where_the_coach_asks_for_a_box_a_note_needs_it_and_nothing_typed_is_lost(tmp_path: Path) -> None:
    pages = Pages(tmp_path / "instance", coach=settings(note_consent="box"))
    try:
        form = {**pages.form(), "name": "Budi", "email": "budi@example.com", "note": "halo"}
        form.pop("consent")
        refused = pages.send(form)
        assert refused.status_code == 422
        assert 'href="#consent"' in refused.text
        assert pages.fields(refused)["note"] == "halo"
        assert pages.send({**form, "consent": "y"}).status_code == 303
        without = {**pages.form(), "name": "Ani", "email": "ani@example.com"}
        without.pop("consent")
        assert pages.send(without).status_code == 303
    finally:
        pages.close()


def test_no_page_and_no_letter_claims_more_than_is_true() -> None:
    from tests.conftest import ROOT

    texts = [*ROOT.glob("templates/**/*"), ROOT / "microsite/translations/id/LC_MESSAGES/messages.po"]
    for path in texts:
        if path.is_file():
            text = path.read_text().casefold()
            assert "end-to-end" not in text and "ujung ke ujung" not in text, path
