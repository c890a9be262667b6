"""Every form a word may hide in. Pure: a marker and some bytes in, the names of the forms it was found in out.

What is searched is prepared once for all markers (`Searched`), because a file is asked for many words.
"""

import html
import quopri
import re
import zlib
from base64 import b64decode
from base64 import b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator
from functools import cached_property
from urllib.parse import unquote_to_bytes

WORD = re.compile(rb"=\?[A-Za-z0-9_-]+(?:\*[a-z-]+)?\?([bqBQ])\?([^?\s]*)\?=(?:\s+(?==\?))?")
FOLD = re.compile(rb"\r?\n[ \t]?")
CONTINUED = re.compile(rb"\"?;\s*[A-Za-z]+\*\d+\*?=\"?")
JSON_UNIT = re.compile(rb"\\(?:u([0-9a-fA-F]{4})|x([0-9a-fA-F]{2})|U([0-9a-fA-F]{8}))")
BASE64_RUN = re.compile(rb"[A-Za-z0-9+/_-]{24,}={0,2}")
HEADED = re.compile(rb"\x1f\x8b\x08|\x78[\x01\x5e\x9c\xda]")
RAW_DEFLATE = re.compile(
    b"[" + b"".join(re.escape(bytes([byte])) for byte in range(256) if byte & 6 in {2, 4}) + b"]", re.DOTALL
)
"""First bytes of a block that is compressed (types 1 and 2, RFC 1951 3.2.3); a stored block shows its text anyway."""
STREAM_MOST, INFLATED_MOST = 64 * 1024, 4 * 1024 * 1024
RAW_TRIED = 64
"""A headless stream is first tried on so many bytes: nearly all candidates are chance, and fail at once."""
SHORT = 6
"""Markers below this many bytes are too likely to appear by chance in base64 or random bytes."""


def find(marker: str | bytes, data: bytes) -> list[str]:
    """The forms in which the marker is in the data, upper and lower case alike; nothing where it is not."""
    return Searched(data).find(marker)


class Searched:
    """Some bytes, made ready to be asked for any number of markers."""

    def __init__(self, data: bytes) -> None:
        self.data = data

    def find(self, marker: str | bytes) -> list[str]:
        """See the function of this name."""
        plain = marker.encode() if isinstance(marker, str) else marker
        if len(plain) < SHORT:
            raise ValueError("too short to be told from chance")
        found = [name for name, text in self._texts if plain.lower() in text]
        found += [name for name, needles in _packed(plain).items() if self._any(needles)]
        for name, inside in self._opened:
            found += [f"{name} > {form}" for form in inside.find(marker)]
        return found

    def _any(self, needles: list[bytes]) -> bool:
        return any(needle in self.data or needle in self._unwrapped for needle in needles)

    @property
    def unfolded(self) -> bytes:
        """The data without its line folds."""
        return self._unwrapped

    @cached_property
    def _unwrapped(self) -> bytes:
        return FOLD.sub(b"", self.data)

    @cached_property
    def _texts(self) -> list[tuple[str, bytes]]:
        """The readings of the data in which a marker stands as itself, in lower case; each only if it differs."""
        data, seen, texts = self.data, {self.data}, [("plain", self.data.lower())]
        readings = {
            "folded": self._unwrapped,
            "URL-encoded": unquote_to_bytes(data),
            "HTML-escaped": html.unescape(data.decode("latin-1")).encode("utf-8", "surrogatepass"),
            "JSON-escaped": JSON_UNIT.sub(_json_unit, data),
            "quoted-printable": quopri.decodestring(data) if b"=" in data else data,
            "RFC 2047": b"".join(_words(data)),
            "RFC 2231": unquote_to_bytes(CONTINUED.sub(b"", data)) if b"*" in data else data,
        }
        for name, text in readings.items():
            if text not in seen:
                seen.add(text)
                texts.append((name, text.lower()))
        return texts

    @cached_property
    def _opened(self) -> list[tuple[str, "Flat"]]:
        """What was compressed, wherever it starts, and base64 that holds something compressed."""
        inside = [(name, Flat(text)) for name, text in inflated(self.data)]
        for run in BASE64_RUN.finditer(self._unwrapped):
            blob = _unbase64(run[0])
            inside += [(f"base64 > {name}", Flat(text)) for name, text in _headed(blob)]
        return inside


class Flat(Searched):
    """The same without another level of compression."""

    @cached_property
    def _opened(self) -> list[tuple[str, "Flat"]]:
        return []


def inflated(data: bytes) -> Iterator[tuple[str, bytes]]:
    """What gzip, zlib and bare deflate streams in the data hold, also broken-off ones inside larger files."""
    yield from _headed(data)
    for match in RAW_DEFLATE.finditer(data):
        start = match.start()
        try:
            zlib.decompressobj(-zlib.MAX_WBITS).decompress(data[start : start + RAW_TRIED])
        except zlib.error:
            continue
        text = _inflate(data[start : start + STREAM_MOST], -zlib.MAX_WBITS)
        if len(text) >= SHORT:
            yield "deflate", text


def _headed(data: bytes) -> Iterator[tuple[str, bytes]]:
    for start in HEADED.finditer(data):
        kind, bits = ("gzip", 31) if start[0][0] == 0x1F else ("zlib", 15)
        text = _inflate(data[start.start() :], bits)
        if text:
            yield kind, text


def _inflate(data: bytes, bits: int) -> bytes:
    """As much as can be read: a stream whose end was overwritten still tells its beginning."""
    stream, text = zlib.decompressobj(bits), b""
    try:
        for at in range(0, len(data), 512):
            text += stream.decompress(data[at : at + 512], INFLATED_MOST)
            if stream.eof or len(text) > INFLATED_MOST:
                break
    except zlib.error:
        pass
    return text


def _packed(plain: bytes) -> dict[str, list[bytes]]:
    """Forms whose bytes are others than the marker's; each in the three cases a marker is likely to be written in."""
    cases = list(dict.fromkeys((plain, plain.lower(), plain.upper())))
    text = [each.decode("latin-1") for each in cases]
    twos = [each.hex() for each in cases]
    return {
        "hex": [*(each.encode() for each in twos), *(each.upper().encode() for each in twos)],
        "UTF-16 LE": [each.encode("utf-16-le") for each in text],
        "UTF-16 BE": [each.encode("utf-16-be") for each in text],
        **{f"base64 at {offset}": _base64(cases, offset) for offset in range(3)},
    }


def _base64(cases: list[bytes], offset: int) -> list[bytes]:
    """The signs that do not depend on what stands before and after, in both alphabets (RFC 4648 4 and 5)."""
    needles = []
    for plain in cases:
        whole = b64encode(bytes(offset) + plain)
        stable = whole[-(-offset * 8 // 6) : (offset + len(plain)) * 8 // 6]
        needles += [stable, stable.translate(bytes.maketrans(b"+/", b"-_"))]
    return needles


def _json_unit(match: re.Match[bytes]) -> bytes:
    return chr(min(int(next(filter(None, match.groups())), 16), 0x10FFFF)).encode("utf-8", "surrogatepass")


def _words(data: bytes) -> Iterator[bytes]:
    """The text with its encoded words read; the space between two of them does not count (RFC 2047 6.2)."""
    last = 0
    for word in WORD.finditer(data):
        yield data[last : word.start()]
        coded = word[2]
        yield _unbase64(coded) if word[1] in b"bB" else quopri.decodestring(coded, header=True)
        last = word.end()
    yield data[last:]


def _unbase64(text: bytes) -> bytes:
    try:
        return b64decode(text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/")) + b"==", validate=False)
    except NotBase64:  # one sign too many: what stands before it can still be read
        return b64decode(text.rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))[:-1] + b"==", validate=False)
