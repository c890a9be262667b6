"""Characters that nobody types and everybody can be misled by are seen, and taken out without losing anything else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.core import signs


@pytest.mark.parametrize(
    "sign", ["\0", "\x1b", "\x7f", "\x85", "\u200f", "\u202e", "\u2066", "\u2028", "\ufeff", "\ud800"]
)
def test_an_odd_sign_is_seen_and_taken_out(sign: str) -> None:
    assert signs.unsafe(f"a{sign}b", lines=True)
    assert signs.cleaned(f"a{sign}b", lines=True) == "ab"


def test_a_note_keeps_its_lines_when_something_is_taken_out_of_it() -> None:
    assert signs.cleaned("satu\ndua\u202e\tc", lines=True) == "satu\ndua\tc"
    assert signs.cleaned("satu\ndua") == "satu dua"


@pytest.mark.parametrize("text", ["Ké 👩‍👩‍👧 𝒜", "نور", "हिन्दी", "a\u200db"])
def test_names_of_all_the_world_are_left_alone(text: str) -> None:
    assert not signs.unsafe(text)
    assert signs.cleaned(text) == text


@given(st.text(), st.booleans())
def test_what_was_cleaned_is_clean_and_cleaning_again_changes_nothing(text: str, lines: bool) -> None:
    once = signs.cleaned(text, lines)
    assert not signs.unsafe(once, lines)
    assert signs.cleaned(once, lines) == once
