"""Pages come compressed where their length tells nobody anything, and only there."""

import gzip

import pytest

from .conftest import Pages

GZIP = {"Accept-Encoding": "gzip, br"}


@pytest.mark.parametrize("path", ["/", "/sari/", "/sari/sesi/", "/en/sari/sesi/?tz=Asia/Tokyo", "/sari/privacy"])
def test_public_pages_come_compressed_and_hold_the_same(pages: Pages, path: str) -> None:
    plain, packed = pages.get(path), pages.get(path, headers=GZIP)

    assert "Content-Encoding" not in plain.headers
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert int(packed.headers["Content-Length"]) == len(packed.data) < len(plain.data) / 2
    for answer in (plain, packed):
        assert "Accept-Encoding" in answer.headers["Vary"]


def test_a_page_with_a_form_token_is_never_compressed(pages: Pages) -> None:
    slot = pages.slots()[0]

    assert "Content-Encoding" not in pages.get(f"/sari/sesi/book?slot={slot}", headers=GZIP).headers


def test_a_page_that_repeats_an_invitation_is_not_compressed(pages: Pages) -> None:
    assert "Content-Encoding" not in pages.get("/sari/sesi/?invite=x", headers=GZIP).headers


def test_nothing_is_compressed_for_somebody_who_carries_a_cookie(pages: Pages) -> None:
    pages.get(pages.book())

    for path in ("/manage", "/sari/", "/sari/sesi/"):
        assert "Content-Encoding" not in pages.get(path, headers=GZIP).headers
