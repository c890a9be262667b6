"""A coach's own colour is only taken where it can be read; the shades made of it can be read always."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.core import colour
from microsite.core.settings import read_settings
from microsite.errors import SettingsError

STYLE = (Path(__file__).parents[2] / "static" / "site.css").read_text(encoding="utf-8")
ANY = st.from_regex(r"\A#[0-9a-f]{6}\Z")


@pytest.mark.parametrize(
    ("one", "other", "ratio"),
    [
        ("#000000", "#ffffff", 21.0),
        ("#777777", "#ffffff", 4.48),
        ("#2a3f86", "#f3f7f6", 9.0),
        ("#ffffff", "#ffffff", 1),
    ],
)
def test_contrast_is_what_wcag_says(one: str, other: str, ratio: float) -> None:
    assert colour.contrast(one, other) == colour.contrast(other, one) == pytest.approx(ratio, abs=0.06)


@given(ANY)
def test_an_accepted_colour_can_be_read_everywhere_in_both_themes(accent: str) -> None:
    if not colour.readable(accent):
        return
    light, dark = colour.light(accent), colour.dark(accent)
    for ground in (colour.LIGHT_GROUND, colour.LIGHT_PAPER, light.tint):
        assert colour.contrast(light.action, ground) >= 4.5
        assert colour.contrast(light.hover, ground) >= 4.5
    for ground in (colour.DARK_GROUND, colour.DARK_PAPER, dark.tint):
        assert colour.contrast(dark.action, ground) >= 4.5
        assert colour.contrast(dark.hover, ground) >= 4.5
    for shades in (light, dark):
        assert colour.contrast(shades.on_action, shades.action) >= 4.5
        assert colour.contrast(shades.on_action, shades.hover) >= 4.5
    assert colour.contrast("#17262e", light.tint) >= 4.5
    assert colour.contrast("#e7eff1", dark.tint) >= 4.5


def test_the_grounds_are_those_of_the_stylesheet() -> None:
    for token, value in (
        ("kabut", colour.LIGHT_GROUND),
        ("kabut", colour.DARK_GROUND),
        ("kertas", colour.DARK_PAPER),
        ("di-nila", colour.DARK_ON),
    ):
        assert f"--{token}: {value};" in STYLE


@pytest.mark.parametrize("accent", ["#f0b429", "#ffffff", "#79b8d8", "red", "#fff", "#2A3F86", "#2a3f86;", "2a3f86"])
def test_a_colour_that_cannot_be_read_is_refused_with_the_reason(accent: str) -> None:
    with pytest.raises(SettingsError) as refused:
        read_settings({"name": "Sari", "accent": accent}, "desk")

    assert refused.value.field == "accent"
    if accent in {"#f0b429", "#79b8d8"}:
        assert "4.5" in refused.value.allowed and f"{colour.weakest(accent):.1f}" in refused.value.allowed


def test_a_dark_enough_colour_is_taken() -> None:
    assert read_settings({"name": "Sari", "accent": "#1d6b4a"}, "desk").accent == "#1d6b4a"
