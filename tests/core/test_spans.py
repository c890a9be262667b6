"""Sets of spans: tables with a words column, and the algebra against sets of single units."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from microsite.core.spans import Span
from microsite.core.spans import Spans

Pairs = list[tuple[int, int]]
PAIRS: st.SearchStrategy[Pairs] = st.lists(st.tuples(st.integers(-30, 60), st.integers(-30, 60)), max_size=8)


def units(pairs: Pairs) -> set[int]:
    """The same as a set of unit steps."""
    return {at for start, end in pairs for at in range(start, end)}


def of_units(steps: set[int]) -> Spans:
    return Spans.of((at, at + 1) for at in steps)


MERGED = [
    ([], [], "nothing"),
    ([(1, 3)], [(1, 3)], "one"),
    ([(5, 6), (1, 3)], [(1, 3), (5, 6)], "order does not matter"),
    ([(1, 3), (3, 5)], [(1, 5)], "touching ones become one"),
    ([(1, 5), (2, 3)], [(1, 5)], "one inside the other"),
    ([(1, 3), (2, 5)], [(1, 5)], "overlapping"),
    ([(3, 3), (5, 4)], [], "empty and reversed ones vanish"),
    ([(1, 9), (2, 3), (4, 5), (8, 12)], [(1, 12)], "a long one swallows, the last one lengthens it"),
]


@pytest.mark.parametrize(("pairs", "merged", "words"), MERGED, ids=[words for *_, words in MERGED])
def test_spans_are_merged(pairs: Pairs, merged: Pairs, words: str) -> None:
    assert [tuple(span) for span in Spans.of(pairs)] == merged, words


QUESTIONS = [
    ((10, 20), True, True, "the whole span"),
    ((12, 15), True, True, "inside"),
    ((9, 15), False, True, "begins before"),
    ((15, 21), False, True, "ends after"),
    ((20, 30), False, False, "exactly between two"),
    ((20, 31), False, True, "touches the next"),
    ((19, 30), False, True, "touches the one before"),
    ((0, 10), False, False, "before all, up to the first"),
    ((40, 50), False, False, "after all"),
    ((5, 45), False, True, "around all"),
]


@pytest.mark.parametrize(("asked", "covers", "touches", "words"), QUESTIONS, ids=[words for *_, words in QUESTIONS])
def test_two_spans_answer(asked: tuple[int, int], covers: bool, touches: bool, words: str) -> None:
    spans = Spans.of([(10, 20), (30, 40)])
    assert spans.covers(*asked) is covers, words
    assert spans.touches(*asked) is touches, words


@given(PAIRS, PAIRS)
def test_the_algebra_is_that_of_sets(one: Pairs, two: Pairs) -> None:
    a, b = Spans.of(one), Spans.of(two)
    assert a.union(b) == of_units(units(one) | units(two))
    assert a.subtract(b) == of_units(units(one) - units(two))
    assert a.union() == a
    assert bool(a) is bool(units(one))
    assert len(a) == len(list(a))
    assert a.end == (max(units(one)) + 1 if units(one) else None)


@given(PAIRS, PAIRS)
def test_sets_hold_the_same_outside_the_stretch_in_which_they_differ(one: Pairs, two: Pairs) -> None:
    """And they differ at both its ends, so it is no longer than it must be."""
    different = units(one) ^ units(two)
    stretch = Spans.of(one).differs(Spans.of(two))
    assert stretch == ((min(different), max(different) + 1) if different else None)


@given(PAIRS, st.integers(-40, 70), st.integers(1, 30))
def test_questions_are_those_of_sets(pairs: Pairs, start: int, length: int) -> None:
    spans, asked = Spans.of(pairs), set(range(start, start + length))
    assert spans.clip(start, start + length) == of_units(units(pairs) & asked)
    assert spans.covers(start, start + length) is (asked <= units(pairs))
    assert spans.touches(start, start + length) is bool(asked & units(pairs))
    assert list(spans.within(start, start + length)) == [
        span for span in spans if span.overlaps(Span(start, start + length))
    ]


@given(PAIRS)
def test_edges_rise_strictly_and_survive_packing(pairs: Pairs) -> None:
    spans = Spans.of(pairs)
    assert all(left < right for left, right in zip(spans.edges, spans.edges[1:], strict=False))
    assert Spans.unpack(spans.pack()) == spans
    assert hash(Spans.unpack(spans.pack())) == hash(spans)
    assert len(spans.pack()) == 16 * len(spans)


def test_the_packed_form_is_little_endian() -> None:
    assert Spans.of([(1, 258)]).pack() == bytes([1, 0, 0, 0, 0, 0, 0, 0, 2, 1, 0, 0, 0, 0, 0, 0])


def test_a_set_shows_itself_and_equals_only_its_like() -> None:
    assert repr(Spans.of([(1, 2)])) == "Spans([(1, 2)])"
    assert Spans.of([(1, 2)]) != [(1, 2)]


@given(st.lists(st.tuples(st.integers(0, 50), st.integers(0, 50)), max_size=8))
def test_flat_boundaries_give_the_same_as_pairs_whether_they_rise_or_not(pairs: list[tuple[int, int]]) -> None:
    assert Spans.rising([edge for pair in pairs for edge in pair]) == Spans.of(pairs)
    rising = [edge for span in Spans.of(pairs) for edge in span]
    assert Spans.rising(rising) == Spans.of(pairs)
