"""The goals, and whether a run met them. They are ratios and counts, so they hold on any machine."""

import tomllib
from collections.abc import Iterable
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import msgspec

from .figures import Figure

FILE = Path(__file__).parent / "goals.toml"
ONLY_FULL = "full"


class Goal(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A limit for one figure, from above or from below.

    `only` is "full" where a quick run cannot say; `gate` is a factor of slack with which the test suite holds the same
    limit (CPU, memory and counts only; a factor of 0 means that it does not).
    """

    figure: str
    says: str
    at_most: float | None = None
    at_least: float | None = None
    only: Literal["", "full"] = ""
    gate: float = 0

    def met(self, value: float, slack: float = 1) -> bool:
        """Whether a value is within the limit, made wider by a factor of slack."""
        if self.at_most is not None and value > self.at_most * slack:
            return False
        return self.at_least is None or value >= self.at_least / slack

    @property
    def limit(self) -> str:
        """The limit as one reads it."""
        return f"at most {self.at_most:g}" if self.at_most is not None else f"at least {self.at_least:g}"


class Verdict(msgspec.Struct, frozen=True):
    """A goal beside what was measured; `value` is None where nothing was."""

    goal: Goal
    value: float | None
    met: bool

    @property
    def line(self) -> str:
        """One line for whoever ran the check."""
        value = "not measured" if self.value is None else f"{self.value:.4g}"
        word = "held" if self.met else "MISSED"
        return f"{word:7} {self.goal.figure}: {value}, limit {self.goal.limit} ({self.goal.says})"


def load(file: Path = FILE) -> list[Goal]:
    """All goals; raises msgspec.ValidationError where one is not well written."""
    goals = msgspec.convert(tomllib.loads(file.read_text("utf-8")).get("goal", []), list[Goal])
    for goal in goals:
        if (goal.at_most is None) == (goal.at_least is None):
            raise msgspec.ValidationError(f"{file.name}: {goal.figure} needs at_most or at_least, and only one of them")
    return goals


def judge(goals: Iterable[Goal], figures: Mapping[str, Figure], parts: Iterable[str], full: bool) -> list[Verdict]:
    """Each goal of the parts that ran. What should have been measured and was not is missed."""
    ran = set(parts)
    asked = [goal for goal in goals if goal.figure.partition(".")[0] in ran and (full or goal.only != ONLY_FULL)]
    return [_verdict(goal, figures.get(goal.figure)) for goal in asked]


def _verdict(goal: Goal, figure: Figure | None) -> Verdict:
    value = None if figure is None else figure.value
    return Verdict(goal, value, value is not None and goal.met(value))
