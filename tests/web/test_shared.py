"""What the site shows to others: shared links, frames on named hosts, a coach's colour, security.txt."""

import re
from pathlib import Path
from urllib.parse import unquote
from xml.etree import ElementTree

import pytest

from microsite.config import File
from microsite.config import Site
from microsite.core import colour

from .conftest import NO_CALENDARS
from .conftest import Pages
from .conftest import settings

BLOG = "blog.example"


def house(tmp_path: Path, accent: str = "", **site: object) -> Pages:
    """The pages' house with other settings of the site, or of the coach."""
    file = File(site=Site(address="https://book.example", **site), calendars=NO_CALENDARS)  # type: ignore[arg-type]
    return Pages(tmp_path / "instance", file, settings(accent=accent))


def test_a_shared_link_shows_a_picture_and_words_of_the_coach_alone(pages: Pages) -> None:
    for path in ("/sari/", "/sari/sesi/", "/en/sari/sesi/"):
        text = pages.get(path).text
        picture = re.search(r'property="og:image" content="http://localhost:8000(/static/[^"]+/card.png)"', text)
        assert picture
        card = pages.get(picture[1])
        assert card.content_type == "image/png" and len(card.data) < 40_000
        assert 'property="og:title"' in text


def test_the_page_of_a_booking_has_nothing_to_share(pages: Pages) -> None:
    pages.get(pages.book())

    assert "og:" not in pages.get("/manage").text


def test_without_named_hosts_there_is_nothing_to_frame(pages: Pages) -> None:
    assert pages.get("/embed/sari/sesi").status_code == 404
    assert "frame-ancestors 'none'" in pages.get("/embed/sari/sesi").headers["Content-Security-Policy"]


@pytest.mark.parametrize("prefix", ["", "/en"])
def test_only_named_hosts_may_frame_and_every_link_opens_the_whole_window(tmp_path: Path, prefix: str) -> None:
    pages = house(tmp_path, embed_hosts=[BLOG])
    answer = pages.get(f"{prefix}/embed/sari/sesi")

    assert answer.status_code == 200
    policy = answer.headers["Content-Security-Policy"]
    assert f"frame-ancestors https://{BLOG}" in policy and "'none'" not in policy.split("frame-ancestors")[1]
    assert "script-src" not in policy and "form-action 'none'" in policy
    assert "X-Frame-Options" not in answer.headers and "Set-Cookie" not in answer.headers
    assert '<base target="_top">' in answer.text
    assert "<form" not in answer.text and "<script" not in answer.text
    slots = re.findall(r'data-slot="([^"]+)" href="([^"]+)"', answer.text)
    assert slots and all(link.startswith(f"{prefix}/sari/sesi/book?slot={slot}") for slot, link in slots)
    assert pages.slots()[0] == slots[0][0]
    pages.close()


def test_with_named_hosts_no_other_page_can_be_framed(tmp_path: Path) -> None:
    pages = house(tmp_path, embed_hosts=[BLOG])
    for path in ("/sari/", "/sari/sesi/", "/desk", "/manage", "/embed/sari/nothing", "/embed/nobody/sesi"):
        answer = pages.get(path)
        assert "frame-ancestors 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["X-Frame-Options"] == "DENY"
    pages.close()


def test_her_own_colour_is_in_the_one_stylesheet_in_both_themes(tmp_path: Path) -> None:
    pages = house(tmp_path, accent="#1d6b4a")
    (link,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', pages.get("/sari/").text)
    for path in ("/sari/sesi/", f"/sari/sesi/book?slot={pages.slots()[0]}", "/sari/privacy"):
        assert re.findall(r'<link rel="stylesheet" href="([^"]+)"', pages.get(path).text) == [link]
    style = pages.get(link)

    assert style.content_type == "text/css; charset=utf-8"
    assert "immutable" in style.headers["Cache-Control"]
    assert f"--nila: {colour.light('#1d6b4a').action}" in style.text
    assert f"--nila: {colour.dark('#1d6b4a').action}" in style.text.rpartition("dark")[2]
    assert style.text.startswith(pages.get(plain_sheet(pages)).text)
    assert pages.get(link, headers={"Accept-Encoding": "gzip"}).headers["Content-Encoding"] == "gzip"
    assert pages.get(re.sub("/static/[^/]+", "/static/000000000000", link)).headers["Cache-Control"] == "no-cache"
    for odd in ("f0b429", "ffffff", "1D6B4A", "1d6b4", "1d6b4a;x", "zzzzzz"):
        assert pages.get(link.replace("1d6b4a", odd)).status_code == 404
    pages.close()


def plain_sheet(pages: Pages) -> str:
    """The stylesheet of pages that belong to no coach."""
    (link,) = re.findall(r'<link rel="stylesheet" href="([^"]+)"', pages.get("/siapa/").text)
    return str(link)


def test_without_a_colour_it_is_the_sites_own(pages: Pages) -> None:
    assert f'href="{plain_sheet(pages)}"' in pages.get("/sari/").text


def test_the_small_picture_of_the_site_is_in_the_page_and_costs_no_request(pages: Pages) -> None:
    (icon,) = re.findall(r'<link rel="icon" href="([^"]+)"', pages.get("/sari/").text)
    kind, _, picture = icon.partition(",")
    assert kind == "data:image/svg+xml"
    assert ElementTree.fromstring(unquote(picture)).tag.endswith("svg")


def test_without_a_contact_there_is_no_security_txt(pages: Pages) -> None:
    assert pages.get("/.well-known/security.txt").status_code == 404


def test_security_txt_says_whom_to_tell_and_until_when(tmp_path: Path) -> None:
    named = house(tmp_path, security_contact="mailto:aman@book.example")
    text = named.get("/.well-known/security.txt").text

    assert "Contact: mailto:aman@book.example\n" in text
    assert "Expires: 2027-05-22T00:00:00Z\n" in text
    assert "Canonical: https://book.example/.well-known/security.txt\n" in text
    named.close()
