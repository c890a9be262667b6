"""A coach's settings: what is wrong is named by its field; what is right survives both forms."""

import tomllib
from typing import Any

import pytest

from microsite.core.settings import check_slug
from microsite.core.settings import dated_windows
from microsite.core.settings import decode_settings
from microsite.core.settings import encode_settings
from microsite.core.settings import read_settings
from microsite.core.settings import weekly_windows
from microsite.errors import SettingsError

TALK = {"slug": "talk", "title": {"id": "Bicara", "en": "Talk"}, "minutes": 30}


def document(**changes: Any) -> dict[str, Any]:
    return {"name": "Rini", "offers": [TALK], "hours": {"monday": ["09:00-12:00"]}} | changes


def offer(**changes: Any) -> dict[str, Any]:
    return document(offers=[TALK | changes])


WRONG: list[tuple[dict[str, Any], str, str, str]] = [
    ({"offers": []}, "name", "nothing", "no name"),
    (document(name="  "), "name", "'  '", "an empty name"),
    (document(name="x" * 121), "name", "'xxx", "too long a name"),
    (document(name="Rini\nBcc: x@example.com"), "name", "invisible", "a line break where a header would break"),
    (document(contact="rini\u202emoc.elpmaxe"), "contact", "invisible", "a text that reads as another"),
    (document(session_title={"id": "Sesi\0"}), "session_title.id", "invisible", "a zero byte"),
    (offer(title={"id": "Bicara\u2028", "en": "Talk"}), "offers[0].title.id", "invisible", "a hidden line break"),
    (offer(description={"en": "a\nb\x1b[31m"}), "offers[0].description.en", "invisible", "a terminal's command"),
    (document(zone="Asia/Nowhere"), "zone", "'Asia/Nowhere'", "a zone that is none"),
    (document(language="fr"), "language", "'fr'", "a language we do not speak"),
    (document(colour="red"), "colour", "", "a field that does not exist"),
    (document(hours={"mon": ["09:00-12:00"]}), "hours", "'mon'", "a weekday's name"),
    (document(hours={"sunday": [], "monday": ["9-12"]}), "hours.monday[0]", "'9-12'", "the form of a time"),
    (document(exceptions={"2026-12-25": ["pagi"]}), "exceptions.2026-12-25[0]", "", "the form of a time on one day"),
    (document(hours={"monday": ["12:00-09:00"]}), "hours.monday", "'12:00-09:00'", "a start after its end"),
    (document(exceptions={"2026-02-30": []}), "exceptions", "'2026-02-30'", "a date that is none"),
    (document(exceptions={"2026-12-25": ["10:00-10:00"]}), "exceptions.2026-12-25", "'10:00-10:00'", "an empty window"),
    (document(retention_days=0), "retention_days", "0", "too short a retention"),
    (document(offers=[TALK, TALK]), "offers[1].slug", "'talk'", "one slug twice"),
    (offer(slug="desk"), "offers[0].slug", "'desk'", "a slug that the site uses"),
    (offer(slug="Big Talk"), "offers[0].slug", "'Big Talk'", "a slug with a space"),
    (offer(title={}), "offers[0].title", "nothing", "no title"),
    (offer(minutes=0), "offers[0].minutes", "0", "no length"),
    (offer(minutes="30"), "offers[0].minutes", "'30'", "a number in quotes"),
    (offer(mode="maybe"), "offers[0].mode", "'maybe'", "an unknown mode"),
    (offer(hours={"monday": ["10:00-09:00"]}), "offers[0].hours.monday", "'10:00-09:00'", "an offer's own hours"),
    (offer(place={"kind": "moon"}), "offers[0].place.kind", "'moon'", "an unknown kind of place"),
]


@pytest.mark.parametrize(("wrong", "field", "found", "words"), WRONG, ids=[words for *_, words in WRONG])
def test_a_wrong_setting_is_named(wrong: dict[str, Any], field: str, found: str, words: str) -> None:
    with pytest.raises(SettingsError) as raised:
        read_settings(wrong, "rini.toml")
    message = str(raised.value)
    assert message.startswith("rini.toml: "), words
    assert field in message, message
    assert found in message, message
    assert raised.value.allowed, words


def test_right_settings_survive_storing_and_travel_as_toml() -> None:
    offers = '[[offers]]\nslug = "talk"\nminutes = 30\n[offers.title]\nid = "Bicara"\n'
    text = 'name = "Rini"\nzone = "Asia/Makassar"\n' + offers
    settings = read_settings(tomllib.loads(text), "rini.toml")
    assert decode_settings(encode_settings(settings)) == settings
    assert settings.zoneinfo.key == "Asia/Makassar"
    assert settings.offer("talk") is settings.offers[0]
    assert settings.offer("none") is None


def test_a_missing_language_is_stood_in_for() -> None:
    title = read_settings(offer(title={"id": "Bicara"}), "x").offers[0].title
    assert title["en"] == "Bicara"
    assert title["id"] == "Bicara"
    both = read_settings(document(), "x").offers[0].title
    assert (both["id"], both["en"]) == ("Bicara", "Talk")


def test_windows_are_minutes_after_midnight() -> None:
    settings = read_settings(document(exceptions={"2026-12-24": ["09:00-24:00"], "2026-12-25": []}), "x")
    assert weekly_windows(settings.hours) == {0: [(540, 720)]}
    assert [(str(day), list(windows)) for day, windows in dated_windows(settings.exceptions).items()] == [
        ("2026-12-24", [(540, 1440)]),
        ("2026-12-25", []),
    ]


@pytest.mark.parametrize("slug", ["rini", "a", "a-b-1", "x" * 40])
def test_good_slugs_pass(slug: str) -> None:
    check_slug(slug, "x", "slug")


@pytest.mark.parametrize("slug", ["", "-a", "a-", "a--b", "A", "a_b", "en", "dav", "x" * 41, "a\n"])
def test_bad_slugs_are_refused(slug: str) -> None:
    with pytest.raises(SettingsError):
        check_slug(slug, "x", "slug")
