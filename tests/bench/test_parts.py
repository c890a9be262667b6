"""The parts that need servers, each in its tiniest form: they run, their answers are right, their counts are held."""

import threading
from collections import Counter
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from http.server import ThreadingHTTPServer

import pytest

from bench import client
from bench import confirm
from bench import http
from bench import soak
from bench import store
from bench.figures import TINY
from bench.figures import WrongAnswer
from bench.site import instance
from bench.soak import Look
from bench.soak import Sample
from tests.bench.test_bench import hold


def names(outcome: http.Outcome) -> set[str]:
    """What was measured."""
    return {figure.name for figure in outcome.figures}


def test_pages_are_measured_beside_a_hello_on_the_same_server() -> None:
    with instance() as demo_coach:
        with demo_coach.opened() as services:
            view = http.view(services)
        outcome = http.over_http(demo_coach, view, TINY)
        assert {"http.fragment_to_hello", "http.hello_to_fragment_server_cpu"} <= names(outcome)
        with pytest.raises(WrongAnswer, match="the oracle says"):
            http.over_http(demo_coach, view._replace(slots=[]), TINY)


def test_the_client_of_our_own_counts_answers_and_errors() -> None:
    with counting() as (base, asked):
        well = client.load(f"{base}/healthz", {"Accept": "application/json"}, 0.3, 2)
        assert (well.answers, well.errors) == (asked["/healthz"], 0)
        assert well.answers >= 2 and 0 < well.p50_ms <= well.p99_ms
        missing = client.load(f"{base}/nobody/", {}, 0.2, 1)
        assert missing.errors == missing.answers == asked["/nobody/"] > 0


@contextmanager
def counting() -> Iterator[tuple[str, Counter[str]]]:
    """A server that has one page, and how often each address was asked for."""
    asked: Counter[str] = Counter()
    guard = threading.Lock()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            with guard:
                asked[self.path] += 1
            self.send_response(200 if self.path == "/healthz" else 404)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"ok")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def test_what_wrk_says_is_read_by_its_lines() -> None:
    """A share of answers that ends in «50 %» or «99 %» is no time that half of them took."""
    said = """Running 1s test @ http://localhost:8000/hello
  1 threads and 8 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency     1.60ms    1.26ms  17.89ms   88.50%
    Req/Sec     4.96k   514.47     5.91k    63.99%
  Latency Distribution
     50%  757.00us
     75%    1.04ms
     90%    1.43ms
     99%    3.00ms
  5423 requests in 1.10s, 725.54KB read
Requests/sec:   4929.22
Transfer/sec:    659.48KB
"""
    assert client.what_wrk_says(said) == client.Load(4929.22, 5423, 0.757, 3.0, 0)
    with pytest.raises(RuntimeError, match="unexpected"):
        client.what_wrk_says(said.replace("757.00us", "-nanus"))


def test_bookings_are_measured_on_both_databases_and_none_is_lost_or_doubled() -> None:
    outcome = store.measure(TINY)
    assert {"store.sqlite_commit_p99_to_fsync_p99", "store.postgres_p99_to_p50"} <= names(outcome)
    hold(outcome)


def test_the_way_from_a_post_to_confirmed_is_measured_on_a_real_site() -> None:
    assert "confirm.confirmed_p95_to_put" in names(confirm.measure(TINY))


def test_a_short_soak_serves_everybody_and_samples_the_site() -> None:
    outcome = soak.measure(TINY, 8)
    figures = {figure.name: figure.value for figure in outcome.figures}
    assert figures["soak.errors"] == 0
    assert figures["soak.bookings"] >= 1
    assert 30 < figures["soak.memory_mb"] < figures["soak.whole_memory_mb"]


def test_growth_under_load_is_seen() -> None:
    load = soak.Load.__new__(soak.Load)
    load.seconds, load.slots, load.bookings, load.errors = 600.0, deque(), [], []
    load.samples = [Sample(float(at), 80 + at / 60, 40 + at // 20) for at in range(600)]
    load.looks = [Look(float(at), 0.001 * (1 + at // 100)) for at in range(600)]
    figures = {figure.name: figure.value for figure in soak.figures(load)}
    assert figures["soak.memory_mb_per_hour"] == pytest.approx(60)
    assert figures["soak.memory_last_to_first"] > 1.03
    assert figures["soak.files_more"] > 4
    assert figures["soak.p99_last_to_first"] > 1.5
