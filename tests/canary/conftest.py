"""What the canary's tests share."""

from pathlib import Path

import pytest


@pytest.fixture(name="folder")
def _folder(tmp_path: Path) -> Path:
    """An empty folder."""
    return tmp_path
