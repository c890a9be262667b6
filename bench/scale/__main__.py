"""`python -m bench.scale [--coaches N] [--hours H] [--seed S] [--zipf E] [--policy ours|fixed] [--json]`."""

import argparse
import json
import time

from . import simulate
from .demand import POPULATION
from .simulation import Scenario


def main() -> int:
    """1 where anybody was booked into a time that somebody else had."""
    parser = argparse.ArgumentParser(prog="python -m bench.scale", description=__doc__)
    parser.add_argument("--coaches", type=int, default=POPULATION)
    parser.add_argument("--hours", type=int, default=24)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--zipf", type=float, default=1.0)
    parser.add_argument("--policy", choices=("ours", "fixed"), default="ours")
    parser.add_argument("--json", action="store_true", help="a line of JSON instead of the table")
    asked = parser.parse_args()
    began = time.process_time()
    found = simulate(Scenario(asked.coaches, asked.hours, asked.seed, exponent=asked.zipf, policy=asked.policy))
    if asked.json:
        print(json.dumps(found.as_dict()))
    else:
        print("\n".join(found.remarks))
        for name, value in found.values.items():
            print(f"  {name.replace('_', ' '):40} {value:14,.2f} {found.units[name]}")
        print(f"Simulated in {time.process_time() - began:.0f} s of CPU time.")
    return 1 if found.values["double_bookings"] else 0


if __name__ == "__main__":
    raise SystemExit(main())
