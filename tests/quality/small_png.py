"""A screenshot made small: at most 256 colours, packed tightly. The standard library only.

Reads what browsers write (8 bits, RGB or RGBA, not interlaced) and nothing else.
"""

import struct
import zlib
from collections import Counter
from typing import NamedTuple

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOURS = 256
Colour = tuple[int, int, int]


class Picture(NamedTuple):
    """Rows of RGB bytes."""

    width: int
    height: int
    rows: list[bytes]


def shrink(png: bytes) -> bytes:
    """The same picture with a palette."""
    picture = read(png)
    counted = Counter(colour for row in picture.rows for colour in _colours(row))
    boxes = _boxes(list(counted.items()))
    palette = [_mean(box) for box in boxes]
    place = {colour: number for number, box in enumerate(boxes) for colour, _ in box}
    rows = b"".join(b"\0" + bytes(place[colour] for colour in _colours(row)) for row in picture.rows)
    head = struct.pack(">IIBBBBB", picture.width, picture.height, 8, 3, 0, 0, 0)
    table = b"".join(bytes(colour) for colour in palette)
    packed = zlib.compress(rows, 9)
    return SIGNATURE + _chunk(b"IHDR", head) + _chunk(b"PLTE", table) + _chunk(b"IDAT", packed) + _chunk(b"IEND", b"")


def read(png: bytes) -> Picture:
    """The picture in a PNG; raises ValueError for other kinds than browsers write."""
    width = height = channels = 0
    packed, at = b"", len(SIGNATURE)
    while at < len(png):
        (length,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + length]
        if kind == b"IHDR":
            width, height, depth, colour, _, _, interlaced = struct.unpack(">IIBBBBB", body)
            if depth != 8 or colour not in {2, 6} or interlaced:
                raise ValueError("not a browser's screenshot")
            channels = 3 if colour == 2 else 4
        packed += body if kind == b"IDAT" else b""
        at += 12 + length
    return Picture(width, height, list(_rows(zlib.decompress(packed), width, height, channels)))


def _rows(raw: bytes, width: int, height: int, channels: int) -> "list[bytes]":
    stride, before, found = width * channels, bytes(width * channels), []
    for number in range(height):
        start = number * (stride + 1)
        before = _unfiltered(raw[start], bytearray(raw[start + 1 : start + 1 + stride]), before, channels)
        found.append(before if channels == 3 else _without_alpha(before))
    return found


def _unfiltered(kind: int, row: bytearray, above: bytes, step: int) -> bytes:
    for at in range(len(row)):
        left = row[at - step] if at >= step else 0
        corner = above[at - step] if at >= step else 0
        if kind == 1:
            row[at] = row[at] + left & 255
        elif kind == 2:
            row[at] = row[at] + above[at] & 255
        elif kind == 3:
            row[at] = row[at] + (left + above[at]) // 2 & 255
        elif kind == 4:
            row[at] = row[at] + _paeth(left, above[at], corner) & 255
    return bytes(row)


def _paeth(left: int, above: int, corner: int) -> int:
    guess = left + above - corner
    return min((left, above, corner), key=lambda each: abs(guess - each))


def _without_alpha(row: bytes) -> bytes:
    return bytes(value for at, value in enumerate(row) if at % 4 != 3)


def _colours(row: bytes) -> "zip[Colour]":
    return zip(row[::3], row[1::3], row[2::3], strict=True)


def _boxes(colours: "list[tuple[Colour, int]]") -> "list[list[tuple[Colour, int]]]":
    """Median cut: the box with the widest channel is halved until there are enough."""
    boxes = [colours]
    while len(boxes) < COLOURS:
        width, channel, index = max((*_widest(box), index) for index, box in enumerate(boxes))
        if not width:
            break
        box = sorted(boxes.pop(index), key=lambda each: each[0][channel])
        middle = (box[0][0][channel] + box[-1][0][channel]) / 2
        cut = next(at for at, (colour, _) in enumerate(box) if colour[channel] > middle)
        boxes += [box[:cut], box[cut:]]
    return boxes


def _widest(box: "list[tuple[Colour, int]]") -> tuple[int, int]:
    spans = [max(c[at] for c, _ in box) - min(c[at] for c, _ in box) for at in range(3)]
    widest = max(range(3), key=spans.__getitem__)
    return spans[widest], widest


def _mean(box: "list[tuple[Colour, int]]") -> Colour:
    """The commonest colour of a box, so that grounds and letters keep theirs exactly."""
    return max(box, key=lambda each: each[1])[0]


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
