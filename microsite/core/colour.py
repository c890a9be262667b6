"""A coach's own colour: whether it can be read everywhere it is used, and the shades made of it. Pure.

Contrast is WCAG 2.2's (1.4.3 and 1.4.11). The grounds are those of static/site.css; a test holds the two together.
"""

import re
from typing import NamedTuple

HEX = re.compile(r"#[0-9a-f]{6}")
LEAST = 4.5
"""WCAG 2.2, 1.4.3 (AA): letters against what is behind them."""
LIGHT_GROUND, LIGHT_PAPER = "#f3f7f6", "#ffffff"
DARK_GROUND, DARK_PAPER, DARK_ON = "#0f171c", "#17232a", "#0e1834"
BLACK, WHITE = "#000000", "#ffffff"
DARK_LEAST = 7.0
STEP = 0.05


class Shades(NamedTuple):
    """One theme's colours: links and buttons, letters on them, under a pointer, and a tint behind words."""

    action: str
    on_action: str
    hover: str
    tint: str


def contrast(one: str, other: str) -> float:
    """The contrast ratio of two colours `#rrggbb`, 1 to 21."""
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def mix(one: str, other: str, share: float) -> str:
    """`one` with this share of `other` in it."""
    pairs = zip(_channels(one), _channels(other), strict=True)
    return "#" + "".join(f"{round(a + (b - a) * share):02x}" for a, b in pairs)


def weakest(accent: str) -> float:
    """The lowest contrast of this colour on light pages: as letters, behind white ones, and on its own tint."""
    shades = light(accent)
    return min(contrast(accent, ground) for ground in (LIGHT_GROUND, LIGHT_PAPER, shades.tint))


def readable(accent: str) -> bool:
    """Whether a colour may be used."""
    return weakest(accent) >= LEAST


def light(accent: str) -> Shades:
    """The shades on light pages."""
    return Shades(accent, WHITE, mix(accent, BLACK, 0.25), mix(accent, WHITE, 0.88))


def dark(accent: str) -> Shades:
    """The shades on dark pages: the same hue, as much lighter as reading needs."""
    action, share = accent, 0.0
    while min(contrast(action, DARK_PAPER), contrast(action, DARK_ON)) < DARK_LEAST:
        share += STEP
        action = mix(accent, WHITE, share)
    return Shades(action, DARK_ON, mix(action, WHITE, 0.35), mix(DARK_GROUND, action, 0.2))


def _luminance(colour: str) -> float:
    red, green, blue = (_linear(channel / 255) for channel in _channels(colour))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return float(channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4)


def _channels(colour: str) -> tuple[int, int, int]:
    return int(colour[1:3], 16), int(colour[3:5], 16), int(colour[5:7], 16)
