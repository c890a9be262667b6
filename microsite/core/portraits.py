"""A coach's portrait as it is kept: two sizes of one square, and how large a file may be that becomes one."""

from typing import Literal

import msgspec

MOST_BYTES = 12 * 1024 * 1024
MOST_PIXELS = 50_000_000
"""More than any phone takes without being asked; a decompression bomb has more."""
LEAST_SIDE = 96
KINDS = ("JPEG", "PNG", "WEBP")
SIDES = {"small": 96, "large": 288}
"""Pixels along an edge: a small round picture on fine screens, and a larger one."""
Size = Literal["small", "large"]


class Portrait(msgspec.Struct, frozen=True, tag="portrait"):
    """Both sizes as WebP, and a name made of their content."""

    digest: str
    small: bytes
    large: bytes
