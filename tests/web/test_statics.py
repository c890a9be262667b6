"""Static files: the vendored ones are the ones that were looked at, and browsers keep them."""

import base64
import gzip
import hashlib
import re
from pathlib import Path

import brotli
import pytest
from werkzeug.test import TestResponse

from microsite.web import statics

from .conftest import Pages

STATIC = Path(__file__).parents[2] / "static"
HTMX = "Qp9rdC8H7EqOoX+nR0P3RPG2Noji+qdwJlGpfzwQJsfOpp3sGwIdSP9xO3+UlEhn"


def test_htmx_is_the_file_that_was_looked_at() -> None:
    digest = hashlib.sha384((STATIC / "vendor/htmx-4.0.1/htmx.min.js").read_bytes()).digest()
    assert base64.b64encode(digest).decode() == HTMX


def test_every_vendored_folder_has_its_licence() -> None:
    for folder in (path for path in (STATIC / "vendor").iterdir() if path.is_dir()):
        assert (folder / "LICENSE").stat().st_size > 100


def test_pages_link_to_hashed_files_that_are_kept_for_a_year(pages: Pages) -> None:
    links = set(re.findall(r'(?:href|src)="(/static/[^"]+)"', pages.get("/sari/sesi/").text))
    assert len(links) == 3
    (script,) = [link for link in links if link.endswith("/site.js")]
    (later,) = re.findall(r'new URL\("([^"]+)", import.meta.url\)', pages.get(script).text)
    for link in (*links, f"{script.removesuffix('site.js')}{later}"):
        answer = pages.get(link)
        assert answer.status_code == 200
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Set-Cookie" not in answer.headers


def test_our_own_files_are_sent_without_remarks_and_say_the_same() -> None:
    shelf = statics.read_folder(STATIC)
    for name in ("site.css", "site.js", "form.js", "desk/desk.css", "desk/vault.js"):
        written, sent = (STATIC / name).read_text(), shelf.files[name].body("").decode()
        assert len(sent) < len(written) and "/*" not in sent.split("\n")[0]
        bare = re.sub(r"^\s*/\*.*?\*/\s*?\n", "", written, flags=re.M | re.S)
        assert "".join(sent.split()) == "".join(bare.split())
    htmx = "vendor/htmx-4.0.1/htmx.min.js"
    assert shelf.files[htmx].body("") == (STATIC / htmx).read_bytes()


def test_the_font_in_the_sheet_is_the_one_that_is_preloaded(pages: Pages) -> None:
    page = pages.get("/").text
    sheet = re.search(r'rel="stylesheet" href="([^"]+)"', page)
    font = re.search(r'rel="preload" href="([^"]+)"', page)
    assert sheet is not None
    assert font is not None
    inside = re.search(r'url\("([^"]+)"\)', pages.get(sheet[1]).text)
    assert inside is not None
    assert f"{sheet[1].rsplit('/', 1)[0]}/{inside[1]}" == font[1]
    assert pages.get(font[1]).mimetype == "font/woff2"


def test_an_old_hash_gets_the_present_file_uncached(pages: Pages) -> None:
    answer = pages.get("/static/000000000000/site.css")
    assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "no-cache")


def undated(answer: TestResponse) -> dict[str, str]:
    """The headers of an answer, but for the second it was given in."""
    return {name: value for name, value in answer.headers.items() if name != "Date"}


@pytest.mark.parametrize("coding", ["", "gzip", "br"])
def test_a_file_comes_as_small_as_the_browser_understands(pages: Pages, coding: str) -> None:
    """The first time it is compressed, the second time it is there; a HEAD says the same of it."""
    (sheet,) = re.findall(r'rel="stylesheet" href="([^"]+)"', pages.get("/").text)
    plain = statics.slim((STATIC / "site.css").read_bytes())
    for _ in range(2):
        answer = pages.get(sheet, headers={"Accept-Encoding": coding})
        assert answer.headers.get("Content-Encoding", "") == coding
        assert {"": bytes, "gzip": gzip.decompress, "br": brotli.decompress}[coding](answer.data) == plain
        assert int(answer.headers["Content-Length"]) == len(answer.data)
        assert list(answer.vary) == ["Accept-Encoding"]
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"
        head = pages.client.head(sheet, headers={"Accept-Encoding": coding})
        assert (head.data, undated(head)) == (b"", undated(answer))
        known = {"Accept-Encoding": coding, "If-None-Match": answer.headers["ETag"]}
        again = pages.get(sheet, headers=known)
        assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", answer.headers["ETag"])
        assert again.headers["Cache-Control"] == answer.headers["Cache-Control"]


def test_each_coding_is_smaller_than_the_one_before_and_has_a_tag_of_its_own(pages: Pages) -> None:
    codings = [{"Accept-Encoding": coding} for coding in ("", "gzip", "br")]
    for name in ("site.css", "site.js", "vendor/htmx-4.0.1/htmx.min.js", "vendor/age-0.3.1/seal.js"):
        answers = [pages.get(f"/static/000000000000/{name}", headers=coding) for coding in codings]
        sizes = [len(answer.data) for answer in answers]
        assert sizes[0] > 2 * sizes[1] > 2 * sizes[2], name
        assert len({answer.headers["ETag"] for answer in answers}) == 3


def test_what_is_small_already_is_not_compressed_again(pages: Pages) -> None:
    font = re.search(r'rel="preload" href="([^"]+)"', pages.get("/").text)
    assert font is not None
    answer = pages.get(font[1], headers={"Accept-Encoding": "gzip, br"})
    assert not {"Content-Encoding", "Vary"} & set(answer.headers.keys())
    assert answer.data[:4] == b"wOF2"


def test_nothing_outside_the_folder_is_served(pages: Pages) -> None:
    for path in (
        "/static/000000000000/../wsgi.py",
        "/static/000000000000/%2e%2e/wsgi.py",
        "/static/site.css",
        "/static/",
    ):
        assert pages.get(path).status_code == 404


def test_the_sheet_asks_nobody_else() -> None:
    for name in ("site.css", "site.js", "favicon.svg"):
        text = (STATIC / name).read_text(encoding="utf-8").replace("http://www.w3.org/2000/svg", "")
        assert not re.search(r"https?://|//[a-z]+\.", text), name


def test_robots_may_read_public_pages_only(pages: Pages) -> None:
    answer = pages.get("/robots.txt")
    assert answer.status_code == 200
    assert "Disallow: /m/" in answer.text
    assert "Disallow: /\n" not in answer.text
