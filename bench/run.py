"""Runs the parts one after the other and prints what they found: `python -m bench [--full] [--check] [--only a,b]`."""

import argparse
import importlib
import sys
import time
from collections.abc import Sequence

from .calibration import Calibration
from .calibration import calibrate
from .figures import FULL
from .figures import QUICK
from .figures import TINY
from .figures import Figure
from .figures import Outcome
from .figures import Part
from .figures import Size
from .figures import WrongAnswer
from .goals import Verdict
from .goals import judge
from .goals import load
from .machine import commit
from .machine import facts
from .results import Log

PARTS = ("startup", "slots", "layers", "http", "store", "confirm", "jobs", "scale", "soak")
"""In this order: what feels its neighbours most comes while the machine is still cool."""
SIZES = {size.name: size for size in (TINY, QUICK, FULL)}


def main(words: Sequence[str] | None = None) -> int:
    """0 where all is well, 1 where a part was refused or, with --check, a goal was missed."""
    asked = _arguments(words)
    size, names = SIZES[asked.size], tuple(asked.only.split(",")) if asked.only else PARTS
    unknown = set(names) - set(PARTS)
    if unknown:
        print(f"There is no part «{', '.join(sorted(unknown))}»; there are: {', '.join(PARTS)}.")
        return 2
    log = _begin(size)
    figures: dict[str, Figure] = {}
    refused = [name for name in names if not _part(name, part_of(name), size, log, figures)]
    verdicts = judge(load(), figures, names, size is FULL)
    missed = show(verdicts)
    print(f"\nKept in {log.file.relative_to(log.file.parents[2])}")
    return 1 if refused or (asked.check and missed) else 0


def report_part(name: str, part: Part, size: Size) -> int:
    """One part that was started by itself: run it, judge it, keep it. 1 where it was refused or missed a goal."""
    log = _begin(size)
    figures: dict[str, Figure] = {}
    done = _part(name, part, size, log, figures)
    missed = show(judge(load(), figures, [name], size is FULL))
    return 0 if done and not missed else 1


def part_of(name: str) -> Part:
    """The `measure` of a part; loaded when its turn has come, so that none pays for another's libraries."""
    part: Part = importlib.import_module(f"bench.{name}").measure
    return part


def show(verdicts: Sequence[Verdict]) -> list[Verdict]:
    """Print every goal beside what was measured; answers those that were missed."""
    if verdicts:
        print("\nGoals")
    for verdict in verdicts:
        print(f"  {verdict.line}")
    missed = [verdict for verdict in verdicts if not verdict.met]
    if missed:
        print(f"\n{len(missed)} of {len(verdicts)} goals missed: {', '.join(each.goal.figure for each in missed)}")
    return missed


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("--size", choices=SIZES, default="quick", help="tiny only proves that the bench itself works")
    parser.add_argument("--full", dest="size", action="store_const", const="full", help="the long form")
    parser.add_argument("--check", action="store_true", help="exit with 1 where a goal is missed")
    parser.add_argument("--only", default="", help="parts to run, with commas between them")
    return parser.parse_args(words)


def _begin(size: Size) -> Log:
    calibration = calibrate(size.rounds)
    _print_head(size, calibration)
    return Log(size.name, calibration)


def _part(name: str, part: Part, size: Size, log: Log, figures: dict[str, Figure]) -> bool:
    """Run one part; False where it was refused because an answer was wrong."""
    began = time.monotonic()
    try:
        outcome = part(size)
    except WrongAnswer as wrong:
        print(f"\n{name}: NOT TIMED, the answer is wrong: {wrong}")
        log.refuse(name, str(wrong))
        return False
    log.add(name, outcome)
    figures.update({figure.name: figure for figure in outcome.figures})
    _print_part(name, outcome, time.monotonic() - began)
    return True


def _print_head(size: Size, calibration: Calibration) -> None:
    machine = facts()
    print(
        f"Commit {commit()}, {size.name} form. {machine['cpu']}, {machine['cores']} cores, {machine['memory_mb']} MB,"
        f" {machine['system']}, Python {machine['python']}, load {machine['load']}.\n"
        f"Calibration: loop {calibration.loop_ms} ms; write to disk {calibration.fsync_p50_ms} ms, slowest hundredth"
        f" {calibration.fsync_p99_ms} ms; loopback {calibration.loopback_per_second:.0f} exchanges a second.",
        flush=True,
    )


def _print_part(name: str, outcome: Outcome, took: float) -> None:
    print(f"\n{name} ({took:.0f} s)")
    for each in outcome.figures:
        spread = f"[{each.low:.4g} to {each.high:.4g}, {each.rounds} rounds]" if each.rounds > 1 else ""
        print(f"  {each.name:42} {each.value:10.4g} {each.unit:5} {each.kind:6} {spread}")
    for remark in outcome.remarks:
        print(f"  {remark}.")
    sys.stdout.flush()
