"""Both languages are complete, and each page is in one of them."""

import re
from pathlib import Path

import pytest
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

from .conftest import Pages

ROOT = Path(__file__).parents[2]
CATALOG = ROOT / "microsite" / "translations" / "id" / "LC_MESSAGES"
METHODS = [("microsite/web/**.py", "python"), ("templates/**.html", "jinja2")]
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "lazy_gettext": None}
MARKS = re.compile(r"%\((\w+)\)s")


def used() -> set[str]:
    """Every text in code and templates; a plural by its singular."""
    found = extract_from_dir(str(ROOT), method_map=METHODS, keywords=KEYWORDS, directory_filter=_wanted)
    texts = set()
    for path, _, message, _, _ in found:
        if not path.startswith("templates/mail"):
            texts.add(message[0] if isinstance(message, tuple) else message)
    return texts


def _wanted(folder: str) -> bool:
    name = Path(folder).name
    return not name.startswith(".") and name in {"microsite", "web", "templates", "visitor", "manage", "desk"}


@pytest.fixture(name="catalog", scope="module")
def _catalog():
    with (CATALOG / "messages.po").open("rb") as file:
        return read_po(file, locale="id")


def test_no_text_lacks_its_indonesian(catalog) -> None:
    translated = {_id(each): each.string for each in catalog if each.id}
    assert used() - translated.keys() == set()
    assert translated.keys() - used() == set()
    assert [text for text, string in translated.items() if not string or not all(string)] == []
    assert not any(each.fuzzy for each in catalog if each.id)


def test_placeholders_are_the_same_in_both_languages(catalog) -> None:
    for each in catalog:
        if each.id:
            strings = each.string if isinstance(each.string, tuple) else (each.string,)
            for string in strings:
                assert set(MARKS.findall(string)) == set(MARKS.findall(_id(each))), _id(each)


def test_indonesian_has_one_plural_form() -> None:
    """`pybabel init` writes two; then every number but one falls back to English."""
    assert '"Plural-Forms: nplurals=1; plural=0;\\n"' in (CATALOG / "messages.po").read_text(encoding="utf-8")


def test_the_compiled_catalog_is_the_written_one(catalog) -> None:
    with (CATALOG / "messages.mo").open("rb") as file:
        compiled = read_mo(file)
    assert _strings(compiled) == _strings(catalog)


def test_nobody_is_called_anda(catalog) -> None:
    for each in catalog:
        assert not re.search(r"\bAnda\b", str(each.string))


def test_plurals_are_right_in_both_languages(pages: Pages) -> None:
    indonesian, english = pages.get("/sari/sesi/").text, pages.get("/en/sari/sesi/").text
    assert "6 waktu kosong" in indonesian
    assert "6 free times" in english
    pages.now += 40 * 3600
    assert "60 menit" in pages.get("/sari/sesi/").text


@pytest.mark.parametrize("path", ["/", "/sari/", "/sari/sesi/", "/sari/privacy", "/desk", "/nobody/", "/manage"])
def test_a_page_says_its_language_and_links_to_the_other(pages: Pages, path: str) -> None:
    indonesian, english = pages.get(path).text, pages.get(f"/en{path}").text
    assert '<html lang="id">' in indonesian
    assert '<html lang="en">' in english
    assert 'hreflang="en"' in indonesian
    assert "Langsung ke isi" in indonesian
    assert "Skip to the content" in english
    rest = re.sub(r'<nav class="languages".*?</nav>', "", english, flags=re.DOTALL)
    links = [link for link in re.findall(r'(?:href|action)="(/[^"]*)"', rest) if not link.startswith("/static/")]
    assert links
    assert [link for link in links if not link.startswith("/en/")] == []


def test_changing_the_language_keeps_day_and_zone_but_never_a_token(pages: Pages) -> None:
    text = pages.get("/sari/sesi/?day=2026-11-26&tz=Asia/Makassar&evil=1").text
    switch = re.search(r'<a href="([^"]+)" hreflang="en"', text)
    assert switch is not None
    assert switch[1] == "/en/sari/sesi/?day=2026-11-26&amp;tz=Asia/Makassar"
    link = pages.desk_link()
    assert link not in pages.get(link).text


def test_dates_and_times_are_written_as_each_language_does(pages: Pages) -> None:
    slot = "20261125T060000Z"
    assert "Rabu, 25 November 2026" in pages.get(f"/sari/sesi/book?slot={slot}").text
    assert "13.00–14.00" in pages.get(f"/sari/sesi/book?slot={slot}").text
    assert "Wednesday, 25 November 2026" in pages.get(f"/en/sari/sesi/book?slot={slot}").text
    assert "13:00–14:00" in pages.get(f"/en/sari/sesi/book?slot={slot}").text


def _id(message) -> str:
    return message.id[0] if isinstance(message.id, tuple | list) else message.id


def _strings(catalog) -> dict[str, list[str]]:
    return {
        _id(each): [each.string] if isinstance(each.string, str) else list(each.string) for each in catalog if each.id
    }
