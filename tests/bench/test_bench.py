"""The benchmark itself: it measures, it refuses to time a wrong answer, and it says which goal was missed.

Wall clocks judge nothing here. CPU ratios and counts hold the goals with the slack that goals.toml names for each.
"""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bench import expected
from bench import http
from bench import jobs
from bench import layers
from bench import slots
from bench import startup
from bench.calibration import calibrate
from bench.figures import TINY
from bench.figures import Figure
from bench.figures import Outcome
from bench.figures import WrongAnswer
from bench.figures import percentile
from bench.figures import single
from bench.goals import Goal
from bench.goals import judge
from bench.goals import load
from bench.report import BEGIN
from bench.report import END
from bench.report import main as report
from bench.results import Log
from bench.run import PARTS
from bench.run import main
from bench.run import report_part
from bench.wsgi import Answer
from microsite.core.availability import Times
from microsite.core.availability import offer
from tests.conftest import ROOT
from tests.conftest import House

HELD_HERE = {goal.figure: goal for goal in load() if goal.gate}


def hold(outcome: Outcome) -> None:
    """Every gated goal that this outcome has a figure for is within its limit and slack."""
    figures = {figure.name: figure for figure in outcome.figures}
    asked = [goal for name, goal in HELD_HERE.items() if name in figures]
    assert asked
    for goal in asked:
        assert goal.met(figures[goal.figure].value, goal.gate), f"{figures[goal.figure]} against {goal}"


def test_the_slot_engine_keeps_its_goals_with_slack() -> None:
    outcome = slots.measure(TINY)
    assert {f"slots.busy_{name}_to_loop" for name in slots.COUNTS} <= {figure.name for figure in outcome.figures}
    hold(outcome)


def test_a_wrong_slot_engine_is_not_timed() -> None:
    def careless(times: Times) -> list[int]:
        return offer(times._replace(rules=times.rules._replace(after=0)))

    with pytest.raises(WrongAnswer, match="disagree"):
        slots.measure(TINY, careless)


def test_a_web_process_is_small_quick_to_start_and_loads_nothing_it_has_no_use_for() -> None:
    hold(startup.measure(TINY))


def test_both_engines_do_every_job_that_was_asked_for() -> None:
    hold(jobs.measure(TINY))


def test_the_picker_is_held_against_the_oracle_before_it_is_timed(house: House) -> None:
    """The demo coach's page, in this process: the true view passes, one with a time too many does not."""
    view = expected.view(house.services)
    outcome = http.in_process(house.services, view, TINY)
    assert {figure.name for figure in outcome.figures} >= {"http.cold_fragment_to_hello", "http.network_connections"}
    hold(outcome)
    with pytest.raises(WrongAnswer, match="the oracle says"):
        http.in_process(house.services, view._replace(slots=view.slots[1:]), TINY)


def test_each_set_of_layers_is_measured_in_a_process_of_its_own() -> None:
    figures = {figure.name: figure.value for figure in layers.measure(TINY).figures}
    assert {f"layers.{name}_us" for name in (*layers.LIBRARIES, *layers.SITE)} <= set(figures)
    assert figures["layers.bare_to_hello"] < 1 < figures["layers.changed_to_hello"]


def test_a_set_of_layers_that_answers_wrongly_is_not_timed() -> None:
    with pytest.raises(WrongAnswer, match="«nothing»"):
        layers.in_a_process("nothing", 1)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (Answer(503, {}, b""), "503"),
        (Answer(200, {}, b""), "headers"),
        (Answer(200, {name: "x" for name in (*http.MUST, "set-cookie")}, b""), "headers"),
        (Answer(200, dict.fromkeys(http.MUST, "x"), b"<html></html>"), "whole page"),
    ],
)
def test_a_page_that_is_not_as_it_must_be_is_not_timed(answer: Answer, words: str) -> None:
    with pytest.raises(WrongAnswer, match=words):
        http.check(lambda: answer, expected.View("/", []))


def test_an_answer_that_changes_from_one_time_to_the_next_is_not_timed() -> None:
    bodies = iter([b"one", b"two"])
    with pytest.raises(WrongAnswer, match="different bytes"):
        http.check(lambda: Answer(200, dict.fromkeys(http.MUST, "x"), next(bodies)), expected.View("/", []))


def test_a_missed_goal_is_named_with_value_and_limit_and_what_was_not_measured_is_missed() -> None:
    goals = [
        Goal(figure="a.ratio", at_least=0.7, says="quick enough"),
        Goal(figure="a.count", at_most=0, says="none lost"),
        Goal(figure="a.slow", at_most=1, says="flat", only="full"),
        Goal(figure="b.other", at_most=1, says="another part"),
    ]
    figures = {"a.ratio": single("a.ratio", 0.65, "x", "cpu")}

    ratio, count = judge(goals, figures, ["a"], full=False)

    assert not ratio.met and not count.met
    assert ratio.line == "MISSED  a.ratio: 0.65, limit at least 0.7 (quick enough)"
    assert "not measured" in count.line
    assert len(judge(goals, figures, ["a"], full=True)) == 3


def test_a_run_that_misses_a_goal_or_is_refused_ends_with_1(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("bench.run.Log", lambda size, calibration: Log(size, calibration, tmp_path))
    monkeypatch.setattr("bench.run.load", lambda: [Goal(figure="a.ratio", at_least=0.7, says="quick enough")])

    def slow(_: object) -> Outcome:
        return Outcome([single("a.ratio", 0.5, "x", "cpu")])

    def wrong(_: object) -> Outcome:
        raise WrongAnswer("two people in one time")

    assert report_part("a", lambda _: Outcome([single("a.ratio", 0.8, "x", "cpu")]), TINY) == 0
    assert report_part("a", slow, TINY) == 1
    assert report_part("a", wrong, TINY) == 1
    said = capsys.readouterr().out
    assert "MISSED  a.ratio: 0.5, limit at least 0.7" in said
    assert "NOT TIMED, the answer is wrong: two people in one time" in said
    lines = [json.loads(line) for file in tmp_path.iterdir() for line in file.read_text().splitlines()]
    assert {line.get("refused", "") for line in lines} == {"", "two people in one time"}
    assert all(line["commit"] and line["machine"]["cores"] and line["calibration"]["loop_ms"] for line in lines)


@pytest.mark.parametrize(("words", "value", "ends_with"), [([], 0.5, 0), (["--check"], 0.5, 1), (["--check"], 0.8, 0)])
def test_the_check_ends_with_1_where_a_goal_is_missed(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, words: list[str], value: float, ends_with: int
) -> None:
    results = tmp_path / "bench" / "results"
    monkeypatch.setattr("bench.run.Log", lambda size, calibration: Log(size, calibration, results))
    monkeypatch.setattr("bench.run.load", lambda: [Goal(figure="slots.ratio", at_least=0.7, says="quick enough")])
    outcome = Outcome([single("slots.ratio", value, "x", "cpu")])
    monkeypatch.setattr("bench.run.part_of", lambda _name: lambda _size: outcome)
    assert main(["--size", "tiny", "--only", "slots", *words]) == ends_with


def test_the_command_measures_prints_its_calibration_and_keeps_the_result() -> None:
    words = [sys.executable, "-m", "bench", "--size", "tiny", "--only", "slots"]
    done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert "Calibration: loop" in done.stdout
    assert "slots.busy_10k_to_loop" in done.stdout
    kept = ROOT / done.stdout.rpartition("Kept in ")[2].strip()
    (line,) = kept.read_text().splitlines()
    assert json.loads(line)["part"] == "slots"
    kept.unlink()


def test_the_command_knows_its_parts(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--only", "nothing"]) == 2
    assert "There is no part «nothing»" in capsys.readouterr().out


def test_every_goal_belongs_to_a_part_and_no_wall_clock_is_held_here() -> None:
    for goal in load():
        assert goal.figure.partition(".")[0] in PARTS
        assert not goal.gate or goal.gate >= 1
    walls = ("http.fragment_to_hello", "unchanged_to_hello", "fsync", "p99", "p95", "per_second")
    assert not [name for name in HELD_HERE if name.endswith(walls)]


def test_the_last_figures_are_written_between_their_marks(tmp_path: Path) -> None:
    page, results = tmp_path / "page.md", tmp_path / "results"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    assert report(page, results) == 1
    log = Log("quick", calibrate(1), results)
    log.add("slots", Outcome([Figure("slots.busy_0_to_loop", 0.03, "x", "cpu", 0.02, 0.05, 5)]))
    log.refuse("http", "the fragment was answered with 503")
    assert report(page, results) == 0
    text = page.read_text()
    assert text.startswith("before\n") and text.endswith("after\n") and "old" not in text
    assert "| slots.busy_0_to_loop | 0.03 x | 0.02 to 0.05 | at most 0.04 | held |" in text
    assert "the fragment was answered with 503" in text


def test_a_percentile_is_a_value_that_was_measured() -> None:
    assert percentile([3, 1, 2], 0.5) == 2
    assert percentile([1], 0.99) == 1
    assert percentile(range(100), 0.99) == 99
