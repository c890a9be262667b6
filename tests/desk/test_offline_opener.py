"""The offline opener: one file that anybody can keep, which opens records with no network and no server."""

import base64
import hashlib
import re
from pathlib import Path

import pyrage
import pytest
from playwright.sync_api import Browser

from microsite.core.people import ClientDetails
from microsite.core.people import Record
from microsite.sealing.records import seal_record

pytestmark = pytest.mark.browser
OPENER = Path(__file__).parents[2] / "docs/open.html"
PINNED = "6935082334cd51a3e05d0aea53cd22cbef8ca80b7682976ab436ac70f72383b3"


def test_it_is_the_file_that_was_looked_at_and_its_hash_is_in_the_docs() -> None:
    assert hashlib.sha256(OPENER.read_bytes()).hexdigest() == PINNED
    assert PINNED in OPENER.with_name("desk.md").read_text(encoding="utf-8")


def test_its_policy_allows_its_own_script_and_no_network() -> None:
    text = OPENER.read_text(encoding="utf-8")
    script = re.findall(r"<script>(.*)</script>", text, re.S)[0]
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = re.findall(r'http-equiv="Content-Security-Policy" content="([^"]+)"', text)[0]
    assert f"script-src 'sha256-{digest}'" in policy
    assert policy.startswith("default-src 'none'")
    assert "connect-src" not in policy


@pytest.mark.parametrize("way", ["line", "file"])
def test_it_opens_records_with_a_key_and_names_those_it_cannot(chromium: Browser, tmp_path: Path, way: str) -> None:
    identity = pyrage.x25519.Identity.generate()
    other = pyrage.x25519.Identity.generate()
    for name, key in (("K7QD", identity), ("AB23", other)):
        record = Record(ClientDetails("Budi <b>", "budi@example.com", "halo"), "1", "id", 0)
        (tmp_path / f"{name}.age").write_bytes(seal_record(record, [str(key.to_public())]))
    (tmp_path / "key.age").write_bytes(
        pyrage.passphrase.encrypt(f"{identity}\n".encode(), "enam kata yang benar sekali ya")
    )
    page = chromium.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(OPENER.as_uri())
    page.locator("#files").set_input_files([tmp_path / "K7QD.age", tmp_path / "AB23.age"])
    if way == "line":
        page.locator("#key").fill(f"# mine\n{identity}\n")
    else:
        page.locator("#key-file").set_input_files(tmp_path / "key.age")
        page.locator("#passphrase").fill("Enam kata yang benar sekali ya")
    page.locator("button").click()
    page.locator("#records section").wait_for()
    page.wait_for_function("() => document.getElementById('said').textContent.startsWith('1 ')")
    assert page.locator("#records section > *").all_inner_texts() == [
        "K7QD.age",
        "Budi <b>",
        "budi@example.com",
        "halo",
    ]
    assert complaints == []
    page.close()
