"""`python -m bench.peers NAME URL [--expect WORDS] [--header "Name: value"] [--connections 1,8] [--full]`.

Loads a peer's address that lists free times and our fragment in turn, after both were seen to answer rightly.
"""

import argparse
import sys
from collections.abc import Iterator
from collections.abc import Mapping
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_address
from socket import getaddrinfo
from urllib.parse import urlsplit

from bench import client
from bench import http
from bench.calibration import calibrate
from bench.client import Load
from bench.expected import view
from bench.figures import FULL
from bench.figures import QUICK
from bench.figures import Figure
from bench.figures import Outcome
from bench.figures import Size
from bench.figures import WrongAnswer
from bench.figures import of_rounds
from bench.results import Log
from bench.rounds import interleaved
from bench.rounds import ratio
from bench.site import instance
from bench.site import serving

SHOWN = ("p50_ms", "p99_ms")


def main(words: Sequence[str] | None = None) -> int:
    """0 where both were timed, 1 where one answered wrongly, 2 where the address is not on this machine."""
    asked = _arguments(words)
    if not _here(asked.url):
        print("Only a peer on this machine is asked: over a network the network would be measured.")
        return 2
    headers = dict(line.split(": ", 1) for line in asked.header)
    counts = [int(each) for each in asked.connections.split(",")]
    try:
        outcome = beside(asked.name, asked.url, headers, asked.expect, counts, FULL if asked.full else QUICK)
    except WrongAnswer as wrong:
        print(f"NOT TIMED, the answer is wrong: {wrong}")
        return 1
    Log(asked.name, calibrate(3)).add("peers", outcome)
    for each in outcome.figures:
        print(f"  {each.name:42} {each.value:10.4g} {each.unit:5} [{each.low:.4g} to {each.high:.4g}]")
    return 0


def beside(name: str, url: str, headers: Mapping[str, str], expect: str, counts: Sequence[int], size: Size) -> Outcome:
    """Both in turn, for each number of connections. `expect` must stand in each of the peer's answers."""
    with instance() as ours:
        with ours.opened() as services:
            expected = view(services)
        with serving(ours.folder) as server:
            target = server.base + expected.target
            http.check(partial(http.fetch, target, http.BROWSER), expected)
            _check(url, headers, expect)
            asked = {"ours": (target, http.BROWSER), name: (url, headers)}
            figures = [each for count in counts for each in _turns(asked, count, size)]
            _check(url, headers, expect)
    return Outcome(figures, [f"client: {client.name(size.seconds)}"])


def _turns(asked: Mapping[str, tuple[str, Mapping[str, str]]], connections: int, size: Size) -> Iterator[Figure]:
    loads: dict[str, list[Load]] = {name: [] for name in asked}
    cases = {name: partial(_load, loads[name], *asked[name], size.seconds, connections) for name in asked}
    rounds = interleaved(cases, size.rounds)
    ours, peer = asked
    yield ratio(f"peers.{ours}_to_{peer}_{connections}", rounds, ours, peer, "wall")
    for name, had in loads.items():
        for shown in SHOWN:
            values = [getattr(load, shown) for load in had]
            yield of_rounds(f"peers.{name}_{connections}_{shown}", values, "ms", "wall")


def _load(kept: list[Load], url: str, headers: Mapping[str, str], seconds: float, connections: int) -> float:
    had = client.load(url, headers, seconds, connections)
    if had.errors or not had.answers:
        raise WrongAnswer(f"{had.errors} of {had.answers} answers of {urlsplit(url).netloc} were errors")
    kept.append(had)
    return had.per_second


def _check(url: str, headers: Mapping[str, str], expect: str) -> None:
    answer = http.fetch(url, dict(headers))
    if answer.status != 200 or expect.encode() not in answer.text:
        raise WrongAnswer(f"the peer answered with {answer.status}, {len(answer.text)} bytes, and without «{expect}»")


def _here(url: str) -> bool:
    parts = urlsplit(url)
    found = getaddrinfo(parts.hostname, parts.port or 80)
    return all(ip_address(str(each[4][0])).is_loopback for each in found)


def _arguments(words: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m bench.peers", description=__doc__)
    parser.add_argument("name", help="a short name for the peer, for the figures")
    parser.add_argument("url", help="its address that lists free times, on this machine")
    parser.add_argument("--expect", default="", help="words of a right answer, such as one of its free times")
    parser.add_argument("--header", action="append", default=[], help="«Name: value», to be sent to it")
    parser.add_argument("--connections", default="1,8")
    parser.add_argument("--full", action="store_true")
    return parser.parse_args(words)


if __name__ == "__main__":
    sys.exit(main())
