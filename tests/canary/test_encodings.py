"""The search itself: each form is found, near misses are not, and nothing is found where nothing is."""

import gzip
import html
import json
import os
import quopri
import random
import zlib
from base64 import b64encode
from base64 import urlsafe_b64encode
from email.header import Header
from email.message import EmailMessage
from urllib.parse import quote

import pytest

from .encodings import find

MARKER = "Kv7qZt2mWp9x"
OTHER = "Kv7qZt3mWp9x"
"""A near miss: one letter off."""


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def fixed_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(9, zlib.DEFLATED, -15, 8, zlib.Z_FIXED)
    return packer.compress(data) + packer.flush()


def soft_broken(text: str) -> bytes:
    return quopri.encodestring(("é" * 23 + text + "é" * 9).encode())


def as_mail(text: str, cte: str) -> bytes:
    message = EmailMessage()
    message.set_content(f"Halo {text}, é\n" * 40, cte=cte)
    return message.as_bytes()


def as_file_name(text: str) -> bytes:
    message = EmailMessage()
    message.set_content("x")
    message.add_attachment(b"x", maintype="application", subtype="x", filename="é" * 22 + text + "é" * 22)
    return message.as_bytes()


def noise(size: int) -> bytes:
    return random.Random(size).randbytes(size)


FORMS = {
    "plain": ("plain", lambda text: f"a{text}b".encode()),
    "plain in lower case": ("plain", lambda text: text.lower().encode()),
    "plain in upper case": ("plain", lambda text: text.upper().encode()),
    "plain between other bytes": ("plain", lambda text: noise(999) + text.encode() + noise(999)),
    "folded as in a calendar file": ("folded", lambda text: f"SUMMARY:{text[:5]}\r\n {text[5:]}".encode()),
    "URL-encoded, every byte": ("URL-encoded", lambda text: "".join(f"%{ord(sign):02x}" for sign in text).encode()),
    "URL-encoded, some bytes": ("URL-encoded", lambda text: quote(text).replace("v", "%76").encode()),
    "HTML-escaped, decimal": ("HTML-escaped", lambda text: "".join(f"&#{ord(sign)};" for sign in text).encode()),
    "HTML-escaped, hex": ("HTML-escaped", lambda text: html.escape(text).replace("q", "&#x71;").encode()),
    "JSON-escaped": ("JSON-escaped", lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text).encode()),
    "escaped as bytes print": ("JSON-escaped", lambda text: "".join(f"\\x{ord(sign):02x}" for sign in text).encode()),
    "hex": ("hex", lambda text: b"x'" + text.encode().hex().encode() + b"'"),
    "hex in upper case": ("hex", lambda text: text.encode().hex().upper().encode()),
    "hex of the lower case": ("hex", lambda text: text.lower().encode().hex().encode()),
    "UTF-16 LE": ("UTF-16 LE", lambda text: f"é{text}".encode("utf-16-le")),
    "UTF-16 BE": ("UTF-16 BE", lambda text: f"é{text}".encode("utf-16-be")),
    "RFC 2047 B": ("RFC 2047", lambda text: Header(f"é {text}", "utf-8").encode().encode()),
    "RFC 2047 B, split inside": ("RFC 2047", lambda text: Header("é" * 19 + text, "utf-8", 60).encode().encode()),
    "RFC 2047 Q": ("RFC 2047", lambda text: f"=?utf-8?q?=C3=A9_{text[:6]}?=\r\n =?utf-8?q?{text[6:]}?=".encode()),
    "RFC 2047 Q, every byte": (
        "RFC 2047",
        lambda text: f"=?iso-8859-1?Q?{''.join(f'={ord(sign):02X}' for sign in text)}?=".encode(),
    ),
    "RFC 2231": ("RFC 2231", as_file_name),
    "quoted-printable": ("quoted-printable", lambda text: "".join(f"={ord(sign):02X}" for sign in text).encode()),
    "quoted-printable, soft line break": ("quoted-printable", soft_broken),
    "quoted-printable mail": ("plain", lambda text: as_mail(text, "quoted-printable")),
    "base64 mail": ("base64", lambda text: as_mail(text, "base64")),
    "base64 at 0": ("base64 at 0", lambda text: b64encode(text.encode() + b"tail")),
    "base64 at 1": ("base64 at 1", lambda text: b64encode(b"x" + text.encode() + b"tail")),
    "base64 at 2": ("base64 at 2", lambda text: b64encode(b"xy" + text.encode() + b"tail")),
    "base64 of the upper case": ("base64 at 0", lambda text: b64encode(text.upper().encode())),
    "base64 without its end": ("base64 at 1", lambda text: b64encode(b"x" + text.encode()).rstrip(b"=")),
    "base64 in lines": (
        "base64 at 0",
        lambda text: (
            b64encode(b"x" * 51 + text.encode() + b"xx")[:76]
            + b"\r\n"
            + b64encode(b"x" * 51 + text.encode() + b"xx")[76:]
        ),
    ),
    "URL-safe base64": ("base64 at 0", lambda text: urlsafe_b64encode(b"\xfb\xff\xfe" + text.encode())),
    "gzip": ("gzip", lambda text: gzip.compress(text.encode() * 3)),
    "gzip inside a larger file": ("gzip", lambda text: noise(5000) + gzip.compress(f"a {text} b".encode()) + noise(50)),
    "gzip broken off": ("gzip", lambda text: gzip.compress(text.encode() + noise(4000))[:900]),
    "gzip of base64": ("gzip", lambda text: gzip.compress(b64encode(text.encode() * 2))),
    "gzip in base64": ("base64 > gzip", lambda text: b64encode(gzip.compress(b"halo " + text.encode()))),
    "zlib": ("zlib", lambda text: zlib.compress(text.encode() * 3)),
    "zlib inside a larger file": ("zlib", lambda text: noise(4999) + zlib.compress(f"a {text} b".encode(), 1)),
    "deflate": ("deflate", lambda text: raw_deflate(b"halo halo " + text.encode() * 2)),
    "deflate inside a larger file": ("deflate", lambda text: noise(3000) + raw_deflate(text.encode() + b" halo" * 30)),
    "deflate with fixed codes": ("deflate", lambda text: noise(100) + fixed_deflate(text.encode())),
}


@pytest.mark.parametrize("case", FORMS)
def test_a_marker_is_found_in_this_form_and_the_form_is_named(case: str) -> None:
    form, write = FORMS[case]
    assert any(name.startswith(form) for name in find(MARKER, write(MARKER))), find(MARKER, write(MARKER))


@pytest.mark.parametrize("case", FORMS)
def test_another_word_in_the_same_form_is_not_taken_for_the_marker(case: str) -> None:
    _, write = FORMS[case]
    assert find(MARKER, write(OTHER)) == []


def test_nothing_is_found_in_nothing_nor_in_noise() -> None:
    assert find(MARKER, b"") == []
    assert find(MARKER, noise(200_000)) == []


def test_a_key_of_random_bytes_is_found_raw_as_hex_and_as_base64() -> None:
    key = os.urandom(32)
    assert find(key, b"x" + key) != []
    assert find(key, key.hex().encode()) == ["hex"]
    assert find(key, json.dumps({"k": b64encode(key).decode()}).encode()) == ["base64 at 0"]
    assert find(os.urandom(32), key) == []


def test_a_marker_that_could_be_chance_is_refused() -> None:
    with pytest.raises(ValueError, match="chance"):
        find("Budi", b"Budi")
