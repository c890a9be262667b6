"""Half-open spans of time in UTC seconds, and sorted sets of them packed into one array.

A `Spans` keeps its boundaries interleaved (start, end, start, end, …), strictly rising, so one bisection says
whether an instant lies inside: it does when the number of boundaries at or before it is odd.
"""

import sys
from array import array
from bisect import bisect_left
from bisect import bisect_right
from collections.abc import Iterable
from collections.abc import Iterator
from itertools import islice
from operator import lt
from typing import NamedTuple

MINUTE = 60
HOUR = 3600
DAY = 86400


class Span(NamedTuple):
    """From `start` up to but not including `end`, UTC seconds."""

    start: int
    end: int

    def overlaps(self, other: "Span") -> bool:
        """Whether the two share at least one second."""
        return self.start < other.end and other.start < self.end


class Spans:
    """An immutable, sorted, merged set of spans."""

    __slots__ = ("_edges",)

    def __init__(self, edges: "array[int] | None" = None) -> None:
        self._edges = edges if edges is not None else array("q")

    @classmethod
    def of(cls, spans: Iterable[tuple[int, int]]) -> "Spans":
        """Merge any spans, in any order; empty and reversed ones vanish."""
        edges: list[int] = []
        for start, end in sorted(spans):
            if start >= end:
                continue
            if not edges or start > edges[-1]:
                edges.append(start)
                edges.append(end)
            elif end > edges[-1]:
                edges[-1] = end
        return cls(array("q", edges))

    @classmethod
    def rising(cls, edges: list[int]) -> "Spans":
        """The same from flat boundaries (start, end, start, end, …), quicker where they already rise."""
        if all(map(lt, edges, islice(edges, 1, None))):
            return cls(array("q", edges))
        return cls.of(zip(edges[::2], edges[1::2], strict=True))

    @classmethod
    def unpack(cls, data: bytes) -> "Spans":
        """Read what `pack` wrote."""
        edges = array("q")
        edges.frombytes(data)
        if sys.byteorder == "big":
            edges.byteswap()
        return cls(edges)

    def pack(self) -> bytes:
        """The boundaries as little-endian 64-bit integers: what the store keeps."""
        if sys.byteorder == "big":
            swapped = array("q", self._edges)
            swapped.byteswap()
            return swapped.tobytes()
        return self._edges.tobytes()

    def __iter__(self) -> Iterator[Span]:
        edges = self._edges
        return (Span(edges[i], edges[i + 1]) for i in range(0, len(edges), 2))

    def __len__(self) -> int:
        return len(self._edges) // 2

    def __bool__(self) -> bool:
        return bool(self._edges)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Spans) and self._edges == other._edges

    def __hash__(self) -> int:
        return hash(self._edges.tobytes())

    def __repr__(self) -> str:
        return f"Spans({[tuple(span) for span in self]})"

    @property
    def edges(self) -> "array[int]":
        """The boundaries themselves, to be read and bisected where a tuple for each span would cost too much."""
        return self._edges

    @property
    def end(self) -> int | None:
        """Where the last span ends, or None when there is none."""
        return self._edges[-1] if self._edges else None

    def covers(self, start: int, end: int) -> bool:
        """Whether one span holds the whole of [start, end)."""
        at = bisect_right(self._edges, start)
        return at % 2 == 1 and end <= self._edges[at]

    def touches(self, start: int, end: int) -> bool:
        """Whether any span shares a second with [start, end)."""
        at = bisect_right(self._edges, start)
        return at % 2 == 1 or (at < len(self._edges) and self._edges[at] < end)

    def within(self, start: int, end: int) -> Iterator[Span]:
        """The whole (unclipped) spans that share a second with [start, end), in order."""
        edges = self._edges
        first = bisect_right(edges, start) & ~1
        last = bisect_left(edges, end)
        return (Span(edges[i], edges[i + 1]) for i in range(first, last, 2))

    def clip(self, start: int, end: int) -> "Spans":
        """What of the set lies in [start, end)."""
        return Spans.of((max(s, start), min(e, end)) for s, e in self.within(start, end))

    def union(self, *others: "Spans") -> "Spans":
        """All of these sets together."""
        full = [each for each in (self, *others) if each]
        if len(full) < 2:
            return full[0] if full else self
        return Spans.of(pair for each in full for pair in zip(each.edges[::2], each.edges[1::2], strict=True))

    def differs(self, other: "Spans") -> Span | None:
        """The stretch outside which both sets hold the same; None where they are equal."""
        mine, theirs = self._edges, other._edges
        if mine == theirs:
            return None
        # What both share at either end, by bisection: comparing two slices is one call, comparing each edge is many.
        shorter = range(min(len(mine), len(theirs)))
        head = bisect_left(shorter, True, key=lambda n: mine[: n + 1] != theirs[: n + 1])
        tail = bisect_left(shorter, True, key=lambda n: mine[-n - 1 :] != theirs[-n - 1 :])
        return Span(
            min(edges[head] for edges in (mine, theirs) if len(edges) > head),
            max(edges[-tail - 1] for edges in (mine, theirs) if len(edges) > tail),
        )

    def subtract(self, other: "Spans") -> "Spans":
        """This set without the other."""
        pieces: list[tuple[int, int]] = []
        for start, end in self:
            at = start
            for hole in other.within(start, end):
                pieces.append((at, hole.start))
                at = hole.end
            pieces.append((at, end))
        return Spans.of(pieces)
