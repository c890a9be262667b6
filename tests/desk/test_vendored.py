"""The bundles of the desk and the form are the ones that were looked at, and small enough for a cheap phone."""

import gzip
import hashlib
import json
from pathlib import Path

STATIC = Path(__file__).parents[2] / "static"
PINNED = {
    "age-0.3.1/desk.js": "154ab9f59cc65ba02baa2701cf519263ed573d2bcb24af1c3fb4cb60f86c0b68",
    "age-0.3.1/seal.js": "6d991125a94bd7d1b11aa3259b57c2e373385a5cdda1ec95bf1080534c150c2f",
    "bip39-2.4.0/words.js": "803fd3dbbd624c9df57f5ce4ddd1969cad844f759819d29ac62148dff1a378ca",
    "uqr-0.1.3/qr.js": "b2f641afa0134342b66b59cfe733bd1edb48c344556f06844b030f718a054c4e",
}


def packed(*names: str) -> int:
    """The bytes of these files as the site sends them."""
    return sum(len(gzip.compress((STATIC / name).read_bytes(), mtime=0)) for name in names)


def test_every_bundle_is_the_file_that_was_looked_at() -> None:
    for name, digest in PINNED.items():
        assert hashlib.sha256((STATIC / "vendor" / name).read_bytes()).hexdigest() == digest, name


def test_no_bundle_evaluates_text_or_asks_anybody() -> None:
    for name in PINNED:
        text = (STATIC / "vendor" / name).read_text(encoding="utf-8")
        for forbidden in ("eval(", "new Function", "innerHTML", "XMLHttpRequest", "fetch(", "WebAssembly", "import("):
            assert forbidden not in text, (name, forbidden)


def test_what_the_bundles_are_made_of_is_pinned_by_hash() -> None:
    lock = json.loads((STATIC / "vendor/package-lock.json").read_text())
    for name, package in lock["packages"].items():
        if name:
            assert package["integrity"].startswith("sha512-"), name


def test_the_form_loads_at_most_45_kilobytes_to_seal() -> None:
    assert packed("vendor/age-0.3.1/seal.js") <= 45_000


def test_the_desk_with_everything_that_any_of_its_pages_may_load_weighs_at_most_60_kilobytes() -> None:
    own = [path.relative_to(STATIC).as_posix() for path in (STATIC / "desk").glob("*.js")]
    vendored = [f"vendor/{name}" for name in PINNED if not name.endswith("seal.js")]
    assert len(vendored) == 3
    assert packed(*own, *vendored) <= 60_000


def test_our_own_scripts_make_no_text_into_html_and_keep_nothing() -> None:
    forbidden = (
        "innerHTML outerHTML insertAdjacentHTML document.write DOMParser eval( localStorage sessionStorage indexedDB"
    )
    for path in [STATIC / "form.js", *(STATIC / "desk").glob("*.js")]:
        text = path.read_text(encoding="utf-8")
        for word in forbidden.split():
            assert word not in text, (path.name, word)
