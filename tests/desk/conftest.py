"""The desk's tests share the pages' own house, and one browser."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser

from tests.flow.browser import chromium
from tests.web.conftest import Pages
from tests.web.conftest import _pages

__all__ = ["Pages", "_pages"]


@pytest.fixture(name="chromium", scope="module")
def _chromium() -> Iterator[Browser]:
    """One browser for a file."""
    with chromium() as browser:
        yield browser
