"""Pages come compressed where their length tells nobody anything, and only there."""

import gzip

import brotli
import pytest

from microsite.web.packing import understood

from .conftest import Pages

BOTH = {"Accept-Encoding": "gzip, deflate, br, zstd"}
UNPACK = {"gzip": gzip.decompress, "br": brotli.decompress}


@pytest.mark.parametrize(
    ("header", "coding", "words"),
    [
        ("gzip, deflate, br, zstd", "br", "a browser of today over https: the smaller one"),
        ("gzip, deflate", "gzip", "a browser over http"),
        ("br;q=0, gzip", "gzip", "a q of 0 is a refusal"),
        ("gzip;q=0, br;q=0.0", "", "both refused"),
        ("gzip;q=1.0, br;q=0.5", "gzip", "liked better"),
        ("*", "br", "anything"),
        ("*;q=0", "", "nothing"),
        ("br;q=0, *", "gzip", "anything else"),
        ("identity", "", "as it is"),
        ("", "", "not a word"),
        ("brotli, x-gzip2", "", "other words that begin alike"),
        ("gzip" + ", gzip" * 200, "", "too long to be a browser's"),
    ],
)
def test_a_browser_gets_the_coding_it_likes_best(header: str, coding: str, words: str) -> None:
    assert understood(header) == coding, words


@pytest.mark.parametrize("path", ["/", "/sari/", "/sari/sesi/", "/en/sari/sesi/?tz=Asia/Tokyo", "/sari/privacy"])
@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_public_pages_come_compressed_and_hold_the_same(pages: Pages, path: str, coding: str) -> None:
    plain, packed = pages.get(path), pages.get(path, headers={"Accept-Encoding": coding})

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == coding
    assert UNPACK[coding](packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_page_with_a_form_token_is_never_compressed(pages: Pages) -> None:
    slot = pages.slots()[0]

    assert "Content-Encoding" not in pages.get(f"/sari/sesi/book?slot={slot}", headers=BOTH).headers


def test_a_page_that_repeats_an_invitation_is_not_compressed(pages: Pages) -> None:
    assert "Content-Encoding" not in pages.get("/sari/sesi/?invite=x", headers=BOTH).headers


def test_nothing_is_compressed_for_somebody_who_carries_a_cookie(pages: Pages) -> None:
    pages.get(pages.book())

    for path in ("/manage", "/sari/", "/sari/sesi/"):
        assert "Content-Encoding" not in pages.get(path, headers=BOTH).headers
